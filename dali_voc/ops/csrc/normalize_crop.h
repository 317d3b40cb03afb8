// A decoded window to its place in the crop: resize, recolour, normalise, mirror, pad and store, in
// one pass. DALI's operators do the same in several, each of which takes longer on a CPU.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "resample.h"
#include "rotation.h"

namespace dali_voc {

// out = value * scale + offset, per channel R, G, B.
struct Normalization {
  float scale[3];
  float offset[3];
};

// Pixels of kStep values each to three rows.
template <int kStep, typename T>
void NormalizeRow(const T* __restrict rgb, int64_t n, const Normalization& norm,
                  float* __restrict r, float* __restrict g, float* __restrict b) {
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
  float m[12];
  std::copy_n(matrix, 12, m);
  auto finish = [&norm](float value, int c) {
    return std::min(std::max(value, 0.0f), 255.0f) * norm.scale[c] + norm.offset[c];
  };
  for (int64_t i = 0; i < n; i++) {
    float x = rgb[kStep * i], y = rgb[kStep * i + 1], z = rgb[kStep * i + 2];
    r[i] = finish(m[0] * x + m[1] * y + m[2] * z + m[3], 0);
    g[i] = finish(m[4] * x + m[5] * y + m[6] * z + m[7], 1);
    b[i] = finish(m[8] * x + m[9] * y + m[10] * z + m[11], 2);
  }
}

inline void Store(float value, float* out) { *out = value; }
inline void Store(float value, uint8_t* out) {
  *out = static_cast<uint8_t>(std::min(std::max(value, 0.0f), 255.0f) + 0.5f);
}

struct CropLayout {
  int64_t height, width;            // of the picture, once resized
  int64_t crop_height, crop_width;  // of the result; none smaller
  bool flip_x, flip_y;
  bool channels_last;
};

// What happens to the colours of a picture. `matrix` may be null. `fill` is what the crop holds
// where the picture does not reach, as it is stored; `plain_fill` the same as a colour, 0..255.
struct Coloring {
  Normalization norm;
  float fill[3];
  float plain_fill[3];
  const float* matrix;
};

// A decoded picture, height x width x 3, and what becomes of it; `resizing` may be null.
struct Picture {
  const uint8_t* rgb;
  int64_t height, width;
  const Resizing* resizing;
};

// Keeps buffers between calls. Not thread-safe: one per thread.
class CropNormalizer {
 public:
  // Writes 3 x crop_height x crop_width values, or channels last, float or uint8_t. The picture
  // takes the upper left corner (the opposite side where mirrored).
  template <typename Out>
  void Run(const Picture& picture, const CropLayout& crop, const Rotation& rotation,
           const Coloring& coloring, Out* out) {
    if (!rotation.Turns()) return WriteUnturned(picture, crop, coloring, out);
    unturned_.resize(crop.crop_height * crop.crop_width * 3);
    CropLayout plain = crop;
    plain.channels_last = true;
    Coloring uncolored{{{1, 1, 1}, {0, 0, 0}}, {}, {}, coloring.matrix};
    std::copy_n(coloring.plain_fill, 3, uncolored.fill);
    WriteUnturned(picture, plain, uncolored, unturned_.data());
    rotator_.Start(unturned_.data(), crop.crop_height, crop.crop_width, rotation,
                   coloring.plain_fill);
    CropLayout turned = crop;
    turned.flip_x = turned.flip_y = false;
    turned.height = crop.crop_height;
    turned.width = crop.crop_width;
    Coloring rest = coloring;
    rest.matrix = nullptr;
    WriteRows(
        turned, rest,
        [&](int64_t y, float* to, int64_t step) {
          ColorRow<4>(rotator_.Row(y), turned.width, rest, to, step);
        },
        out);
  }

 private:
  template <typename Out>
  void WriteUnturned(const Picture& picture, const CropLayout& crop, const Coloring& coloring,
                     Out* out) {
    if (picture.resizing) {
      resampler_.Start(picture.rgb, picture.height, picture.width, *picture.resizing);
      auto make_row = [&](int64_t y, float* to, int64_t step) {
        ColorRow<4>(resampler_.Row(y), crop.width, coloring, to, step);
      };
      WriteRows(crop, coloring, make_row, out);
    } else {
      auto make_row = [&](int64_t y, float* to, int64_t step) {
        ColorRow<3>(picture.rgb + y * picture.width * 3, crop.width, coloring, to, step);
      };
      WriteRows(crop, coloring, make_row, out);
    }
  }

  // make_row(y, to, step) writes one row of the picture, its channels `step` apart.
  template <typename MakeRow, typename Out>
  void WriteRows(const CropLayout& crop, const Coloring& coloring, MakeRow make_row, Out* out) {
    const int64_t plane = crop.crop_height * crop.crop_width;
    rows_.resize(3 * crop.width);
    float* row = rows_.data();
    for (int64_t y = 0; y < crop.crop_height; y++) {
      const int64_t at = (crop.flip_y ? crop.crop_height - 1 - y : y) * crop.crop_width;
      const bool shows = y < crop.height;
      if constexpr (std::is_same_v<Out, float>) {
        if (shows && !crop.channels_last && !crop.flip_x) {  // straight to its place
          make_row(y, out + at, plane);
          for (int c = 0; c < 3; c++)
            std::fill_n(out + at + c * plane + crop.width, crop.crop_width - crop.width,
                        coloring.fill[c]);
          continue;
        }
      }
      if (shows) make_row(y, row, crop.width);
      for (int c = 0; c < 3; c++) {
        const float* from = row + c * crop.width;
        const int64_t n = shows ? crop.width : 0;
        if (crop.channels_last)
          StoreRow<3>(from, n, crop, coloring.fill[c], out + 3 * at + c);
        else
          StoreRow<1>(from, n, crop, coloring.fill[c], out + at + c * plane);
      }
    }
  }

  template <int kStep, typename T>
  static void ColorRow(const T* from, int64_t n, const Coloring& coloring, float* to,
                       int64_t step) {
    if (coloring.matrix)
      RecolorRow<kStep>(from, n, coloring.matrix, coloring.norm, to, to + step, to + 2 * step);
    else
      NormalizeRow<kStep>(from, n, coloring.norm, to, to + step, to + 2 * step);
  }

  // One channel of one row, of which the first n pixels are there.
  template <int kStep, typename Out>
  static void StoreRow(const float* from, int64_t n, const CropLayout& crop, float fill, Out* out) {
    const int64_t padding = crop.crop_width - n;
    if (crop.flip_x)
      for (int64_t x = 0; x < n; x++) Store(from[n - 1 - x], out + kStep * (padding + x));
    else
      for (int64_t x = 0; x < n; x++) Store(from[x], out + kStep * x);
    Out* rest = crop.flip_x ? out : out + kStep * n;
    for (int64_t x = 0; x < padding; x++) Store(fill, rest + kStep * x);
  }

  Resampler resampler_;
  ImageRotator rotator_;
  std::vector<uint8_t> unturned_;  // the crop before it is rotated
  std::vector<float> rows_;
};

}  // namespace dali_voc
