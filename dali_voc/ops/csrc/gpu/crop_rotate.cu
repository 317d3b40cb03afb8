// Windows to crops that are turned, but not resized: recolour, mirror, pad, turn, normalise and
// store.
//
// The crop before it is turned is nowhere stored: each thread makes the four of its pixels that its
// own pixel lies between. They come out of the cache.
#include "gpu/crop_kernel.h"
#include "gpu/crop_pixels.h"

namespace dali_voc {

// As the crop would be stored before it is turned: in whole numbers.
inline void Round(float (&value)[3]) {
#pragma unroll
  for (int c = 0; c < 3; c++) {
    uint8_t byte;
    Store(value[c], &byte);
    value[c] = byte;
  }
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

// The color between four: two of them above the other two.
inline void Between(const float (&color)[4][3], const TurnedPlace& at, float (&value)[3]) {
#pragma unroll
  for (int c = 0; c < 3; c++)
    value[c] = Between(Between(color[0][c], color[1][c], at.right),
                       Between(color[2][c], color[3][c], at.right), at.lower);
}

// Reads the pixels (top, left) to (top + 1, left + 1) of the crop, all at once, where the picture
// has all four. Returns whether it has.
inline bool ReadInside(const CropPicture& picture, const TurnedPlace& at, float (&color)[4][3]) {
  if (at.top < 0 || at.left < 0 || at.top + 1 >= picture.crop_y || at.left + 1 >= picture.crop_x)
    return false;
  const auto first = PicturePlace::Of(picture, at.top, at.left);
  const auto last = PicturePlace::Of(picture, at.top + 1, at.left + 1);
  if (!first.inside || !last.inside) return false;
  const int64_t right = 3 * (last.x - first.x), down = (last.y - first.y) * picture.stride;
  const uint8_t* upper = picture.rgb + first.y * picture.stride + 3 * static_cast<int64_t>(first.x);
  const uint8_t* from[4] = {upper, upper + right, upper + down, upper + down + right};
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
  return true;
}

// Pixel (y, x) of the crop, or what is around it: 0..255 each, whole inside the crop.
inline void AnyPixel(const CropBatch& batch, const CropPicture& picture, int y, int x,
                     float (&value)[3]) {
#pragma unroll
  for (int c = 0; c < 3; c++) value[c] = batch.colors.plain_fill[c];
  if (y < 0 || x < 0 || y >= picture.crop_y || x >= picture.crop_x) return;
  const auto place = PicturePlace::Of(picture, y, x);
  if (place.inside) {
    PlainPixel(picture, place.y, place.x, value);
    if (picture.recolors) Recolor(picture.matrix, value);
  }
  Round(value);
}

template <typename Out>
inline void WriteTurned(const CropBatch& batch, const CropPicture& picture, uint32_t item) {
  const uint32_t width = picture.crop_x;
  const int i = static_cast<int>(item / width), j = static_cast<int>(item - i * width);
  const auto at = TurnedPlace::Of(picture, i, j);
  float color[4][3], value[3];
  if (!ReadInside(picture, at, color)) {
#pragma unroll
    for (int k = 0; k < 4; k++) AnyPixel(batch, picture, at.top + k / 2, at.left + k % 2, color[k]);
  }
  Between(color, at, value);
#pragma unroll
  for (int c = 0; c < 3; c++) value[c] = Normalized(value[c], batch.colors.norm, c);
  StorePixel<Out>(batch, picture, item, value);
}

template <typename Out>
inline void WritePixels(const CropBatch& batch) {
  ForItems(
      batch, [](const CropPicture& picture) { return picture.crop_y * picture.crop_x; },
      [&](const CropPicture& picture, uint32_t item) { WriteTurned<Out>(batch, picture, item); });
}

}  // namespace dali_voc

CROP_KERNEL(crop_rotate_f32, WritePixels<float>)
CROP_KERNEL(crop_rotate_f16, WritePixels<dali_voc::Half>)
CROP_KERNEL(crop_rotate_u8, WritePixels<uint8_t>)
