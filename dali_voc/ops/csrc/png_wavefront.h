// Undoes PNG filters of four rows at once: each row works one pixel behind the one above it, so
// that within a step the four do not wait for each other, as the pixels of one row do.
#pragma once

#include <smmintrin.h>

#include <cstdint>
#include <cstring>

#include "png_filters.h"

namespace dali_voc {

// kBytes per pixel, 1 to 4. Values are 16-bit lanes, four for a pixel, of which those that it does
// not have are 0: their prediction is 0, and the bytes behind the pixel are written as they were.
template <int kBytes>
class Wavefront {
 public:
  static constexpr int kRows = 4;

  static bool Takes(const FilteredRows& rows) { return rows.bytes >= kRows * kBytes; }

  // The first kRows of `rows`; kMixed where not all have filter 4. `above` is not null.
  template <bool kMixed>
  static void Undo(const FilteredRows& rows, const uint8_t* above) {
    uint8_t* row[kRows];
    const uint8_t* up[kRows];
    int filter[kRows];
    for (int r = 0; r < kRows; r++) {
      row[r] = rows.first + r * rows.pitch;
      up[r] = r == 0 ? above : row[r - 1];
      filter[r] = row[r][-1];
    }
    const int64_t pixels = rows.bytes / kBytes;
    // the triangles at both ends, pixel by pixel
    for (int r = 0; r < kRows - 1; r++)
      UndoFilter(filter[r], row[r], up[r], 0, (kRows - 1 - r) * kBytes, kBytes);
    Steps<kMixed>(row, above, filter, pixels);
    for (int r = 1; r < kRows; r++)
      UndoFilter(filter[r], row[r], up[r], (pixels - r) * kBytes, pixels * kBytes, kBytes);
  }

 private:
  static constexpr int kLoad = kBytes == 3 ? 4 : kBytes;

  static __m128i Load(const uint8_t* p) {
    uint32_t value = 0;
    memcpy(&value, p, kLoad);
    return _mm_cvtsi32_si128(static_cast<int>(value));
  }
  static void Store(uint32_t value, uint8_t* p) { memcpy(p, &value, kLoad); }
  // Two pixels to 16-bit lanes.
  static __m128i Widen(__m128i first, __m128i second) {
    return _mm_cvtepu8_epi16(_mm_unpacklo_epi32(first, second));
  }

  // What a filter looks at, as masks of the lanes of two rows: a, b, c for Paeth's; 1 and 2 are
  // Paeth's with some of them 0.
  struct Sight {
    __m128i a, b, c, average;
  };
  static Sight SightOf(int first, int second, __m128i lanes) {
    auto mask = [=](int filters) {
      return _mm_and_si128(lanes,
                           _mm_set_epi64x(-(filters >> second & 1), -(filters >> first & 1)));
    };
    return {mask(1 << 1 | 1 << 4), mask(1 << 2 | 1 << 4), mask(1 << 4), mask(1 << 3)};
  }

  static __m128i PaethOf(__m128i a, __m128i b, __m128i c) {
    const __m128i p = _mm_sub_epi16(b, c);  // known before a is
    const __m128i q = _mm_sub_epi16(a, c);
    const __m128i far_a = _mm_abs_epi16(p);
    const __m128i far_b = _mm_abs_epi16(q);
    const __m128i far_c = _mm_abs_epi16(_mm_add_epi16(p, q));
    const __m128i nearest = _mm_min_epi16(far_c, _mm_min_epi16(far_a, far_b));
    const __m128i b_or_c = _mm_blendv_epi8(c, b, _mm_cmpeq_epi16(nearest, far_b));
    return _mm_blendv_epi8(b_or_c, a, _mm_cmpeq_epi16(nearest, far_a));
  }

  template <bool kMixed>
  static __m128i Undone(__m128i coded, __m128i a, __m128i b, __m128i c, const Sight& sight) {
    if constexpr (kMixed) {
      const __m128i average = _mm_and_si128(_mm_srli_epi16(_mm_add_epi16(a, b), 1), sight.average);
      const __m128i paeth =
          PaethOf(_mm_and_si128(a, sight.a), _mm_and_si128(b, sight.b), _mm_and_si128(c, sight.c));
      return _mm_add_epi16(_mm_add_epi16(coded, average), paeth);
    }
    return _mm_add_epi16(coded, PaethOf(a, b, c));
  }

  template <bool kMixed>
  static void Steps(uint8_t* const row[kRows], const uint8_t* above, const int filter[kRows],
                    int64_t pixels) {
    const __m128i lanes =
        _mm_set1_epi64x(static_cast<int64_t>(0x00ff00ff00ff00ffULL >> (64 - 16 * kBytes)));
    const __m128i bytes = _mm_set1_epi16(0xff);
    const Sight sight01 = SightOf(filter[0], filter[1], lanes);
    const Sight sight23 = SightOf(filter[2], filter[3], lanes);
    auto pixel = [](const uint8_t* p, int64_t x) { return Load(p + x * kBytes); };
    // the state before row 0 is at pixel 3: what is left of each row's next pixel, and above that
    int64_t x = kRows - 1;
    auto two = [&](const uint8_t* p, int64_t i, const uint8_t* q, int64_t j) {
      return _mm_and_si128(Widen(pixel(p, i), pixel(q, j)), lanes);
    };
    const __m128i none = _mm_setzero_si128();
    __m128i left01 = two(row[0], x - 1, row[1], x - 2);
    __m128i left23 = _mm_and_si128(Widen(pixel(row[2], 0), none), lanes);
    __m128i corner01 = two(above, x - 1, row[0], x - 2);
    __m128i corner23 = _mm_and_si128(Widen(pixel(row[1], 0), none), lanes);
    // read before the pixels in front of them are written: a read of bytes just written is slow
    __m128i coded01 = Widen(pixel(row[0], x), pixel(row[1], x - 1));
    __m128i coded23 = Widen(pixel(row[2], x - 2), pixel(row[3], x - 3));
    __m128i top = _mm_and_si128(_mm_cvtepu8_epi16(pixel(above, x)), lanes);
    for (; x < pixels; x++) {
      const __m128i up01 = _mm_unpacklo_epi64(top, left01);
      const __m128i up23 = _mm_alignr_epi8(left23, left01, 8);
      const __m128i sum01 = Undone<kMixed>(coded01, left01, up01, corner01, sight01);
      const __m128i sum23 = Undone<kMixed>(coded23, left23, up23, corner23, sight23);
      coded01 = Widen(pixel(row[0], x + 1), pixel(row[1], x));
      coded23 = Widen(pixel(row[2], x - 1), pixel(row[3], x - 2));
      top = _mm_and_si128(_mm_cvtepu8_epi16(pixel(above, x + 1)), lanes);
      const __m128i out =
          _mm_packus_epi16(_mm_and_si128(sum01, bytes), _mm_and_si128(sum23, bytes));
      Store(static_cast<uint32_t>(_mm_cvtsi128_si32(out)), row[0] + x * kBytes);
      Store(static_cast<uint32_t>(_mm_extract_epi32(out, 1)), row[1] + (x - 1) * kBytes);
      Store(static_cast<uint32_t>(_mm_extract_epi32(out, 2)), row[2] + (x - 2) * kBytes);
      Store(static_cast<uint32_t>(_mm_extract_epi32(out, 3)), row[3] + (x - 3) * kBytes);
      corner01 = up01;
      corner23 = up23;
      left01 = _mm_and_si128(sum01, lanes);
      left23 = _mm_and_si128(sum23, lanes);
    }
  }
};

}  // namespace dali_voc
