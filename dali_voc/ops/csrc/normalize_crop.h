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

// (r, g, b, 1) times a 3 x 4 matrix, clamped to 0..255, and then normalised.
inline void RecolorRow(const uint8_t* __restrict rgb, int64_t n, const float* matrix,
                       const Normalization& norm, float* __restrict r, float* __restrict g,
                       float* __restrict b) {
  float m[12];
  std::copy_n(matrix, 12, m);
  auto finish = [&norm](float value, int c) {
    return std::min(std::max(value, 0.0f), 255.0f) * norm.scale[c] + norm.offset[c];
  };
  for (int64_t i = 0; i < n; i++) {
    float x = rgb[3 * i], y = rgb[3 * i + 1], z = rgb[3 * i + 2];
    r[i] = finish(m[0] * x + m[1] * y + m[2] * z + m[3], 0);
    g[i] = finish(m[4] * x + m[5] * y + m[6] * z + m[7], 1);
    b[i] = finish(m[8] * x + m[9] * y + m[10] * z + m[11], 2);
  }
}

struct CropLayout {
  int64_t height, width;            // of the picture
  int64_t crop_height, crop_width;  // of the result; none smaller
  bool flip_x, flip_y;
};

// `rgb` is height x width x 3; `out` is 3 x crop_height x crop_width, of which the picture takes
// the upper left corner (the opposite side where mirrored); the rest becomes 0, the mean colour.
// `matrix` may be null.
inline void NormalizeCrop(const uint8_t* rgb, const CropLayout& crop, const Normalization& norm,
                          const float* matrix, float* out, std::vector<float>* scratch) {
  const int64_t width = crop.width;
  const int64_t plane = crop.crop_height * crop.crop_width;
  const int64_t padding = crop.crop_width - width;
  if (static_cast<int64_t>(scratch->size()) < 3 * width) scratch->resize(3 * width);
  float* row = scratch->data();
  for (int64_t y = 0; y < crop.crop_height; y++) {
    float* to = out + (crop.flip_y ? crop.crop_height - 1 - y : y) * crop.crop_width;
    if (y >= crop.height) {
      for (int c = 0; c < 3; c++) std::fill_n(to + c * plane, crop.crop_width, 0.0f);
      continue;
    }
    const uint8_t* from = rgb + y * width * 3;
    float* first = crop.flip_x ? row : to;
    const int64_t step = crop.flip_x ? width : plane;
    if (matrix)
      RecolorRow(from, width, matrix, norm, first, first + step, first + 2 * step);
    else
      NormalizeRow(from, width, norm, first, first + step, first + 2 * step);
    for (int c = 0; c < 3; c++, to += plane) {
      if (crop.flip_x) {
        const float* source = row + c * width;
        for (int64_t x = 0; x < width; x++) to[padding + x] = source[width - 1 - x];
      }
      std::fill_n(crop.flip_x ? to : to + width, padding, 0.0f);
    }
  }
}

}  // namespace dali_voc
