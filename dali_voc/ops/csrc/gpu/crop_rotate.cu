// Windows to crops that are turned: resize, recolour, mirror, pad, turn, normalise and store.
//
// The crop before it is turned is nowhere stored: each thread computes the four of its pixels that
// its own pixel lies between. They come out of the cache.
#include "gpu/crop_kernel.h"
#include "gpu/crop_pixels.h"

namespace dali_voc {

template <typename Out>
inline void WritePixels(const CropBatch& batch) {
  ForItems(
      batch, [](const CropPicture& picture) { return picture.crop_y * picture.crop_x; },
      [&](const CropPicture& picture, const FilterAxis* axes, uint32_t item) {
        WritePixel<Out, true, true>(batch, picture, axes, item, batch.channels_last);
      });
}

}  // namespace dali_voc

CROP_KERNEL(crop_rotate_f32, WritePixels<float>)
CROP_KERNEL(crop_rotate_f16, WritePixels<dali_voc::Half>)
CROP_KERNEL(crop_rotate_u8, WritePixels<uint8_t>)
