// Rows of pixels whose channels stay beside each other.
#pragma once

#include <cstdint>

#include "crop_pixel.h"

namespace dali_voc {

// RGB pixels as value * scale + offset. By sixteen pixels at a time with factors for each of their
// values, so that the loop becomes vector code.
inline void NormalizeInterleaved(const uint8_t* __restrict rgb, int64_t n,
                                 const Normalization& norm, float* __restrict out) {
  constexpr int kValues = 48;
  float scale[kValues], offset[kValues];
  for (int k = 0; k < kValues; k++) {
    scale[k] = norm.scale[k % 3];
    offset[k] = norm.offset[k % 3];
  }
  int64_t i = 0;
  for (; i + kValues <= 3 * n; i += kValues)
    for (int k = 0; k < kValues; k++) out[i + k] = rgb[i + k] * scale[k] + offset[k];
  for (; i < 3 * n; i++) out[i] = rgb[i] * scale[i % 3] + offset[i % 3];
}

}  // namespace dali_voc
