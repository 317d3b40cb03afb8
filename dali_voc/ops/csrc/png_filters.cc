#include "png_filters.h"

#ifdef __SSE4_1__
#include "png_wavefront.h"
#endif

namespace dali_voc {
namespace {

// The rows above it, if any, are undone.
void UndoRow(const FilteredRows& rows, int64_t y, const uint8_t* above) {
  uint8_t* row = rows.first + y * rows.pitch;
  UndoFilter(row[-1], row, y > 0 ? row - rows.pitch : above, 0, rows.bytes, rows.stride);
}

#ifdef __SSE4_1__

// Filter 1: sums from the left, 16 bytes at once, of which whole pixels count.
template <int kBytes>
void UndoLeft(uint8_t* row, int64_t n) {
  constexpr int kStep = 16 - 16 % kBytes;
  alignas(16) int8_t last[16], kept[16];
  for (int i = 0; i < 16; i++) {
    last[i] = static_cast<int8_t>(kStep - kBytes + i % kBytes);
    kept[i] = static_cast<int8_t>(i < kStep ? 0 : -1);
  }
  const __m128i last_pixel = _mm_load_si128(reinterpret_cast<const __m128i*>(last));
  const __m128i behind = _mm_load_si128(reinterpret_cast<const __m128i*>(kept));
  __m128i left = _mm_setzero_si128();
  int64_t i = 0;
  for (; i + 16 <= n; i += kStep) {
    auto* at = reinterpret_cast<__m128i*>(row + i);
    const __m128i coded = _mm_loadu_si128(at);
    __m128i sum = _mm_add_epi8(coded, _mm_slli_si128(coded, kBytes));
    sum = _mm_add_epi8(sum, _mm_slli_si128(sum, 2 * kBytes));
    if constexpr (4 * kBytes < 16) sum = _mm_add_epi8(sum, _mm_slli_si128(sum, 4 * kBytes));
    if constexpr (8 * kBytes < 16) sum = _mm_add_epi8(sum, _mm_slli_si128(sum, 8 * kBytes));
    sum = _mm_add_epi8(sum, left);
    left = _mm_shuffle_epi8(sum, last_pixel);
    _mm_storeu_si128(at, _mm_blendv_epi8(sum, coded, behind));
  }
  UndoFilter(1, row, nullptr, i, n, kBytes);
}

template <int kBytes>
void UndoByPixels(FilteredRows rows, const uint8_t* above) {
  using Four = Wavefront<kBytes>;
  while (rows.rows > 0) {
    int64_t done = 1;
    const int filter = rows.first[-1];
    bool chained = false, paeth = true;
    for (int64_t y = 0; y < Four::kRows && y < rows.rows; y++) {
      chained |= rows.first[y * rows.pitch - 1] >= 3;
      paeth &= rows.first[y * rows.pitch - 1] == 4;
    }
    if (above && chained && rows.rows >= Four::kRows && Four::Takes(rows)) {
      done = Four::kRows;
      if (paeth)
        Four::template Undo<false>(rows, above);
      else
        Four::template Undo<true>(rows, above);
    } else if (filter == 1) {
      UndoLeft<kBytes>(rows.first, rows.bytes);
    } else {
      UndoRow(rows, 0, above);
    }
    above = rows.first + (done - 1) * rows.pitch;
    rows.first += done * rows.pitch;
    rows.rows -= done;
  }
}

#endif

}  // namespace

bool FiltersAreKnown(const FilteredRows& rows) {
  uint8_t unknown = 0;
  for (int64_t y = 0; y < rows.rows; y++) unknown |= rows.first[y * rows.pitch - 1] > 4;
  return !unknown;
}

void UndoFilters(const FilteredRows& rows, const uint8_t* above) {
#ifdef __SSE4_1__
  if (rows.stride == 1) return UndoByPixels<1>(rows, above);
  if (rows.stride == 2) return UndoByPixels<2>(rows, above);
  if (rows.stride == 3) return UndoByPixels<3>(rows, above);
  if (rows.stride == 4) return UndoByPixels<4>(rows, above);
#endif
  for (int64_t y = 0; y < rows.rows; y++) UndoRow(rows, y, above);
}

}  // namespace dali_voc
