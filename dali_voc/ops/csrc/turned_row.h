// Where the pixels of a turned picture come from, and what lies between pixels. Host compilers and
// NVRTC build it.
#pragma once

#include <cstdint>

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

// Between two values, of which the second has this share.
inline float Between(float first, float second, float share) {
  return first + (second - first) * share;
}

}  // namespace dali_voc
