// Rows of pixels in the colours of the crop, as floats: recoloured and normalised.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "crop_pixel.h"
#include "stream_rows.h"

namespace dali_voc {

// What happens to the colours of a picture; `matrix` may be null.
struct Coloring : CropColors {
  const float* matrix;

  bool ChangesNothing() const {
    for (int c = 0; c < 3; c++)
      if (norm.scale[c] != 1.0f || norm.offset[c] != 0.0f) return false;
    return !matrix;
  }
};

// Pixels of kStep values each to three rows.
template <int kStep, typename T>
void NormalizeRow(const T* __restrict rgb, int64_t n, const Normalization& norm,
                  float* __restrict r, float* __restrict g, float* __restrict b) {
  if constexpr (kStep == 3 && std::is_same_v<T, uint8_t>) {
    if (WriteNormalized<false>(rgb, n, false, norm, {r, g, b})) return;
  }
  const float s0 = norm.scale[0], s1 = norm.scale[1], s2 = norm.scale[2];
  const float o0 = norm.offset[0], o1 = norm.offset[1], o2 = norm.offset[2];
  for (int64_t i = 0; i < n; i++) {
    r[i] = rgb[kStep * i] * s0 + o0;
    g[i] = rgb[kStep * i + 1] * s1 + o1;
    b[i] = rgb[kStep * i + 2] * s2 + o2;
  }
}

// (r, g, b, 1) times a 3 x 4 matrix, clamped to 0..255, and then normalised.
template <int kStep, typename T>
void RecolorRow(const T* __restrict rgb, int64_t n, const float* matrix, const Normalization& norm,
                float* __restrict r, float* __restrict g, float* __restrict b) {
  if constexpr (kStep == 3 && std::is_same_v<T, uint8_t>) {
    if (WriteRecolored<false>(rgb, n, false, matrix, norm, {r, g, b})) return;
  }
  float m[12];
  std::copy_n(matrix, 12, m);
  for (int64_t i = 0; i < n; i++) {
    float x = rgb[kStep * i], y = rgb[kStep * i + 1], z = rgb[kStep * i + 2];
    r[i] = Normalized(Recolored(m, 0, x, y, z), norm, 0);
    g[i] = Normalized(Recolored(m, 1, x, y, z), norm, 1);
    b[i] = Normalized(Recolored(m, 2, x, y, z), norm, 2);
  }
}

// A row in the colours of `coloring`; rows of the result are `step` apart.
template <int kStep, typename T>
void ColorRow(const T* from, int64_t n, const Coloring& coloring, float* to, int64_t step) {
  if (coloring.matrix)
    RecolorRow<kStep>(from, n, coloring.matrix, coloring.norm, to, to + step, to + 2 * step);
  else
    NormalizeRow<kStep>(from, n, coloring.norm, to, to + step, to + 2 * step);
}

}  // namespace dali_voc
