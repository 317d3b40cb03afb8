// A decoded window to its place in the crop: resize, recolour, normalise, mirror, pad and store, in
// one pass. DALI's operators do the same in several, each of which takes longer on a CPU.
#pragma once

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <vector>

#include "crop_pixel.h"
#include "half_rows.h"
#include "interleaved_row.h"
#include "resample.h"
#include "reversed_row.h"
#include "split_channels.h"
#include "stream_rows.h"
#include "stream_store.h"
#include "turned_image.h"
#include "window_rows.h"

namespace dali_voc {

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

struct CropLayout {
  int64_t height, width;            // of the picture, once resized
  int64_t crop_height, crop_width;  // of the result; none smaller
  bool flip_x, flip_y;
  bool channels_last;
};

// What happens to the colours of a picture; `matrix` may be null.
struct Coloring : CropColors {
  const float* matrix;

  bool ChangesNothing() const {
    for (int c = 0; c < 3; c++)
      if (norm.scale[c] != 1.0f || norm.offset[c] != 0.0f) return false;
    return !matrix;
  }
};

// A picture, height x width x 3: decoded, with `stride` bytes to a row, or to be had row by row;
// the other is null. `resizing` may be null.
struct Picture {
  const uint8_t* rgb;
  int64_t stride;
  WindowRows* rows;
  int64_t height, width;
  const Resizing* resizing;
};

// Keeps buffers between calls. Not thread-safe: one per thread.
class CropNormalizer {
 public:
  // Writes 3 x crop_height x crop_width values, or channels last, float, Half, Bfloat16 or uint8_t.
  // The picture takes the upper left corner (the opposite side where mirrored).
  template <typename Out>
  void Run(const Picture& picture, const CropLayout& crop, const Rotation& rotation,
           const Coloring& coloring, Out* out) {
    if (!rotation.Turns()) return WriteUnturned(picture, crop, coloring, out);
    unturned_.resize(crop.crop_height * crop.crop_width * 3 + 1);  // see ImageRotator
    CropLayout plain = crop;
    plain.channels_last = true;
    Coloring uncolored{{{{1, 1, 1}, {0, 0, 0}}, {}, {}}, coloring.matrix};
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
  // Of the crop: values as they are stored, and in their order, too.
  template <typename Out>
  struct Rows {
    std::vector<Out> stored, line;
  };

  template <typename Out>
  void WriteUnturned(const Picture& picture, const CropLayout& crop, const Coloring& coloring,
                     Out* out) {
    if (picture.resizing) {
      const uint8_t* rgb = picture.rgb ? picture.rgb : ReadAll(picture);
      const int64_t stride = picture.rgb ? picture.stride : picture.width * 3;
      resampler_.Start(rgb, picture.height, picture.width, stride, *picture.resizing);
      auto make_row = [&](int64_t y, float* to, int64_t step) {
        ColorRow<4>(resampler_.Row(y), crop.width, coloring, to, step);
      };
      WriteRows(crop, coloring, make_row, out);
    } else {
      // rows come in order
      auto next_row = [&](int64_t y) {
        return picture.rgb ? picture.rgb + y * picture.stride : picture.rows->NextRow();
      };
      if constexpr (std::is_same_v<Out, uint8_t>) {
        if (coloring.ChangesNothing()) return CopyRows(crop, coloring, next_row, out);
      }
      const uint8_t* row = nullptr;
      auto make_row = [&](int64_t, float* to, int64_t step) {
        ColorRow<3>(row, crop.width, coloring, to, step);
      };
      // most rows of most pictures go the short way
      auto stream_row = [&](int64_t y, Out* to, int64_t plane) {
        row = next_row(y);
        if (crop.channels_last) {
          if (coloring.matrix) return false;
          StreamChannelsLast(row, crop, coloring, to);
          return true;
        }
        if constexpr (std::is_same_v<Out, float>) {
          const int64_t padding = crop.crop_width - crop.width;
          float* const begin = crop.flip_x ? to + padding : to;
          float* const rows[3] = {begin, begin + plane, begin + 2 * plane};
          const bool written =
              coloring.matrix
                  ? WriteRecolored<true>(row, crop.width, crop.flip_x, coloring.matrix,
                                         coloring.norm, rows)
                  : WriteNormalized<true>(row, crop.width, crop.flip_x, coloring.norm, rows);
          if (!written) return false;
          for (int c = 0; c < 3; c++)
            std::fill_n(crop.flip_x ? to + c * plane : begin + c * plane + crop.width, padding,
                        coloring.fill[c]);
          return true;
        }
        return false;
      };
      WriteRows(crop, coloring, make_row, out, stream_row);
    }
  }

  // One row of a picture whose colours are only normalised.
  template <typename Out>
  void StreamChannelsLast(const uint8_t* rgb, const CropLayout& crop, const Coloring& coloring,
                          Out* out) {
    const int64_t width = crop.crop_width, padding = width - crop.width;
    if (crop.flip_x) {
      mirrored_.resize(3 * crop.width);
      CopyPixels(rgb, crop.width, true, mirrored_.data());
      rgb = mirrored_.data();
    }
    NormalizeInterleaved(rgb, crop.width, coloring.norm,
                         row_.data() + (crop.flip_x ? 3 * padding : 0));
    float* beside = row_.data() + (crop.flip_x ? 0 : 3 * crop.width);
    for (int64_t i = 0; i < 3 * padding; i++) beside[i] = coloring.fill[i % 3];
    StreamCopy(Stored<Out>(row_.data(), 3 * width), 3 * width, out);
  }

  const uint8_t* ReadAll(const Picture& picture) {
    const int64_t stride = picture.width * 3;
    decoded_.resize(picture.height * stride);
    for (int64_t y = 0; y < picture.height; y++)
      std::copy_n(picture.rows->NextRow(), stride, decoded_.data() + y * stride);
    return decoded_.data();
  }

  struct StreamNothing {
    template <typename Out>
    bool operator()(int64_t, Out*, int64_t) const {
      return false;
    }
  };

  // make_row(y, to, step) writes one row of the picture, its channels `step` apart, unless before
  // it stream_row(y, out, plane) has put it into the crop, channels `plane` apart.
  template <typename MakeRow, typename Out, typename StreamRow = StreamNothing>
  void WriteRows(const CropLayout& crop, const Coloring& coloring, MakeRow make_row, Out* out,
                 StreamRow stream_row = {}) {
    const int64_t width = crop.crop_width, pixel = crop.channels_last ? 3 : 1;
    // a row of the crop, as floats and as it is stored; both stay in the cache
    row_.resize(3 * width);
    std::vector<Out>& line = std::get<Rows<Out>>(rows_).line;
    line.resize(3 * width);
    for (int c = 0; c < 3; c++)
      std::fill_n(row_.data() + c * width + crop.width, width - crop.width, coloring.fill[c]);
    for (int64_t y = 0; y < crop.crop_height; y++) {
      const int64_t at = (crop.flip_y ? crop.crop_height - 1 - y : y) * width;
      const int64_t plane = crop.crop_height * width;
      if (y < crop.height && stream_row(y, out + at * pixel, plane)) continue;
      if (y < crop.height)
        make_row(y, row_.data(), width);
      else if (y == crop.height)
        for (int c = 0; c < 3; c++) std::fill_n(row_.data() + c * width, width, coloring.fill[c]);
      const Out* stored = Stored<Out>(row_.data(), 3 * width);
      if (crop.channels_last) {
        Interleave(stored, width, crop.flip_x, line.data());
        StreamCopy(line.data(), 3 * width, out + at * pixel);
        continue;
      }
      for (int c = 0; c < 3; c++) {
        const Out* from = stored + c * width;
        if (crop.flip_x) {
          CopyReversed(from, width, line.data());
          from = line.data();
        }
        StreamCopy(from, width, out + at + c * plane);
      }
    }
    FinishStream();
  }

  // WriteRows for colours that stay as they are.
  template <typename NextRow>
  void CopyRows(const CropLayout& crop, const Coloring& coloring, NextRow next_row, uint8_t* out) {
    const int64_t width = crop.crop_width, plane = crop.crop_height * width;
    std::vector<uint8_t>& bytes = std::get<Rows<uint8_t>>(rows_).line;
    bytes.resize(3 * width);  // channels last or one after the other, as the crop
    uint8_t* line = bytes.data();
    const int64_t pixel = crop.channels_last ? 3 : 1, channel = crop.channels_last ? 1 : width;
    auto fill = [&] {
      for (int c = 0; c < 3; c++)
        for (int64_t x = 0; x < width; x++) Store(coloring.fill[c], line + pixel * x + channel * c);
    };
    fill();
    const int64_t padding = crop.flip_x ? width - crop.width : 0;  // before the picture
    for (int64_t y = 0; y < crop.crop_height; y++) {
      const uint8_t* from = line;
      if (y == crop.height) fill();
      if (y < crop.height) {
        const uint8_t* row = next_row(y);
        const bool as_it_is = crop.channels_last && !crop.flip_x && crop.width == width;
        if (as_it_is)
          from = row;
        else if (crop.channels_last)
          CopyPixels(row, crop.width, crop.flip_x, line + 3 * padding);
        else
          SplitChannels(row, crop.width, crop.flip_x, line + padding, line + width + padding,
                        line + 2 * width + padding);
      }
      const int64_t at = (crop.flip_y ? crop.crop_height - 1 - y : y) * width;
      if (crop.channels_last)
        StreamCopy(from, 3 * width, out + 3 * at);
      else
        for (int c = 0; c < 3; c++) StreamCopy(from + c * width, width, out + at + c * plane);
    }
    FinishStream();
  }

  template <int kStep, typename T>
  static void ColorRow(const T* from, int64_t n, const Coloring& coloring, float* to,
                       int64_t step) {
    if (coloring.matrix)
      RecolorRow<kStep>(from, n, coloring.matrix, coloring.norm, to, to + step, to + 2 * step);
    else
      NormalizeRow<kStep>(from, n, coloring.norm, to, to + step, to + 2 * step);
  }

  static void Convert(const float* row, int64_t n, Half* to) { ToHalves(row, n, to); }
  static void Convert(const float* row, int64_t n, Bfloat16* to) { ToBfloat16(row, n, to); }
  static void Convert(const float* row, int64_t n, uint8_t* to) {
    for (int64_t i = 0; i < n; i++) Store(row[i], to + i);
  }

  // A row as it is stored.
  template <typename Out>
  const Out* Stored(const float* row, int64_t n) {
    if constexpr (std::is_same_v<Out, float>) {
      return row;
    } else {
      std::vector<Out>& stored = std::get<Rows<Out>>(rows_).stored;
      stored.resize(n);
      Convert(row, n, stored.data());
      return stored.data();
    }
  }

  // Three rows as one, channels last.
  template <typename T>
  static void Interleave(const T* __restrict rows, int64_t n, bool flip, T* __restrict out) {
    for (int c = 0; c < 3; c++) {
      const T* from = rows + c * n;
      if (flip)
        for (int64_t x = 0; x < n; x++) out[3 * x + c] = from[n - 1 - x];
      else
        for (int64_t x = 0; x < n; x++) out[3 * x + c] = from[x];
    }
  }

  Resampler resampler_;
  ImageRotator rotator_;
  std::vector<uint8_t> decoded_;
  std::vector<uint8_t> unturned_;  // the crop before it is rotated
  std::vector<uint8_t> mirrored_;  // a row
  std::vector<float> row_;
  std::tuple<Rows<float>, Rows<Half>, Rows<Bfloat16>, Rows<uint8_t>> rows_;
};

}  // namespace dali_voc
