// Turning a finished crop about its centre.
#pragma once

#include <cstdint>
#include <vector>

#include "turned_row.h"

namespace dali_voc {

// Nearest neighbour: each pixel shows what lay under its centre, or `ignore`.
template <typename T>
void RotateLabel(const uint16_t* from, int64_t height, int64_t width, const Rotation& by, T ignore,
                 T* out) {
  for (int64_t i = 0; i < height; i++) {
    const TurnedRow row(by, height, width, i);
    for (int64_t j = 0; j < width; j++) {
      const double x = row.X(j), y = row.Y(j);
      const bool inside =
          x >= 0 && y >= 0 && x < static_cast<double>(width) && y < static_cast<double>(height);
      *out++ = inside
                   ? static_cast<T>(from[static_cast<int64_t>(y) * width + static_cast<int64_t>(x)])
                   : ignore;
    }
  }
}

// Bilinear, with `fill` all around: the rows of an RGB picture, height x width x 3, once turned.
class ImageRotator {
 public:
  void Start(const uint8_t* rgb, int64_t height, int64_t width, const Rotation& by,
             const float* fill) {
    rgb_ = rgb;
    height_ = height;
    width_ = width;
    by_ = by;
    for (int c = 0; c < 3; c++) fill_[c] = fill[c];
    row_.resize(4 * width);
  }

  // Row i as (r, g, b, unspecified), 0..255 each.
  const float* Row(int64_t i) {
    const TurnedRow turned(by_, height_, width_, i);
    for (int64_t j = 0; j < width_; j++) {
      // centres of pixels at whole numbers
      const double x = turned.X(j) - 0.5, y = turned.Y(j) - 0.5;
      const int64_t left = FloorOf(x), top = FloorOf(y);
      const float right_share = static_cast<float>(x - static_cast<double>(left));
      const float lower_share = static_cast<float>(y - static_cast<double>(top));
      const bool inner = left >= 0 && top >= 0 && left + 1 < width_ && top + 1 < height_;
      float* out = row_.data() + 4 * j;
      for (int c = 0; c < 3; c++) {
        float a, b, d, e;
        if (inner) {
          const uint8_t* at = rgb_ + (top * width_ + left) * 3;
          a = at[c];
          b = at[c + 3];
          d = at[c + 3 * width_];
          e = at[c + 3 * width_ + 3];
        } else {
          a = At(top, left, c);
          b = At(top, left + 1, c);
          d = At(top + 1, left, c);
          e = At(top + 1, left + 1, c);
        }
        out[c] = Between(Between(a, b, right_share), Between(d, e, right_share), lower_share);
      }
    }
    return row_.data();
  }

 private:
  float At(int64_t y, int64_t x, int c) const {
    const bool inside = y >= 0 && x >= 0 && y < height_ && x < width_;
    return inside ? rgb_[(y * width_ + x) * 3 + c] : fill_[c];
  }

  const uint8_t* rgb_ = nullptr;
  int64_t height_ = 0, width_ = 0;
  Rotation by_;
  float fill_[3] = {};
  std::vector<float> row_;
};

}  // namespace dali_voc
