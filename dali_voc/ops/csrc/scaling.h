// One axis of a picture before and after scaling. Host compilers and NVRTC build it.
#pragma once

#include <cstdint>
#ifndef __CUDACC_RTC__
#include <cmath>
#endif

namespace dali_voc {

// Sizes of one axis of a picture before and after scaling.
struct Scaling {
  int64_t source;
  int64_t scaled;

  static Scaling By(int64_t source, double factor) {
    const auto size = static_cast<int64_t>(floor(static_cast<double>(source) * factor + 0.5));
    return {source, size < 1 ? 1 : size};
  }
  // As `from` pixels become `to`, without a factor in between that would have to be rounded.
  static Scaling To(int64_t source, int64_t from, int64_t to) {
    const int64_t size = (2 * source * to + from) / (2 * from);
    return {source, size < 1 ? 1 : size};
  }
  // Nearest neighbour: the source pixel that the centre of a scaled pixel falls on.
  int64_t Source(int64_t scaled_pixel) const {
    return (2 * scaled_pixel + 1) * source / (2 * scaled);
  }
  // The inverse, for the centre of a source pixel.
  int64_t Scaled(int64_t source_pixel) const {
    return (2 * source_pixel + 1) * scaled / (2 * source);
  }
  // A boundary between scaled pixels, in source pixels.
  double Boundary(int64_t scaled_pixel) const {
    return static_cast<double>(scaled_pixel) * static_cast<double>(source) /
           static_cast<double>(scaled);
  }
};

}  // namespace dali_voc
