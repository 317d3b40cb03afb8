// A decoded window to its place in the crop: normalise, mirror, pad and store channel-first, in one
// pass. DALI's crop_mirror_normalize does the same in four times the time on a CPU.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace dali_voc {

// out = value * scale + offset, per channel R, G, B.
struct Normalization {
  float scale[3];
  float offset[3];
};

inline void NormalizeRow(const uint8_t* __restrict rgb, int64_t n, const Normalization& norm,
                         float* __restrict r, float* __restrict g, float* __restrict b) {
  const float s0 = norm.scale[0], s1 = norm.scale[1], s2 = norm.scale[2];
  const float o0 = norm.offset[0], o1 = norm.offset[1], o2 = norm.offset[2];
  for (int64_t i = 0; i < n; i++) {
    r[i] = rgb[3 * i] * s0 + o0;
    g[i] = rgb[3 * i + 1] * s1 + o1;
    b[i] = rgb[3 * i + 2] * s2 + o2;
  }
}

// `rgb` is height x width x 3; `out` is 3 x crop_height x crop_width, of which the picture takes
// the upper left corner (upper right where mirrored); the rest becomes 0, the mean colour.
inline void NormalizeCrop(const uint8_t* rgb, int64_t height, int64_t width, int64_t crop_height,
                          int64_t crop_width, bool flip, const Normalization& norm, float* out,
                          std::vector<float>* scratch) {
  int64_t plane = crop_height * crop_width;
  int64_t padding = crop_width - width;
  if (static_cast<int64_t>(scratch->size()) < 3 * width) scratch->resize(3 * width);
  float* row = scratch->data();
  for (int64_t y = 0; y < height; y++) {
    float* to = out + y * crop_width;
    if (!flip) {
      NormalizeRow(rgb + y * width * 3, width, norm, to, to + plane, to + 2 * plane);
    } else {
      NormalizeRow(rgb + y * width * 3, width, norm, row, row + width, row + 2 * width);
    }
    for (int c = 0; c < 3; c++, to += plane) {
      if (flip) {
        const float* from = row + c * width;
        for (int64_t x = 0; x < width; x++) to[padding + x] = from[width - 1 - x];
      }
      std::fill_n(flip ? to : to + width, padding, 0.0f);
    }
  }
  for (int c = 0; c < 3; c++)
    std::fill(out + c * plane + height * crop_width, out + (c + 1) * plane, 0.0f);
}

}  // namespace dali_voc
