// Turning a finished crop about its centre.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace dali_voc {

// An angle, counter-clockwise as the picture is looked at.
struct Rotation {
  double cosine = 1, sine = 0;

  bool Turns() const { return cosine != 1 || sine != 0; }
};

// Where the pixels of one row of a turned picture come from: x and y as continuous coordinates, in
// which pixel k spans k to k + 1.
class TurnedRow {
 public:
  TurnedRow(const Rotation& by, int64_t height, int64_t width, int64_t row)
      : by_(by),
        middle_y_(static_cast<double>(height) / 2),
        middle_x_(static_cast<double>(width) / 2),
        y_(static_cast<double>(row) + 0.5 - middle_y_) {}
  double X(int64_t column) const { return Along(column) * by_.cosine - y_ * by_.sine + middle_x_; }
  double Y(int64_t column) const { return Along(column) * by_.sine + y_ * by_.cosine + middle_y_; }

 private:
  double Along(int64_t column) const { return static_cast<double>(column) + 0.5 - middle_x_; }

  Rotation by_;
  double middle_y_, middle_x_, y_;
};

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
      const int64_t left = Floor(x), top = Floor(y);
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
        const float upper = a + (b - a) * right_share;
        const float lower = d + (e - d) * right_share;
        out[c] = upper + (lower - upper) * lower_share;
      }
    }
    return row_.data();
  }

 private:
  // std::floor is a call on older processors
  static int64_t Floor(double value) {
    const int64_t whole = static_cast<int64_t>(value);
    return whole - (static_cast<double>(whole) > value);
  }
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
