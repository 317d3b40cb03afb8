// Where a crop lies on a picture that may have been scaled. Per-axis arithmetic only.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "scaling.h"

namespace dali_voc {

struct Span {
  int64_t start;  // first pixel
  int64_t size;   // pixels; smaller than the crop where the picture is
};

// `position` in [0, 1) picks one of the (picture - crop + 1) places with equal shares; 0.5 is the
// centre, rounded up. A picture smaller than the crop is taken whole, at the crop's beginning.
inline Span PlaceCrop(int64_t picture, int64_t crop, double position) {
  if (picture <= crop) return {0, picture};
  if (!(position >= 0)) position = 0;  // also where it is not a number
  if (position > 1) position = 1;
  int64_t last = picture - crop;
  int64_t start = static_cast<int64_t>(std::floor(position * static_cast<double>(last + 1)));
  return {std::clamp<int64_t>(start, 0, last), crop};
}

// The place whose centre is nearest to `pixel`.
inline Span CentreCrop(int64_t picture, int64_t crop, int64_t pixel) {
  if (picture <= crop) return {0, picture};
  return {std::clamp<int64_t>(pixel - crop / 2, 0, picture - crop), crop};
}

// `place` in [0, 1) picks one of the places that show `pixel` with equal shares.
inline Span CropAround(int64_t picture, int64_t crop, int64_t pixel, double place) {
  if (picture <= crop) return {0, picture};
  const int64_t first = std::max<int64_t>(0, pixel - crop + 1);
  const int64_t last = std::min(pixel, picture - crop);
  return {first + PlaceCrop(last - first + 1, 1, place).start, crop};
}

// The source pixels that a window of scaled pixels is computed from, and where in them it lies.
struct SourceWindow {
  Span span;         // in source pixels, with what the filter reads beyond the window
  double roi_start;  // the window's boundaries, in pixels of `span`
  double roi_end;

  static SourceWindow Of(const Scaling& axis, const Span& window) {
    double begin = axis.Boundary(window.start);
    double end = axis.Boundary(window.start + window.size);
    // a triangle filter reaches one source pixel when enlarging, one scaled pixel when shrinking
    double reach = std::max(1.0, axis.Boundary(1)) + 1;
    int64_t first = std::max<int64_t>(0, static_cast<int64_t>(std::floor(begin - reach)));
    int64_t last = std::min(axis.source, static_cast<int64_t>(std::ceil(end + reach)));
    return {{first, last - first},
            begin - static_cast<double>(first),
            end - static_cast<double>(first)};
  }
};

}  // namespace dali_voc
