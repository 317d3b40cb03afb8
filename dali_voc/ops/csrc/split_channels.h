// RGB pixels as three rows, one of each channel.
#pragma once

#include <cstdint>

#ifdef __SSSE3__
#include <tmmintrin.h>
#endif

namespace dali_voc {

#ifdef __SSSE3__
// Where in three times 16 bytes the k-th value of each channel lies; backwards for mirrored rows.
struct ChannelPlaces {
  alignas(16) int8_t at[3][3][16];

  constexpr explicit ChannelPlaces(bool flip) : at{} {
    for (int c = 0; c < 3; c++)
      for (int part = 0; part < 3; part++)
        for (int k = 0; k < 16; k++) {
          const int place = 3 * (flip ? 15 - k : k) + c - 16 * part;
          at[c][part][k] = static_cast<int8_t>(place >= 0 && place < 16 ? place : -1);
        }
  }
};
inline constexpr ChannelPlaces kChannels{false}, kMirroredChannels{true};

// Sixteen pixels: their values of channel c.
struct SixteenPixels {
  __m128i parts[3];

  explicit SixteenPixels(const uint8_t* rgb) {
    for (int i = 0; i < 3; i++)
      parts[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rgb + 16 * i));
  }
  __m128i Channel(const ChannelPlaces& places, int c) const {
    auto values_of = [&](int part) {
      return _mm_shuffle_epi8(parts[part],
                              _mm_load_si128(reinterpret_cast<const __m128i*>(places.at[c][part])));
    };
    return _mm_or_si128(_mm_or_si128(values_of(0), values_of(1)), values_of(2));
  }
};
#endif

// n pixels, the last one first if they are mirrored.
inline void SplitChannels(const uint8_t* rgb, int64_t n, bool flip, uint8_t* r, uint8_t* g,
                          uint8_t* b) {
  uint8_t* const to[3] = {r, g, b};
  int64_t x = 0;
#ifdef __SSSE3__
  const ChannelPlaces& places = flip ? kMirroredChannels : kChannels;
  for (; x + 16 <= n; x += 16) {
    const SixteenPixels pixels(rgb + 3 * (flip ? n - 16 - x : x));
    for (int c = 0; c < 3; c++)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to[c] + x), pixels.Channel(places, c));
  }
#endif
  for (; x < n; x++)
    for (int c = 0; c < 3; c++) to[c][x] = rgb[3 * (flip ? n - 1 - x : x) + c];
}

}  // namespace dali_voc
