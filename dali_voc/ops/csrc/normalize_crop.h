// A decoded window to its place in the crop: resize, recolour, normalise, mirror, pad and store, in
// one pass. DALI's operators do the same in several, each of which takes longer on a CPU.
#pragma once

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <vector>

#include "color_row.h"
#include "crop_pixel.h"
#include "half_rows.h"
#include "interleaved_row.h"
#include "resample.h"
#include "reversed_row.h"
#include "split_channels.h"
#include "stored_row.h"
#include "stream_rows.h"
#include "stream_store.h"
#include "turned_image.h"
#include "window_rows.h"

namespace dali_voc {

struct CropLayout {
  int64_t height, width;            // of the picture, once resized
  int64_t crop_height, crop_width;  // of the result; none smaller
  bool flip_x, flip_y;
  bool channels_last;
};

// A picture, height x width x 3: decoded, with `stride` bytes to a row, or to be had row by row;
// the other is null. `resizing` may be null.
struct Picture {
  const uint8_t* rgb;
  int64_t stride;
  WindowRows* rows;
  int64_t height, width;
  const ResizedRegion* resizing;
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
    StoredRow<Out> stored;
    std::vector<Out> line;
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
    StreamCopy(rows_of<Out>().stored.Of(row_.data(), 3 * width), 3 * width, out);
  }

  template <typename Out>
  Rows<Out>& rows_of() {
    return std::get<Rows<Out>>(rows_);
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
    std::vector<Out>& line = rows_of<Out>().line;
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
      const Out* stored = rows_of<Out>().stored.Of(row_.data(), 3 * width);
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
    std::vector<uint8_t>& bytes = rows_of<uint8_t>().line;
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

  Resampler resampler_;
  ImageRotator rotator_;
  std::vector<uint8_t> decoded_;
  std::vector<uint8_t> unturned_;  // the crop before it is rotated
  std::vector<uint8_t> mirrored_;  // a row
  std::vector<float> row_;
  std::tuple<Rows<float>, Rows<Half>, Rows<Bfloat16>, Rows<uint8_t>> rows_;
};

}  // namespace dali_voc
