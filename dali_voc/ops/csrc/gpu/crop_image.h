// Windows to crops on a GPU: what the kernels are given. Host compilers and NVRTC build it.
#pragma once

#include <cstdint>

#include "crop_pixel.h"
#include "triangle_filter.h"
#include "turned_row.h"

namespace dali_voc {

// One sample. In callers' hands, too: dali_voc/ops/_kernels has the same.
struct CropPicture {
  const uint8_t* rgb;  // the window, 3 bytes a pixel
  void* out;
  int64_t stride;             // bytes from row to row of the window
  int32_t height, width;      // of the window
  int32_t shown_y, shown_x;   // height and width of the picture: the window's, once resized
  int32_t crop_y, crop_x;     // those of the crop; none smaller
  int32_t flip_x, flip_y;     // 0 or 1
  int32_t resizes, recolors;  // 0 or 1: whether the following count
  double start_y, start_x;    // what is resized, in pixels of the window
  double end_y, end_x;
  Rotation rotation;
  float matrix[12];  // 3 x 4: what (r, g, b, 1) is multiplied by
};

// How each result pixel of one axis is summed up from source pixels.
struct FilterSpan {
  int32_t first, length;
};
struct FilterAxis {
  TriangleFilter filter;
  int64_t size;       // result pixels
  FilterSpan* spans;  // one for each
  float* weights;     // filter.width for each, `length` of them in use
  int32_t at_once;    // see PixelsOfSums
};

constexpr int kCropThreads = 256;
constexpr int kCropRounds = 2;  // items of each thread in a chunk

// Where pictures are resized, a block makes so many rows at a time, each by so many threads and of
// so many columns' sums.
constexpr int kRowThreads = 64;
constexpr int kSumRows = kCropThreads / kRowThreads;
constexpr int kSumColumns = 512;

// How many result pixels beside each other, wherever they lie, are summed up from no more than
// kSumColumns columns, also when rounded up to a multiple of 8; 0 where not even one is.
inline int PixelsOfSums(const TriangleFilter& filter) {
  // from the first pixel's first column to the last one's last
  const double pixels = static_cast<double>(kSumColumns - 7 - filter.width) / filter.step;
  if (!(filter.step > 0) || !(pixels >= 1)) return 0;
  return pixels < kSumColumns ? static_cast<int>(pixels) : kSumColumns;
}

// What one launch does, a block per chunk. An item is a group of pixels, or one of them.
struct CropBatch {
  const CropPicture* pictures;
  const int32_t* first_chunk;  // samples + 1
  const FilterAxis* axes;      // two per sample, vertical and horizontal; null unless resized
  int samples;
  CropColors colors;
  int32_t channels_last;
};

struct FilterBatch {
  const FilterAxis* axes;
  const int32_t* first_chunk;  // axes + 1
  int num_axes;
};

// Pixels of a row that a thread stores at once: 16 bytes of each channel; of bytes 8, since a warp
// that read 48 bytes a thread would touch its cache lines four times as often as it had to.
template <typename Out>
constexpr int kCropGroup = sizeof(Out) == 1 ? 8 : 16 / sizeof(Out);

}  // namespace dali_voc
