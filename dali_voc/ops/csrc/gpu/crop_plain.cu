// Windows to crops, neither resized nor turned: recolour, mirror, pad, normalise and store.
//
// A window is read once and the crop written once. A thread takes neighbouring pixels of one row:
// it reads their bytes, which all channels share, as words, and stores each channel by a vector, so
// that a warp writes whole cache lines.
#include "gpu/crop_kernel.h"
#include "gpu/crop_pixels.h"
#include "gpu/load_words.h"
#include "gpu/vectors.h"

namespace dali_voc {

// A group of pixels of one row.
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
    const Readable window = WindowOf(picture);
    LoadWords(window.begin + y * picture.stride + 3 * static_cast<int64_t>(first), window, words);
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
      [&](const CropPicture& picture, uint32_t item) {
        if (!FitsVectors<Out, n>(picture.out, picture.crop_x))
          return WritePixel<Out, false>(batch, picture, nullptr, item);
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

}  // namespace dali_voc

CROP_KERNEL(crop_plain_f32_chw, WriteGroups<float, false>)
CROP_KERNEL(crop_plain_f32_hwc, WriteGroups<float, true>)
CROP_KERNEL(crop_plain_f16_chw, WriteGroups<dali_voc::Half, false>)
CROP_KERNEL(crop_plain_f16_hwc, WriteGroups<dali_voc::Half, true>)
CROP_KERNEL(crop_plain_u8_chw, WriteGroups<uint8_t, false>)
CROP_KERNEL(crop_plain_u8_hwc, WriteGroups<uint8_t, true>)
