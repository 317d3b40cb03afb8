// Rows of floats in 16 bits, many at once. Processors of x86 have an instruction for it nearly all,
// but not by the baseline that this is compiled for: it is asked for when the program runs.
#pragma once

#include <cstdint>
#include <cstring>

#include "half.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define DALI_VOC_F16C
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace dali_voc {

#ifdef DALI_VOC_F16C
inline bool HasF16c() {
  unsigned a, b, c = 0, d;
  // the system has to keep its wide registers, which is what `avx` asks, too
  return __builtin_cpu_supports("avx") && __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}

// Returns how many are done.
__attribute__((target("avx,f16c"))) inline int64_t ToHalvesByEights(const float* from, int64_t n,
                                                                    Half* to) {
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i),
                     _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT));
  return i;
}
#endif

// The nearest halves, see ToHalf.
inline void ToHalves(const float* from, int64_t n, Half* to) {
  int64_t i = 0;
#ifdef DALI_VOC_F16C
  static const bool has = HasF16c();
  if (has) i = ToHalvesByEights(from, n, to);
#endif
  for (; i < n; i++) to[i] = ToHalf(from[i]);
}

// The upper half of a float: eight bits of exponent, seven of mantissa.
struct Bfloat16 {
  uint16_t bits;
};

// The nearest, and of two equally near ones the even. Without branches, so that the loop becomes
// vector code.
inline void ToBfloat16(const float* __restrict from, int64_t n, Bfloat16* __restrict to) {
  for (int64_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, from + i, sizeof(bits));
    const uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    to[i].bits = static_cast<uint16_t>((bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : rounded);
  }
}

}  // namespace dali_voc
