#include "sum_rows.h"

// Vectors of 32 bytes where the processor has them, which the baseline does not ask for. Products
// are not fused with sums in either.
#if defined(__x86_64__) && defined(__has_attribute) && !defined(__SANITIZE_THREAD__)
#if __has_attribute(target_clones)
#define DALI_VOC_FOR_PROCESSOR __attribute__((target_clones("avx2", "default")))
#endif
#endif
#ifndef DALI_VOC_FOR_PROCESSOR
#define DALI_VOC_FOR_PROCESSOR
#endif

namespace dali_voc {
namespace {

constexpr int kAtOnce = 4;  // rows that go into a sum before it is stored

// To what the sums are, or as the first.
template <int kRows, bool kFirst>
inline __attribute__((always_inline)) void AddRows(const uint8_t* rows, int64_t stride,
                                                   const float* weights, int64_t n,
                                                   float* __restrict sums) {
  const uint8_t* __restrict row[kRows];
  float weight[kRows];
  for (int k = 0; k < kRows; k++) {
    row[k] = rows + k * stride;
    weight[k] = weights[k];
  }
  for (int64_t j = 0; j < n; j++) {
    float sum = weight[0] * row[0][j];
    if (!kFirst) sum += sums[j];
    for (int k = 1; k < kRows; k++) sum += weight[k] * row[k][j];
    sums[j] = sum;
  }
}

template <bool kFirst>
inline __attribute__((always_inline)) void AddSome(const uint8_t* rows, int64_t stride,
                                                   const float* weights, int64_t num_rows,
                                                   int64_t n, float* sums) {
  if (num_rows >= 4)
    AddRows<4, kFirst>(rows, stride, weights, n, sums);
  else if (num_rows == 3)
    AddRows<3, kFirst>(rows, stride, weights, n, sums);
  else if (num_rows == 2)
    AddRows<2, kFirst>(rows, stride, weights, n, sums);
  else
    AddRows<1, kFirst>(rows, stride, weights, n, sums);
}

}  // namespace

DALI_VOC_FOR_PROCESSOR
void SumRows(const uint8_t* rows, int64_t stride, const float* weights, int64_t num_rows, int64_t n,
             float* sums) {
  AddSome<true>(rows, stride, weights, num_rows, n, sums);
  for (int64_t k = kAtOnce; k < num_rows; k += kAtOnce)
    AddSome<false>(rows + k * stride, stride, weights + k, num_rows - k, n, sums);
}

}  // namespace dali_voc
