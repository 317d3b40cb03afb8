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

// Three rows as one, channels last.
template <typename T>
void Interleave(const T* __restrict rows, int64_t n, bool flip, T* __restrict out) {
  for (int c = 0; c < 3; c++) {
    const T* from = rows + c * n;
    if (flip)
      for (int64_t x = 0; x < n; x++) out[3 * x + c] = from[n - 1 - x];
    else
      for (int64_t x = 0; x < n; x++) out[3 * x + c] = from[x];
  }
}

}  // namespace dali_voc
