// What becomes of one pixel on its way from a window to the crop. Free of library calls: host
// compilers and NVRTC build it.
#pragma once

#include <cstdint>

#include "half.h"

namespace dali_voc {

// out = value * scale + offset, per channel R, G, B.
struct Normalization {
  float scale[3];
  float offset[3];
};

inline float Normalized(float value, const Normalization& norm, int c) {
  return value * norm.scale[c] + norm.offset[c];
}

inline float ClampToByte(float value) {
  value = value < 0.0f ? 0.0f : value;
  return value > 255.0f ? 255.0f : value;
}

// Channel c of (r, g, b, 1) times a 3 x 4 matrix.
inline float Recolored(const float* matrix, int c, float r, float g, float b) {
  const float* m = matrix + 4 * c;
  return ClampToByte(m[0] * r + m[1] * g + m[2] * b + m[3]);
}

inline void Store(float value, float* out) { *out = value; }
inline void Store(float value, Half* out) { *out = ToHalf(value); }
inline void Store(float value, uint8_t* out) {
  *out = static_cast<uint8_t>(ClampToByte(value) + 0.5f);
}

// What all pictures' colours become. `fill` is what the crop holds where the picture does not
// reach, as it is stored; `plain_fill` the same as a colour, 0..255.
struct CropColors {
  Normalization norm;
  float fill[3];
  float plain_fill[3];

  // (value - mean) / std, per channel.
  static CropColors Of(const float* mean, const float* std, const float* fill) {
    CropColors colors{};
    for (int c = 0; c < 3; c++) {
      colors.norm.scale[c] = static_cast<float>(1.0 / std[c]);
      colors.norm.offset[c] = static_cast<float>(-static_cast<double>(mean[c]) / std[c]);
      colors.fill[c] = fill[c];
      colors.plain_fill[c] = fill[c] * std[c] + mean[c];
    }
    return colors;
  }
};

}  // namespace dali_voc
