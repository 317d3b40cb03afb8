// Rows the other way round, for mirrored pictures.
#pragma once

#include <cstdint>
#include <cstring>

#ifdef __SSSE3__
#include <tmmintrin.h>
#endif

namespace dali_voc {

// Writes n values, the last one first; `to` must not overlap them.
template <typename T>
void CopyReversed(const T* from, int64_t n, T* to) {
  int64_t x = 0;
#ifdef __SSSE3__
  constexpr int kStep = 16 / sizeof(T);
  alignas(16) int8_t places[16];
  for (int i = 0; i < 16; i++) {
    constexpr int kBytes = static_cast<int>(sizeof(T));
    places[i] = static_cast<int8_t>((kStep - 1 - i / kBytes) * kBytes + i % kBytes);
  }
  const __m128i order = _mm_load_si128(reinterpret_cast<const __m128i*>(places));
  for (; x + kStep <= n; x += kStep) {
    const __m128i values = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + n - kStep - x));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + x), _mm_shuffle_epi8(values, order));
  }
#endif
  for (; x < n; x++) to[x] = from[n - 1 - x];
}

// RGB pixels, mirrored or as they are; their channels keep their order.
inline void CopyPixels(const uint8_t* rgb, int64_t n, bool flip, uint8_t* to) {
  if (!flip) {
    memcpy(to, rgb, 3 * n);
    return;
  }
  int64_t x = 0;
#ifdef __SSSE3__
  // five pixels, and before them a byte that is not theirs; what it leaves behind them the next
  // ones write over
  const __m128i order = _mm_set_epi8(0, 3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10, 15, 14, 13);
  for (; x + 5 < n; x += 5) {
    const __m128i values =
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(rgb + 3 * (n - x) - 16));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 3 * x), _mm_shuffle_epi8(values, order));
  }
#endif
  for (; x < n; x++)
    for (int c = 0; c < 3; c++) to[3 * x + c] = rgb[3 * (n - 1 - x) + c];
}

}  // namespace dali_voc
