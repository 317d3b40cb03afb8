// Rows of pixels turned into rows of the result, as a rule stored past the caches on the way: what
// stream_store.h does, without the buffer in between. For x86; elsewhere they decline.
#pragma once

#include <cstdint>

#include "split_channels.h"

#ifdef __SSE4_1__
#include <smmintrin.h>
#endif

namespace dali_voc {

// Bytes as 64-bit numbers. `to` must be a multiple of 8.
inline bool StreamWidened(const uint8_t* from, int64_t n, bool flip, int64_t* to) {
#ifdef __SSE4_1__
  if (flip) from += n;  // one behind what comes next
  auto next = [&] { return static_cast<int64_t>(flip ? *--from : *from++); };
  if (n > 0 && reinterpret_cast<uintptr_t>(to) % 16 != 0) {
    *to++ = next();
    n--;
  }
  const __m128i backwards = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  for (; n >= 16; n -= 16, to += 16) {
    if (flip) from -= 16;
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    if (flip)
      bytes = _mm_shuffle_epi8(bytes, backwards);
    else
      from += 16;
    auto* out = reinterpret_cast<__m128i*>(to);
    for (int k = 0; k < 8; k++) {
      _mm_stream_si128(out + k, _mm_cvtepu8_epi64(bytes));
      bytes = _mm_srli_si128(bytes, 2);
    }
  }
  for (; n > 0; n--) *to++ = next();
  return true;
#else
  (void)from, (void)n, (void)flip, (void)to;
  return false;
#endif
}

// RGB pixels as three rows of value * scale + offset, past the caches or as everything is stored.
// Returns false where rows that go past the caches do not lie alike towards multiples of 16 bytes;
// nothing is written then.
template <bool kPastCaches>
inline bool WriteNormalized(const uint8_t* rgb, int64_t n, bool flip, const float* scale,
                            const float* offset, float* r, float* g, float* b) {
#ifdef __SSE4_1__
  float* const to[3] = {r, g, b};
  const uintptr_t misplaced = reinterpret_cast<uintptr_t>(r) % 16;
  for (float* row : to)
    if (kPastCaches && reinterpret_cast<uintptr_t>(row) % 16 != misplaced) return false;
  const ChannelPlaces& places = flip ? kMirroredChannels : kChannels;
  auto write_one = [&](int64_t x) {
    const uint8_t* pixel = rgb + 3 * (flip ? n - 1 - x : x);
    for (int c = 0; c < 3; c++) to[c][x] = pixel[c] * scale[c] + offset[c];
  };
  int64_t x = 0;
  while (kPastCaches && x < n && reinterpret_cast<uintptr_t>(r + x) % 16 != 0) write_one(x++);
  for (; x + 16 <= n; x += 16) {
    const SixteenPixels pixels(rgb + 3 * (flip ? n - 16 - x : x));
    for (int c = 0; c < 3; c++) {
      __m128i values = pixels.Channel(places, c);
      const __m128 s = _mm_set1_ps(scale[c]), o = _mm_set1_ps(offset[c]);
      for (int k = 0; k < 4; k++) {
        const __m128 number = _mm_cvtepi32_ps(_mm_cvtepu8_epi32(values));
        const __m128 result = _mm_add_ps(_mm_mul_ps(number, s), o);
        if (kPastCaches)
          _mm_stream_ps(to[c] + x + 4 * k, result);
        else
          _mm_storeu_ps(to[c] + x + 4 * k, result);
        values = _mm_srli_si128(values, 4);
      }
    }
  }
  while (x < n) write_one(x++);
  return true;
#else
  (void)rgb, (void)n, (void)flip, (void)scale, (void)offset, (void)r, (void)g, (void)b;
  return false;
#endif
}

}  // namespace dali_voc
