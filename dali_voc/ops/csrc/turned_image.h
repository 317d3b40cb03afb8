// Turning the finished crop of an image about its centre.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "turned_places.h"

namespace dali_voc {

// Bilinear, with `fill` all around: the rows of an RGB picture, height x width x 3, once turned.
class ImageRotator {
 public:
  // A byte behind the picture is read, too.
  void Start(const uint8_t* rgb, int64_t height, int64_t width, const Rotation& by,
             const float* fill) {
    rgb_ = rgb;
    height_ = height;
    width_ = width;
    by_ = by;
    fill_ = Pixel{fill[0], fill[1], fill[2], 0};
    row_.resize(4 * width);
  }

  // Row i as (r, g, b, unspecified), 0..255 each.
  const float* Row(int64_t i) {
    const TurnedPlaces places(by_, height_, width_, i);
    const Columns inside = ColumnsInside(width_, [&](int64_t j) { return IsInside(places, j); });
    for (int64_t j = 0; j < inside.begin; j++) PutAny(places, j);
    Fill(places, inside);
    for (int64_t j = inside.end; j < width_; j++) PutAny(places, j);
    return row_.data();
  }

 private:
  using Pixel = float __attribute__((vector_size(16)));

  // A place among pixels: the one to its upper left, and how far it is from there to the next.
  struct Among {
    PixelAt at;
    float right, lower;

    // centres of pixels are at whole numbers
    static Among Of(const TurnedPlaces& places, int64_t column) {
      const TurnedPlace place = places.At(column) - 0.5, whole = Floor(place);
      const TurnedPlace share = place - whole;
      return {PixelOf(whole), static_cast<float>(share[0]), static_cast<float>(share[1])};
    }
  };

  // Whether the picture has all four pixels that a place lies between.
  bool IsInside(const TurnedPlaces& places, int64_t column) const {
    const PixelAt at = Among::Of(places, column).at;
    return at.x >= 0 && at.y >= 0 && int64_t{at.x} + 1 < width_ && int64_t{at.y} + 1 < height_;
  }

  // Columns that are inside.
  void Fill(const TurnedPlaces& places, const Columns& inside) {
    // what is stored might be members, to the compiler
    const uint8_t* const rgb = rgb_;
    const int64_t width = width_;
    float* const out = row_.data();
    for (int64_t j = inside.begin; j < inside.end; j++) {
      const Among among = Among::Of(places, j);
      const uint8_t* upper = rgb + (among.at.y * width + among.at.x) * 3;
      const uint8_t* lower = upper + 3 * width;
      const Pixel color =
          Between(Read(upper), Read(upper + 3), Read(lower), Read(lower + 3), among);
      memcpy(out + 4 * j, &color, sizeof(color));
    }
  }
  void PutAny(const TurnedPlaces& places, int64_t column) {
    const Among among = Among::Of(places, column);
    const int64_t y = among.at.y, x = among.at.x;
    const Pixel color = Between(Any(y, x), Any(y, x + 1), Any(y + 1, x), Any(y + 1, x + 1), among);
    memcpy(row_.data() + 4 * column, &color, sizeof(color));
  }

  // A pixel is read as four numbers.
  static Pixel Read(const uint8_t* at) {
#ifdef __SSE4_1__
    int32_t bytes;
    memcpy(&bytes, at, sizeof(bytes));
    return Pixel(_mm_cvtepi32_ps(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(bytes))));
#else
    return Pixel{static_cast<float>(at[0]), static_cast<float>(at[1]), static_cast<float>(at[2]),
                 0};
#endif
  }
  Pixel Any(int64_t y, int64_t x) const {
    const bool inside = y >= 0 && x >= 0 && y < height_ && x < width_;
    return inside ? Read(rgb_ + (y * width_ + x) * 3) : fill_;
  }

  // As turned_row.h says.
  static Pixel Between(Pixel upper_left, Pixel upper_right, Pixel lower_left, Pixel lower_right,
                       const Among& among) {
    const Pixel above = upper_left + (upper_right - upper_left) * among.right;
    const Pixel below = lower_left + (lower_right - lower_left) * among.right;
    return above + (below - above) * among.lower;
  }

  const uint8_t* rgb_ = nullptr;
  int64_t height_ = 0, width_ = 0;
  Rotation by_;
  Pixel fill_{};
  std::vector<float> row_;
};

}  // namespace dali_voc
