// Windows to crops, a whole batch at once: resize, recolour, mirror, pad, turn, normalise and
// store.
//
// The plain kernels read a window once and write the crop once. A thread takes neighbouring pixels
// of one row: it reads their bytes, which all channels share, as words, and stores each channel by
// a vector, so that a warp writes whole cache lines. Where pictures are resized, a block takes a
// row of the crop, and first sums up columns in shared memory. Where they are turned, a thread
// takes one pixel, and what lies around it comes out of the cache.
#include "gpu/batch_chunks.h"
#include "gpu/crop_image.h"
#include "gpu/load_words.h"
#include "gpu/vectors.h"

namespace dali_voc {

// Calls write(picture, axes, item) for the items of this block's chunk; items(picture) is how many
// the picture has.
template <typename Items, typename Write>
inline void ForItems(const CropBatch& batch, Items items, Write write) {
  const int32_t chunk = blockIdx.x;
  const int sample = SampleOfChunk(batch.first_chunk, batch.samples, chunk);
  const CropPicture& picture = batch.pictures[sample];
  const FilterAxis* axes = batch.axes ? batch.axes + 2 * sample : nullptr;
  const uint32_t n = items(picture);
  const uint32_t first = chunk - batch.first_chunk[sample];
  uint32_t item = first * (kCropThreads * kCropRounds) + threadIdx.x;
#pragma unroll 1
  for (int k = 0; k < kCropRounds; k++, item += kCropThreads)
    if (item < n) write(picture, axes, item);
}

// Pixel (y, x) of the picture, 0..255 each; of the sums over columns of those over rows, as on the
// CPU. The zeros that the CPU adds at the end of a sum change nothing.
template <bool kResizes>
inline void PicturePixel(const CropPicture& picture, const FilterAxis* axes, int y, int x,
                         float (&value)[3]) {
  if (!kResizes || !picture.resizes) {
    const uint8_t* at = picture.rgb + y * picture.stride + 3 * static_cast<int64_t>(x);
#pragma unroll
    for (int c = 0; c < 3; c++) value[c] = __ldg(at + c);
    return;
  }
  const FilterSpan rows = axes[0].spans[y], columns = axes[1].spans[x];
  const float* row_weights = axes[0].weights + y * axes[0].filter.width;
  const float* column_weights = axes[1].weights + x * axes[1].filter.width;
  const uint8_t* from =
      picture.rgb + rows.first * picture.stride + 3 * static_cast<int64_t>(columns.first);
  value[0] = value[1] = value[2] = 0;
#pragma unroll 1
  for (int k = 0; k < columns.length; k++, from += 3) {
    float sum[3] = {0, 0, 0};
    const uint8_t* at = from;
#pragma unroll 1
    for (int j = 0; j < rows.length; j++, at += picture.stride) {
      const float weight = __ldg(row_weights + j);
#pragma unroll
      for (int c = 0; c < 3; c++) sum[c] += weight * __ldg(at + c);
    }
    const float weight = __ldg(column_weights + k);
#pragma unroll
    for (int c = 0; c < 3; c++) value[c] += sum[c] * weight;
  }
}

inline void Recolor(const float* matrix, float (&value)[3]) {
  const float r = value[0], g = value[1], b = value[2];
#pragma unroll
  for (int c = 0; c < 3; c++) value[c] = Recolored(matrix, c, r, g, b);
}

// Where pixel (y, x) of the crop, before it is turned, comes from in the picture.
struct PicturePlace {
  int y, x;
  bool inside;

  static PicturePlace Of(const CropPicture& picture, int y, int x) {
    y = picture.flip_y ? picture.crop_y - 1 - y : y;
    x = picture.flip_x ? picture.crop_x - 1 - x : x;
    return {y, x, y < picture.shown_y && x < picture.shown_x};
  }
};

// Normalised, as it is to be stored.
template <bool kResizes>
inline void UnturnedPixel(const CropBatch& batch, const CropPicture& picture,
                          const FilterAxis* axes, int y, int x, float (&value)[3]) {
  const auto place = PicturePlace::Of(picture, y, x);
  if (!place.inside) {
#pragma unroll
    for (int c = 0; c < 3; c++) value[c] = batch.colors.fill[c];
    return;
  }
  PicturePixel<kResizes>(picture, axes, place.y, place.x, value);
  if (picture.recolors) Recolor(picture.matrix, value);
#pragma unroll
  for (int c = 0; c < 3; c++) value[c] = Normalized(value[c], batch.colors.norm, c);
}

// A colour 0..255, whole inside the crop.
inline void RoundedPixel(const CropBatch& batch, const CropPicture& picture, const FilterAxis* axes,
                         int64_t y, int64_t x, float (&value)[3]) {
#pragma unroll
  for (int c = 0; c < 3; c++) value[c] = batch.colors.plain_fill[c];
  if (y < 0 || x < 0 || y >= picture.crop_y || x >= picture.crop_x) return;
  const auto place = PicturePlace::Of(picture, static_cast<int>(y), static_cast<int>(x));
  if (place.inside) {
    PicturePixel<true>(picture, axes, place.y, place.x, value);
    if (picture.recolors) Recolor(picture.matrix, value);
  }
#pragma unroll
  for (int c = 0; c < 3; c++) {
    uint8_t byte;
    Store(value[c], &byte);
    value[c] = byte;
  }
}

// Normalised, as it is to be stored: between four pixels of the crop, which stands nowhere.
inline void TurnedPixel(const CropBatch& batch, const CropPicture& picture, const FilterAxis* axes,
                        int i, int j, float (&value)[3]) {
  const TurnedRow row(picture.rotation, picture.crop_y, picture.crop_x, i);
  const double x = row.X(j) - 0.5, y = row.Y(j) - 0.5;
  const int64_t left = FloorOf(x), top = FloorOf(y);
  const float right_share = static_cast<float>(x - static_cast<double>(left));
  const float lower_share = static_cast<float>(y - static_cast<double>(top));
  float upper[3];
#pragma unroll 1
  for (int k = 0; k < 2; k++) {
    float first[3], second[3];
    RoundedPixel(batch, picture, axes, top + k, left, first);
    RoundedPixel(batch, picture, axes, top + k, left + 1, second);
#pragma unroll
    for (int c = 0; c < 3; c++) {
      const float between = Between(first[c], second[c], right_share);
      if (k == 0)
        upper[c] = between;
      else
        value[c] = Between(upper[c], between, lower_share);
    }
  }
#pragma unroll
  for (int c = 0; c < 3; c++) value[c] = Normalized(value[c], batch.colors.norm, c);
}

// One pixel.
template <typename Out, bool kResizes, bool kTurns>
inline void WritePixel(const CropBatch& batch, const CropPicture& picture, const FilterAxis* axes,
                       uint32_t item, bool channels_last) {
  const uint32_t width = picture.crop_x;
  const int y = static_cast<int>(item / width), x = static_cast<int>(item - y * width);
  float value[3];
  if (kTurns && picture.rotation.Turns())
    TurnedPixel(batch, picture, axes, y, x, value);
  else
    UnturnedPixel<kResizes>(batch, picture, axes, y, x, value);
  const int64_t plane = channels_last ? 1 : static_cast<int64_t>(picture.crop_y) * picture.crop_x;
  Out* out = static_cast<Out*>(picture.out) + static_cast<int64_t>(item) * (channels_last ? 3 : 1);
#pragma unroll
  for (int c = 0; c < 3; c++) Store(value[c], out + c * plane);
}

template <typename Out>
inline void WritePixels(const CropBatch& batch) {
  ForItems(
      batch, [](const CropPicture& picture) { return picture.crop_y * picture.crop_x; },
      [&](const CropPicture& picture, const FilterAxis* axes, uint32_t item) {
        WritePixel<Out, true, true>(batch, picture, axes, item, batch.channels_last);
      });
}

// A group of pixels of one row, neither resized nor turned.
template <typename Out, bool kChannelsLast, bool kFlip, bool kRecolors>
inline void WriteGroup(const CropBatch& batch, const CropPicture& picture, int row, int column) {
  constexpr int n = kCropGroup<Out>;
  float matrix[12];
  if (kRecolors) {
#pragma unroll
    for (int i = 0; i < 12; i++) matrix[i] = picture.matrix[i];
  }
  const int y = picture.flip_y ? picture.crop_y - 1 - row : row;
  // mirrored, the pixels that are read lie the other way round
  const int first = kFlip ? picture.crop_x - n - column : column;
  const bool any = y < picture.shown_y && first < picture.shown_x;
  uint32_t words[3 * n / 4] = {};
  if (any) {
    const uint64_t begin = reinterpret_cast<uint64_t>(picture.rgb);
    const Readable window{begin, begin + (picture.height - 1) * picture.stride +
                                     3 * static_cast<int64_t>(picture.width)};
    LoadWords(begin + y * picture.stride + 3 * static_cast<int64_t>(first), window, words);
  }
  Vector<Out, n> planes[3];
#pragma unroll
  for (int k = 0; k < n; k++) {
    const int from = kFlip ? n - 1 - k : k;
    const bool inside = any && first + from < picture.shown_x;
    float value[3];
#pragma unroll
    for (int c = 0; c < 3; c++) value[c] = ByteOf(words, 3 * from + c);
    if (kRecolors) Recolor(matrix, value);
#pragma unroll
    for (int c = 0; c < 3; c++) {
      const float result =
          inside ? Normalized(value[c], batch.colors.norm, c) : batch.colors.fill[c];
      // channels last: element i of the group in planes[i / n]
      const int i = kChannelsLast ? 3 * k + c : n * c + k;
      Store(result, planes[i / n].value + i % n);
    }
  }
  const int64_t at = static_cast<int64_t>(row) * picture.crop_x + column;
  const int64_t plane = static_cast<int64_t>(picture.crop_y) * picture.crop_x;
#pragma unroll
  for (int c = 0; c < 3; c++) {
    Out* to = static_cast<Out*>(picture.out) + (kChannelsLast ? 3 * at + c * n : at + c * plane);
    *reinterpret_cast<Vector<Out, n>*>(to) = planes[c];
  }
}

template <typename Out, bool kChannelsLast>
inline void WriteGroups(const CropBatch& batch) {
  constexpr int n = kCropGroup<Out>;
  ForItems(
      batch,
      [](const CropPicture& picture) {
        const int pixels = picture.crop_y * picture.crop_x;
        return FitsVectors<Out, n>(picture.out, picture.crop_x) ? pixels / n : pixels;
      },
      [&](const CropPicture& picture, const FilterAxis*, uint32_t item) {
        if (!FitsVectors<Out, n>(picture.out, picture.crop_x))
          return WritePixel<Out, false, false>(batch, picture, nullptr, item, kChannelsLast);
        const uint32_t groups = picture.crop_x / n;
        const int row = static_cast<int>(item / groups);
        const int column = static_cast<int>(item - row * groups) * n;
        // the same for all threads
        if (picture.flip_x && picture.recolors)
          WriteGroup<Out, kChannelsLast, true, true>(batch, picture, row, column);
        else if (picture.flip_x)
          WriteGroup<Out, kChannelsLast, true, false>(batch, picture, row, column);
        else if (picture.recolors)
          WriteGroup<Out, kChannelsLast, false, true>(batch, picture, row, column);
        else
          WriteGroup<Out, kChannelsLast, false, false>(batch, picture, row, column);
      });
}

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

// Templates' commas would part a macro's arguments. Four blocks are enough to hide what memory
// takes; they leave 64 registers to a thread.
#define CROP_KERNEL(name, ...)                                            \
  extern "C" __global__ void __launch_bounds__(dali_voc::kCropThreads, 4) \
      name(dali_voc::CropBatch batch) {                                   \
    dali_voc::__VA_ARGS__(batch);                                         \
  }

CROP_KERNEL(crop_plain_f32_chw, WriteGroups<float, false>)
CROP_KERNEL(crop_plain_f32_hwc, WriteGroups<float, true>)
CROP_KERNEL(crop_plain_f16_chw, WriteGroups<dali_voc::Half, false>)
CROP_KERNEL(crop_plain_f16_hwc, WriteGroups<dali_voc::Half, true>)
CROP_KERNEL(crop_plain_u8_chw, WriteGroups<uint8_t, false>)
CROP_KERNEL(crop_plain_u8_hwc, WriteGroups<uint8_t, true>)
CROP_KERNEL(crop_resize_f32, WriteRows<float>)
CROP_KERNEL(crop_resize_f16, WriteRows<dali_voc::Half>)
CROP_KERNEL(crop_resize_u8, WriteRows<uint8_t>)
CROP_KERNEL(crop_rotate_f32, WritePixels<float>)
CROP_KERNEL(crop_rotate_f16, WritePixels<dali_voc::Half>)
CROP_KERNEL(crop_rotate_u8, WritePixels<uint8_t>)

// Once for each result pixel of both axes, before a batch is resized: a block of the kernel that
// resizes would compute the same weights as all its neighbours, by divisions of doubles.
extern "C" __global__ void __launch_bounds__(dali_voc::kCropThreads)
    crop_filters(dali_voc::FilterBatch batch) {
  using namespace dali_voc;
  const int32_t chunk = blockIdx.x;
  const int which = SampleOfChunk(batch.first_chunk, batch.num_axes, chunk);
  const FilterAxis& axis = batch.axes[which];
  const int64_t i =
      static_cast<int64_t>(chunk - batch.first_chunk[which]) * kCropThreads + threadIdx.x;
  if (i >= axis.size) return;
  const TriangleFilter filter = axis.filter;
  const double centre = filter.Centre(i);
  const int64_t first = filter.First(centre), last = filter.Last(centre, first);
  axis.spans[i] = {static_cast<int32_t>(first), static_cast<int32_t>(last + 1 - first)};
  filter.Weights(centre, first, last, axis.weights + i * filter.width);
}
