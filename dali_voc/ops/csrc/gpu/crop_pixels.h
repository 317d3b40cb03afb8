// Crops of images pixel by pixel, for kernels: what is around a pixel comes out of the cache.
#pragma once

#include "gpu/crop_image.h"
#include "gpu/load_words.h"

namespace dali_voc {

// What of a picture's window may be read.
inline Readable WindowOf(const CropPicture& picture) {
  const uint64_t begin = reinterpret_cast<uint64_t>(picture.rgb);
  return {begin,
          begin + (picture.height - 1) * picture.stride + 3 * static_cast<int64_t>(picture.width)};
}

// Pixel (y, x) of a picture that is not resized, 0..255 each.
inline void PlainPixel(const CropPicture& picture, int y, int x, float (&value)[3]) {
  const uint8_t* at = picture.rgb + y * picture.stride + 3 * static_cast<int64_t>(x);
#pragma unroll
  for (int c = 0; c < 3; c++) value[c] = __ldg(at + c);
}

// Of one that is: of the sums over columns of those over rows, as on the CPU. The zeros that the
// CPU adds at the end of a sum change nothing.
inline void ResizedPixel(const CropPicture& picture, const FilterAxis* axes, int y, int x,
                         float (&value)[3]) {
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

// Pixel `item` of the crop, which is pixel (y, x): normalised, as it is to be stored.
template <typename Out>
inline void StorePixel(const CropBatch& batch, const CropPicture& picture, uint32_t item,
                       const float (&value)[3]) {
  const bool last = batch.channels_last;
  const int64_t plane = last ? 1 : static_cast<int64_t>(picture.crop_y) * picture.crop_x;
  Out* out = static_cast<Out*>(picture.out) + static_cast<int64_t>(item) * (last ? 3 : 1);
#pragma unroll
  for (int c = 0; c < 3; c++) Store(value[c], out + c * plane);
}

// One pixel of a crop that is not turned; `axes` if it is resized.
template <typename Out, bool kResizes>
inline void WritePixel(const CropBatch& batch, const CropPicture& picture, const FilterAxis* axes,
                       uint32_t item) {
  const uint32_t width = picture.crop_x;
  const int y = static_cast<int>(item / width), x = static_cast<int>(item - y * width);
  const auto place = PicturePlace::Of(picture, y, x);
  float value[3];
  if (place.inside) {
    if (kResizes)
      ResizedPixel(picture, axes, place.y, place.x, value);
    else
      PlainPixel(picture, place.y, place.x, value);
    if (picture.recolors) Recolor(picture.matrix, value);
  }
#pragma unroll
  for (int c = 0; c < 3; c++)
    value[c] = place.inside ? Normalized(value[c], batch.colors.norm, c) : batch.colors.fill[c];
  StorePixel<Out>(batch, picture, item, value);
}

}  // namespace dali_voc
