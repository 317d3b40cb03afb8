// What the kernels that make crops of images have in common.
#pragma once

#include "gpu/batch_chunks.h"
#include "gpu/crop_image.h"

namespace dali_voc {

// Calls write(picture, item) for the items of this block's chunk; items(picture) is how many
// the picture has.
template <typename Items, typename Write>
inline void ForItems(const CropBatch& batch, Items items, Write write) {
  const int32_t chunk = blockIdx.x;
  const int sample = SampleOfChunk(batch.first_chunk, batch.samples, chunk);
  const CropPicture& picture = batch.pictures[sample];
  const uint32_t n = items(picture);
  const uint32_t first = chunk - batch.first_chunk[sample];
  uint32_t item = first * (kCropThreads * kCropRounds) + threadIdx.x;
#pragma unroll 1
  for (int k = 0; k < kCropRounds; k++, item += kCropThreads)
    if (item < n) write(picture, item);
}

}  // namespace dali_voc

// Templates' commas would part a macro's arguments. Four blocks are enough to hide what memory
// takes; they leave 64 registers to a thread.
#define CROP_KERNEL(name, ...)                                            \
  extern "C" __global__ void __launch_bounds__(dali_voc::kCropThreads, 4) \
      name(dali_voc::CropBatch batch) {                                   \
    dali_voc::__VA_ARGS__(batch);                                         \
  }
