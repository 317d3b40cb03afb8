// Rows of pixels turned into rows of the result, as a rule stored past the caches on the way: what
// stream_store.h does, without the buffer in between. For x86; elsewhere they decline.
#pragma once

#include <cstdint>

#include "crop_pixel.h"
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

#ifdef __SSE4_1__
// Writes n columns of three rows: one(x) does column x, and sixteen(x) as many from there on, past
// the caches or as everything is stored. Returns false where rows that go past the caches do not
// lie alike towards multiples of 16 bytes; nothing is written then.
template <bool kPastCaches, typename One, typename Sixteen>
inline bool WriteColumns(float* const (&rows)[3], int64_t n, One one, Sixteen sixteen) {
  const uintptr_t misplaced = reinterpret_cast<uintptr_t>(rows[0]) % 16;
  for (float* row : rows)
    if (kPastCaches && reinterpret_cast<uintptr_t>(row) % 16 != misplaced) return false;
  int64_t x = 0;
  while (kPastCaches && x < n && reinterpret_cast<uintptr_t>(rows[0] + x) % 16 != 0) one(x++);
  for (; x + 16 <= n; x += 16) sixteen(x);
  while (x < n) one(x++);
  return true;
}

template <bool kPastCaches>
inline void StoreFour(__m128 values, float* to) {
  if (kPastCaches)
    _mm_stream_ps(to, values);
  else
    _mm_storeu_ps(to, values);
}

// The four lowest bytes.
inline __m128 FourFloats(__m128i bytes) { return _mm_cvtepi32_ps(_mm_cvtepu8_epi32(bytes)); }
#endif

// RGB pixels as three rows of value * scale + offset; see WriteColumns.
template <bool kPastCaches>
inline bool WriteNormalized(const uint8_t* rgb, int64_t n, bool flip, const Normalization& norm,
                            float* const (&rows)[3]) {
#ifdef __SSE4_1__
  const ChannelPlaces& places = flip ? kMirroredChannels : kChannels;
  auto one = [&](int64_t x) {
    const uint8_t* pixel = rgb + 3 * (flip ? n - 1 - x : x);
    for (int c = 0; c < 3; c++) rows[c][x] = Normalized(pixel[c], norm, c);
  };
  auto sixteen = [&](int64_t x) {
    const SixteenPixels pixels(rgb + 3 * (flip ? n - 16 - x : x));
    for (int c = 0; c < 3; c++) {
      __m128i values = pixels.Channel(places, c);
      const __m128 s = _mm_set1_ps(norm.scale[c]), o = _mm_set1_ps(norm.offset[c]);
      for (int k = 0; k < 4; k++, values = _mm_srli_si128(values, 4))
        StoreFour<kPastCaches>(_mm_add_ps(_mm_mul_ps(FourFloats(values), s), o),
                               rows[c] + x + 4 * k);
    }
  };
  return WriteColumns<kPastCaches>(rows, n, one, sixteen);
#else
  (void)rgb, (void)n, (void)flip, (void)norm, (void)rows;
  return false;
#endif
}

// The same of what a 3 x 4 matrix makes of the colours.
template <bool kPastCaches>
inline bool WriteRecolored(const uint8_t* rgb, int64_t n, bool flip, const float* matrix,
                           const Normalization& norm, float* const (&rows)[3]) {
#ifdef __SSE4_1__
  const ChannelPlaces& places = flip ? kMirroredChannels : kChannels;
  __m128 factors[12], scale[3], offset[3];
  for (int i = 0; i < 12; i++) factors[i] = _mm_set1_ps(matrix[i]);
  for (int c = 0; c < 3; c++) {
    scale[c] = _mm_set1_ps(norm.scale[c]);
    offset[c] = _mm_set1_ps(norm.offset[c]);
  }
  auto one = [&](int64_t x) {
    const uint8_t* pixel = rgb + 3 * (flip ? n - 1 - x : x);
    for (int c = 0; c < 3; c++)
      rows[c][x] = Normalized(Recolored(matrix, c, pixel[0], pixel[1], pixel[2]), norm, c);
  };
  auto sixteen = [&](int64_t x) {
    const SixteenPixels pixels(rgb + 3 * (flip ? n - 16 - x : x));
    __m128i r = pixels.Channel(places, 0), g = pixels.Channel(places, 1),
            b = pixels.Channel(places, 2);
    __m128 results[3][4];
    for (int k = 0; k < 4; k++) {
      const __m128 red = FourFloats(r), green = FourFloats(g), blue = FourFloats(b);
      for (int c = 0; c < 3; c++) {
        // as Recolored does it
        const __m128* m = factors + 4 * c;
        __m128 value = _mm_add_ps(_mm_mul_ps(m[0], red), _mm_mul_ps(m[1], green));
        value = _mm_add_ps(_mm_add_ps(value, _mm_mul_ps(m[2], blue)), m[3]);
        // of two zeros the second is taken
        value = _mm_min_ps(_mm_set1_ps(255), _mm_max_ps(_mm_setzero_ps(), value));
        results[c][k] = _mm_add_ps(_mm_mul_ps(value, scale[c]), offset[c]);
      }
      r = _mm_srli_si128(r, 4), g = _mm_srli_si128(g, 4), b = _mm_srli_si128(b, 4);
    }
    // a whole line of the cache after the other
    for (int c = 0; c < 3; c++)
      for (int k = 0; k < 4; k++) StoreFour<kPastCaches>(results[c][k], rows[c] + x + 4 * k);
  };
  return WriteColumns<kPastCaches>(rows, n, one, sixteen);
#else
  (void)rgb, (void)n, (void)flip, (void)matrix, (void)norm, (void)rows;
  return false;
#endif
}

}  // namespace dali_voc
