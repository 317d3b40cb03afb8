// Resizing by a triangle filter. Columns first sum over rows, then rows over columns; nothing is
// rounded in between.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "sum_rows.h"
#include "triangle_filter.h"

namespace dali_voc {

// How each result pixel of one axis is summed up from source pixels.
class FilterTaps {
 public:
  // Result pixels 0..size show the source from `start` to `end`, in pixels of `source`.
  void Build(int64_t source, double start, double end, int64_t size) {
    const auto filter = TriangleFilter::Of(source, start, end, size);
    width_ = filter.width;
    first_.resize(size);
    weights_.assign(size * width_, 0.0f);
    longest_ = 1;
    for (int64_t i = 0; i < size; i++) {
      const double centre = filter.Centre(i);
      const int64_t first = filter.First(centre), last = filter.Last(centre, first);
      filter.Weights(centre, first, last, weights_.data() + i * width_);
      first_[i] = first;
      longest_ = std::max(longest_, last + 1 - first);
    }
    // all sums get the same length, and none reads past the end
    for (int64_t i = 0; i < size; i++) {
      const int64_t shift = std::max<int64_t>(0, first_[i] + longest_ - source);
      float* weights = weights_.data() + i * width_;
      for (int64_t k = longest_ - 1; shift > 0 && k >= 0; k--)
        weights[k] = k >= shift ? weights[k - shift] : 0.0f;
      first_[i] -= shift;
    }
  }
  int64_t First(int64_t i) const { return first_[i]; }
  const float* Weights(int64_t i) const { return weights_.data() + i * width_; }
  int64_t Length() const { return longest_; }

 private:
  int64_t width_ = 0, longest_ = 1;
  std::vector<int64_t> first_;
  std::vector<float> weights_;
};

// A region of a picture, in its pixels, and the size that it becomes.
struct ResizedRegion {
  double start_y, start_x, end_y, end_x;
  int64_t height, width;
};

// Gives the rows of a resized picture one after another. Keeps buffers; one per thread.
class Resampler {
 public:
  // `stride` bytes lie between the beginnings of two rows.
  void Start(const uint8_t* rgb, int64_t height, int64_t width, int64_t stride,
             const ResizedRegion& to) {
    rgb_ = rgb;
    stride_ = stride;
    width_ = width;
    rows_.Build(height, to.start_y, to.end_y, to.height);
    columns_.Build(width, to.start_x, to.end_x, to.width);
    summed_.resize(3 * width + 1);  // a pixel is read as four numbers
    row_.resize(4 * to.width);
    out_width_ = to.width;
  }

  // Row y as (r, g, b, unspecified), 0..255 each.
  const float* Row(int64_t y) {
    SumRows(rgb_ + rows_.First(y) * stride_, stride_, rows_.Weights(y), rows_.Length(), 3 * width_,
            summed_.data());
    switch (columns_.Length()) {
      case 1:
        SumColumns<1>();
        break;
      case 2:
        SumColumns<2>();
        break;
      case 3:
        SumColumns<3>();
        break;
      case 4:
        SumColumns<4>();
        break;
      default:
        SumColumns<0>();
    }
    return row_.data();
  }

 private:
  using Pixel = float __attribute__((vector_size(16)));

  template <int kLength>
  void SumColumns() {
    const int64_t length = kLength ? kLength : columns_.Length();
    for (int64_t x = 0; x < out_width_; x++) {
      const float* from = summed_.data() + 3 * columns_.First(x);
      const float* weights = columns_.Weights(x);
      Pixel total{};
      for (int64_t k = 0; k < length; k++) {
        Pixel value;
        memcpy(&value, from + 3 * k, sizeof(value));
        total += value * weights[k];
      }
      memcpy(row_.data() + 4 * x, &total, sizeof(total));
    }
  }

  const uint8_t* rgb_ = nullptr;
  int64_t width_ = 0, stride_ = 0, out_width_ = 0;
  FilterTaps rows_, columns_;
  std::vector<float> summed_, row_;
};

}  // namespace dali_voc
