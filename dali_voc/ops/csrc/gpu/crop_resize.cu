// Windows to crops that are resized, but not turned: resize, recolour, mirror, pad, normalise and
// store.
//
// A block takes a few rows of the crop, each by two warps. A row's threads first sum up the columns
// that it is made of, in shared memory, by whole words of the window; each pixel of the row is then
// summed up from these. What takes longest is waiting for memory, so that a thread asks for all
// that a sum needs at once.
#include "gpu/crop_kernel.h"
#include "gpu/crop_pixels.h"
#include "gpu/load_words.h"
#include "gpu/vectors.h"

namespace dali_voc {

constexpr int kWords = 2;  // whose bytes a thread sums up at once

// Adds bytes, times a weight.
inline void AddWords(const uint32_t (&words)[kWords], float weight, float (&sums)[4 * kWords]) {
#pragma unroll
  for (int i = 0; i < 4 * kWords; i++) sums[i] += weight * ByteOf(words, i);
}

// Adds kRows rows' bytes from `at` on, times their weights.
template <int kRows>
inline void AddRows(uint64_t at, int64_t stride, const float* weights, float (&sums)[4 * kWords]) {
  uint32_t words[kRows][kWords];
  LoadRows(at, stride, words);
#pragma unroll
  for (int k = 0; k < kRows; k++) AddWords(words[k], __ldg(weights + k), sums);
}

// One row of the crop, by kRowThreads threads.
class ResizedRow {
 public:
  // y: of the picture
  ResizedRow(const CropPicture& picture, const FilterAxis* axes, int y, int thread, float* sums)
      : picture_(picture),
        rows_(axes[0].spans[y]),
        row_weights_(axes[0].weights + y * axes[0].filter.width),
        spans_(axes[1].spans),
        weights_(axes[1].weights),
        width_(static_cast<int>(axes[1].filter.width)),
        thread_(thread),
        sums_(sums) {}

  // Sums up the window's rows: n columns, a multiple of 8, from the first one on.
  void SumRows(int32_t first, int n) {
    const Readable window = WindowOf(picture_);
    const int64_t stride = picture_.stride;
    const uint64_t from = window.begin + rows_.first * stride + 3 * static_cast<int64_t>(first);
    for (int i = 4 * kWords * thread_; i < 3 * n; i += 4 * kWords * kRowThreads) {
      float sums[4 * kWords] = {};
      uint64_t at = from + i;
      const float* weights = row_weights_;
      int left = rows_.length;
      if (RowsReadable<kWords>(at, stride, left, window)) {
#pragma unroll 1
        for (; left >= 4; left -= 4, at += 4 * stride, weights += 4)
          AddRows<4>(at, stride, weights, sums);
        if (left == 3)
          AddRows<3>(at, stride, weights, sums);
        else if (left == 2)
          AddRows<2>(at, stride, weights, sums);
        else if (left == 1)
          AddRows<1>(at, stride, weights, sums);
      } else {  // at both ends of the window
#pragma unroll 1
        for (; left > 0; left--, at += stride, weights++) {
          uint32_t words[kWords];
          LoadWords(at, window, words);
          AddWords(words, __ldg(weights), sums);
        }
      }
#pragma unroll
      for (int k = 0; k < kWords; k++)
        *reinterpret_cast<Vector<float, 4>*>(sums_ + i + 4 * k) = {
            {sums[4 * k], sums[4 * k + 1], sums[4 * k + 2], sums[4 * k + 3]}};
    }
  }

  // Pixel x of the picture, of the sums over columns from `first` on.
  void SumColumns(int x, int32_t first, float (&value)[3]) const {
    const FilterSpan span = spans_[x];
    const float* weights = weights_ + static_cast<int64_t>(x) * width_;
    const float* from = sums_ + 3 * (span.first - first);
    // most sums have no more than two; adding nothing of the first changes nothing
    const bool two = span.length > 1;
    const float weight = __ldg(weights), next_weight = two ? __ldg(weights + 1) : 0.0f;
    const float* next = from + (two ? 3 : 0);
#pragma unroll
    for (int c = 0; c < 3; c++) value[c] = from[c] * weight + next[c] * next_weight;
#pragma unroll 1
    for (int k = 2; k < span.length; k++) {
      const float more = __ldg(weights + k);
#pragma unroll
      for (int c = 0; c < 3; c++) value[c] += from[3 * k + c] * more;
    }
  }

 private:
  const CropPicture& picture_;
  FilterSpan rows_;
  const float* row_weights_;
  const FilterSpan* spans_;  // of columns
  const float* weights_;
  int width_;  // weights of each
  int thread_;
  float* sums_;
};

// Puts pixels of one row into the crop.
template <typename Out>
class RowWriter {
 public:
  RowWriter(const CropBatch& batch, const CropPicture& picture, int row)
      : colors_(batch.colors),
        to_(static_cast<Out*>(picture.out) +
            static_cast<int64_t>(row) * picture.crop_x * (batch.channels_last ? 3 : 1)),
        plane_(batch.channels_last ? 1 : static_cast<int64_t>(picture.crop_y) * picture.crop_x),
        pixel_(batch.channels_last ? 3 : 1),
        last_(picture.crop_x - 1),
        flips_(picture.flip_x != 0),
        recolors_(picture.recolors != 0) {
#pragma unroll
    for (int i = 0; i < 12; i++) matrix_[i] = recolors_ ? picture.matrix[i] : 0;
  }

  void Write(int x, float (&value)[3]) const {
    if (recolors_) Recolor(matrix_, value);
    Out* out = At(x);
#pragma unroll
    for (int c = 0; c < 3; c++) Store(Normalized(value[c], colors_.norm, c), out + c * plane_);
  }
  void Fill(int x) const {
    Out* out = At(x);
#pragma unroll
    for (int c = 0; c < 3; c++) Store(colors_.fill[c], out + c * plane_);
  }

 private:
  Out* At(int x) const { return to_ + pixel_ * (flips_ ? last_ - x : x); }

  const CropColors& colors_;
  Out* to_;
  int64_t plane_;
  int pixel_, last_;
  bool flips_, recolors_;
  float matrix_[12];
};

template <typename Out>
inline void WriteRows(const CropBatch& batch) {
  __shared__ Vector<float, 4> sums[kSumRows][3 * kSumColumns / 4];
  const int32_t chunk = blockIdx.x;
  const int sample = SampleOfChunk(batch.first_chunk, batch.samples, chunk);
  const CropPicture& picture = batch.pictures[sample];
  const FilterAxis* axes = batch.axes + 2 * sample;
  const int its = threadIdx.x / kRowThreads, thread = threadIdx.x % kRowThreads;
  const int row = (chunk - batch.first_chunk[sample]) * kSumRows + its;
  const int crop_x = picture.crop_x, shown_x = picture.shown_x;
  const bool exists = row < picture.crop_y;
  const int at_once = axes[1].at_once;
  if (at_once < 1) {
    for (int x = thread; exists && x < crop_x; x += kRowThreads)
      WritePixel<Out, true>(batch, picture, axes, static_cast<uint32_t>(row) * crop_x + x);
    return;
  }
  const int y = picture.flip_y ? picture.crop_y - 1 - row : row;
  const bool shown = exists && y < picture.shown_y;
  ResizedRow resized(picture, axes, shown ? y : 0, thread, sums[its][0].value);
  for (int begin = 0; begin < shown_x; begin += at_once) {
    const int end = begin + at_once < shown_x ? begin + at_once : shown_x;
    const FilterSpan last = axes[1].spans[end - 1];
    const int32_t first = axes[1].spans[begin].first;
    const int columns = (last.first + last.length - first + 7) / 8 * 8;
    // it is never more, see PixelsOfSums; if it were, nothing would be written beside the sums
    if (shown) resized.SumRows(first, columns < kSumColumns ? columns : kSumColumns);
    __syncthreads();
    // made only here: while rows are summed up, there are no registers for it
    const RowWriter<Out> writer(batch, picture, row);
    for (int x = begin + thread; shown && x < end; x += kRowThreads) {
      float value[3];
      resized.SumColumns(x, first, value);
      writer.Write(x, value);
    }
    __syncthreads();
  }
  // what is beside the picture
  const RowWriter<Out> writer(batch, picture, row);
  for (int x = (shown ? shown_x : 0) + thread; exists && x < crop_x; x += kRowThreads)
    writer.Fill(x);
}

}  // namespace dali_voc

CROP_KERNEL(crop_resize_f32, WriteRows<float>)
CROP_KERNEL(crop_resize_f16, WriteRows<dali_voc::Half>)
CROP_KERNEL(crop_resize_u8, WriteRows<uint8_t>)
