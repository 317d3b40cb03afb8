// As turned_row.h, for host code: both coordinates of a place at once.
#pragma once

#include <cmath>
#include <cstdint>

#include "turned_row.h"

#ifdef __SSE4_1__
#include <smmintrin.h>
#endif

namespace dali_voc {

using TurnedPlace = double __attribute__((vector_size(16)));  // x, y

// A place's pixel; far from any picture, no number that a picture has.
struct PixelAt {
  int32_t x, y;
};

inline TurnedPlace Floor(TurnedPlace place) {
#ifdef __SSE4_1__
  return TurnedPlace(_mm_floor_pd(__m128d(place)));
#else
  return TurnedPlace{std::floor(place[0]), std::floor(place[1])};
#endif
}

// Of a place whose coordinates are whole, or not negative: what is behind the point is left out.
inline PixelAt PixelOf(TurnedPlace whole) {
#ifdef __SSE4_1__
  const int64_t both = _mm_cvtsi128_si64(_mm_cvttpd_epi32(__m128d(whole)));
  return {static_cast<int32_t>(both), static_cast<int32_t>(both >> 32)};
#else
  auto number = [](double value) {
    return value >= INT32_MIN && value <= INT32_MAX ? static_cast<int32_t>(value) : INT32_MIN;
  };
  return {number(whole[0]), number(whole[1])};
#endif
}

// The places that a row shows: the same numbers as TurnedRow's.
class TurnedPlaces {
 public:
  TurnedPlaces(const Rotation& by, int64_t height, int64_t width, int64_t row)
      : turn_{by.cosine, by.sine},
        middle_{static_cast<double>(width) / 2, static_cast<double>(height) / 2} {
    const double y = static_cast<double>(row) + 0.5 - middle_[1];
    beside_ = TurnedPlace{-(y * by.sine), y * by.cosine};
  }
  TurnedPlace At(int64_t column) const {
    const double along = static_cast<double>(column) + 0.5 - middle_[0];
    return along * turn_ + beside_ + middle_;
  }

 private:
  TurnedPlace turn_, middle_, beside_;
};

// Columns begin to end, without the last.
struct Columns {
  int64_t begin, end;
};

// Those of a row whose places are inside something convex: a line meets it in one piece.
template <typename IsInside>
Columns ColumnsInside(int64_t width, IsInside is_inside) {
  Columns inside{0, width};
  while (inside.begin < inside.end && !is_inside(inside.begin)) inside.begin++;
  while (inside.begin < inside.end && !is_inside(inside.end - 1)) inside.end--;
  return inside;
}

}  // namespace dali_voc
