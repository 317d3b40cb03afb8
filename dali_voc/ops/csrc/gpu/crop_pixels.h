// Crops of images pixel by pixel, for kernels: what is around a pixel comes out of the cache.
#pragma once

#include "gpu/crop_image.h"

namespace dali_voc {

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

// As the crop is stored before it is turned: in whole numbers.
inline void Round(float (&value)[3]) {
#pragma unroll
  for (int c = 0; c < 3; c++) {
    uint8_t byte;
    Store(value[c], &byte);
    value[c] = byte;
  }
}

// A colour 0..255, whole inside the crop.
inline void RoundedPixel(const CropBatch& batch, const CropPicture& picture, const FilterAxis* axes,
                         int y, int x, float (&value)[3]) {
#pragma unroll
  for (int c = 0; c < 3; c++) value[c] = batch.colors.plain_fill[c];
  if (y < 0 || x < 0 || y >= picture.crop_y || x >= picture.crop_x) return;
  const auto place = PicturePlace::Of(picture, y, x);
  if (place.inside) {
    PicturePixel<true>(picture, axes, place.y, place.x, value);
    if (picture.recolors) Recolor(picture.matrix, value);
  }
  Round(value);
}

// Where a pixel of the turned crop lies before that: `right` of (top, left), and `lower` than it.
struct TurnedPlace {
  int top, left;
  float right, lower;

  static TurnedPlace Of(const CropPicture& picture, int i, int j) {
    const TurnedRow row(picture.rotation, picture.crop_y, picture.crop_x, i);
    const double x = row.X(j) - 0.5, y = row.Y(j) - 0.5;
    const double left = floor(x), top = floor(y);
    return {static_cast<int>(top), static_cast<int>(left), static_cast<float>(x - left),
            static_cast<float>(y - top)};
  }
};

// Between the pixels (top, left) and (top + 1, left + 1), where the picture has all four and is not
// resized; all that is to be read is asked for at once. Returns whether that is so.
inline bool BetweenPlain(const CropPicture& picture, const TurnedPlace& at, float (&value)[3]) {
  if (picture.resizes || at.top < 0 || at.left < 0 || at.top + 1 >= picture.crop_y ||
      at.left + 1 >= picture.crop_x)
    return false;
  const auto first = PicturePlace::Of(picture, at.top, at.left);
  const auto last = PicturePlace::Of(picture, at.top + 1, at.left + 1);
  if (!first.inside || !last.inside) return false;
  const int64_t right = 3 * (last.x - first.x), down = (last.y - first.y) * picture.stride;
  const uint8_t* upper = picture.rgb + first.y * picture.stride + 3 * static_cast<int64_t>(first.x);
  const uint8_t* from[4] = {upper, upper + right, upper + down, upper + down + right};
  float color[4][3];
#pragma unroll
  for (int k = 0; k < 4; k++)
#pragma unroll
    for (int c = 0; c < 3; c++) color[k][c] = __ldg(from[k] + c);
  if (picture.recolors) {
#pragma unroll
    for (int k = 0; k < 4; k++) {
      Recolor(picture.matrix, color[k]);
      Round(color[k]);
    }
  }
#pragma unroll
  for (int c = 0; c < 3; c++)
    value[c] = Between(Between(color[0][c], color[1][c], at.right),
                       Between(color[2][c], color[3][c], at.right), at.lower);
  return true;
}

// Between any four pixels of the crop.
inline void BetweenAny(const CropBatch& batch, const CropPicture& picture, const FilterAxis* axes,
                       const TurnedPlace& at, float (&value)[3]) {
  float upper[3];
#pragma unroll 1
  for (int k = 0; k < 2; k++) {
    float first[3], second[3];
    RoundedPixel(batch, picture, axes, at.top + k, at.left, first);
    RoundedPixel(batch, picture, axes, at.top + k, at.left + 1, second);
#pragma unroll
    for (int c = 0; c < 3; c++) {
      const float between = Between(first[c], second[c], at.right);
      if (k == 0)
        upper[c] = between;
      else
        value[c] = Between(upper[c], between, at.lower);
    }
  }
}

// Normalised, as it is to be stored: between four pixels of the crop, which stands nowhere.
inline void TurnedPixel(const CropBatch& batch, const CropPicture& picture, const FilterAxis* axes,
                        int i, int j, float (&value)[3]) {
  const auto at = TurnedPlace::Of(picture, i, j);
  if (!BetweenPlain(picture, at, value)) BetweenAny(batch, picture, axes, at, value);
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

}  // namespace dali_voc
