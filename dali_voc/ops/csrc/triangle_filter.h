// Bilinear resizing with antialias, as Pillow and PyTorch do it: a triangle filter that is as wide
// as the larger of a source and a result pixel. Here: which source pixels of one axis it covers,
// and with what weights. Host compilers and NVRTC build it.
#pragma once

#include <cstdint>
#ifndef __CUDACC_RTC__
#include <cmath>
#endif

namespace dali_voc {

struct TriangleFilter {
  int64_t source;      // pixels
  double start, step;  // result pixel i shows the source from start + i step, a step long
  double reach;        // of the triangle, to both sides of its centre
  int64_t width;       // source pixels that it covers, at most

  // Result pixels 0..size show the source from `start` to `end`, in pixels of `source`.
  static TriangleFilter Of(int64_t source, double start, double end, int64_t size) {
    const double step = (end - start) / static_cast<double>(size);
    const double reach = step > 1.0 ? step : 1.0;
    const int64_t width = static_cast<int64_t>(ceil(reach)) * 2 + 1;
    return {source, start, step, reach, width < source ? width : source};
  }

  double Centre(int64_t i) const { return start + (static_cast<double>(i) + 0.5) * step; }

  // The source pixels whose centres the triangle covers: the first and the last, at most `width`.
  int64_t First(double centre) const {
    const int64_t first = static_cast<int64_t>(floor(centre - reach - 0.5)) + 1;
    return first < 0 ? 0 : first > source - 1 ? source - 1 : first;
  }
  int64_t Last(double centre, int64_t first) const {
    const int64_t last = static_cast<int64_t>(ceil(centre + reach - 0.5)) - 1;
    const int64_t most = (source < first + width ? source : first + width) - 1;
    return last < first ? first : last > most ? most : last;
  }

  // In shares of their sum, see Weights; none is below 0.
  double Height(int64_t pixel, double centre) const {
    const double height = 1 - fabs(static_cast<double>(pixel) + 0.5 - centre) / reach;
    return height > 0.0 ? height : 0.0;
  }

  // Writes the weights of pixels first..last.
  void Weights(double centre, int64_t first, int64_t last, float* weights) const {
    double total = 0;
    for (int64_t k = first; k <= last; k++) total += Height(k, centre);
    for (int64_t k = first; k <= last; k++)
      weights[k - first] = total > 0 ? static_cast<float>(Height(k, centre) / total) : 1.0f;
  }
};

}  // namespace dali_voc
