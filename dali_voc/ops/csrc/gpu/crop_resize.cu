// Windows to crops: resize, recolour, mirror, pad, normalise and store.
//
// A block takes a row of the crop. It first sums up the columns that the row is made of, in shared
// memory, by whole words of the window; each pixel of the row is then summed up from these.
#include "gpu/crop_kernel.h"
#include "gpu/crop_pixels.h"
#include "gpu/load_words.h"
#include "gpu/vectors.h"

namespace dali_voc {

// Columns first..first + n of the window, summed up over `rows`; n is a multiple of 4.
inline void SumRows(const CropPicture& picture, const FilterSpan& rows, const float* weights,
                    int32_t first, int n, float* sums) {
  const uint64_t begin = reinterpret_cast<uint64_t>(picture.rgb);
  const Readable window{begin, begin + (picture.height - 1) * picture.stride +
                                   3 * static_cast<int64_t>(picture.width)};
  const uint64_t from = begin + rows.first * picture.stride + 3 * static_cast<int64_t>(first);
  for (int i = 4 * threadIdx.x; i < 3 * n; i += 4 * kCropThreads) {
    Vector<float, 4> sum{};
#pragma unroll 1
    for (int k = 0; k < rows.length; k++) {
      uint32_t word[1];
      LoadWords(from + k * picture.stride + i, window, word);
      const float weight = __ldg(weights + k);
#pragma unroll
      for (int j = 0; j < 4; j++) sum.value[j] += weight * ByteOf(word, j);
    }
    *reinterpret_cast<Vector<float, 4>*>(sums + i) = sum;
  }
}

// One row of the crop by a whole block, not turned. What columns sum up to over rows is shared by
// the pixels that lie beside each other.
template <typename Out>
inline void WriteRow(const CropBatch& batch, const CropPicture& picture, const FilterAxis* axes,
                     int row, float* sums) {
  const uint32_t item = static_cast<uint32_t>(row) * picture.crop_x;
  const int y = picture.flip_y ? picture.crop_y - 1 - row : row;
  const int pixels = axes ? PixelsOfSums(axes[1].filter) : 0;
  if (!picture.resizes || pixels < 1 || y >= picture.shown_y) {
    for (int x = threadIdx.x; x < picture.crop_x; x += kCropThreads)
      WritePixel<Out, true, false>(batch, picture, axes, item + x, batch.channels_last);
    return;
  }
  const FilterSpan rows = axes[0].spans[y];
  const float* row_weights = axes[0].weights + y * axes[0].filter.width;
  const int64_t plane =
      batch.channels_last ? 1 : static_cast<int64_t>(picture.crop_y) * picture.crop_x;
  for (int begin = 0; begin < picture.shown_x; begin += pixels) {
    const int end = begin + pixels < picture.shown_x ? begin + pixels : picture.shown_x;
    const FilterSpan last = axes[1].spans[end - 1];
    const int32_t first = axes[1].spans[begin].first;
    const int columns = (last.first + last.length - first + 3) / 4 * 4;
    // it is never more, see PixelsOfSums; if it were, nothing would be written beside the sums
    SumRows(picture, rows, row_weights, first, columns < kSumColumns ? columns : kSumColumns, sums);
    __syncthreads();
    for (int x = begin + threadIdx.x; x < end; x += kCropThreads) {
      const FilterSpan span = axes[1].spans[x];
      const float* weights = axes[1].weights + x * axes[1].filter.width;
      const float* from = sums + 3 * (span.first - first);
      float value[3] = {0, 0, 0};
#pragma unroll 1
      for (int k = 0; k < span.length; k++, from += 3) {
        const float weight = __ldg(weights + k);
#pragma unroll
        for (int c = 0; c < 3; c++) value[c] += from[c] * weight;
      }
      if (picture.recolors) Recolor(picture.matrix, value);
      const int64_t at = item + (picture.flip_x ? picture.crop_x - 1 - x : x);
      Out* out = static_cast<Out*>(picture.out) + (batch.channels_last ? 3 * at : at);
#pragma unroll
      for (int c = 0; c < 3; c++)
        Store(Normalized(value[c], batch.colors.norm, c), out + c * plane);
    }
    __syncthreads();
  }
  // what is beside the picture
  for (int x = picture.shown_x + threadIdx.x; x < picture.crop_x; x += kCropThreads) {
    const int64_t at = item + (picture.flip_x ? picture.crop_x - 1 - x : x);
    Out* out = static_cast<Out*>(picture.out) + (batch.channels_last ? 3 * at : at);
#pragma unroll
    for (int c = 0; c < 3; c++) Store(batch.colors.fill[c], out + c * plane);
  }
}

template <typename Out>
inline void WriteRows(const CropBatch& batch) {
  __shared__ Vector<float, 4> sums[3 * kSumColumns / 4];
  const int32_t chunk = blockIdx.x;
  const int sample = SampleOfChunk(batch.first_chunk, batch.samples, chunk);
  WriteRow<Out>(batch, batch.pictures[sample], batch.axes ? batch.axes + 2 * sample : nullptr,
                chunk - batch.first_chunk[sample], sums[0].value);
}

}  // namespace dali_voc

CROP_KERNEL(crop_resize_f32, WriteRows<float>)
CROP_KERNEL(crop_resize_f16, WriteRows<dali_voc::Half>)
CROP_KERNEL(crop_resize_u8, WriteRows<uint8_t>)
