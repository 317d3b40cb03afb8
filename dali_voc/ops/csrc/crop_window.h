// Where a crop lies on a picture. Per-axis arithmetic only.
#pragma once

#include <cmath>
#include <cstdint>

namespace dali_voc {

struct Span {
  int64_t start;  // first source pixel
  int64_t size;   // source pixels; smaller than the crop where the picture is
};

// `position` in [0, 1) picks one of the (picture - crop + 1) places with equal shares; 0.5 is the
// centre, rounded up. A picture smaller than the crop is taken whole, at the crop's beginning.
inline Span PlaceCrop(int64_t picture, int64_t crop, double position) {
  if (picture <= crop) return {0, picture};
  if (!(position >= 0)) position = 0;  // also where it is not a number
  if (position > 1) position = 1;
  int64_t last = picture - crop;
  int64_t start = static_cast<int64_t>(std::floor(position * static_cast<double>(last + 1)));
  return {start < 0 ? 0 : (start > last ? last : start), crop};
}

}  // namespace dali_voc
