// Encoded label in, cropped map of class indices out; no RGB picture in between.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "color_table.h"
#include "crop_choice.h"
#include "crop_window.h"
#include "label_map.h"
#include "label_runs.h"
#include "picture_size.h"
#include "png_chunks.h"
#include "png_pixels.h"
#include "sample_cache.h"
#include "turned_row.h"

namespace dali_voc {

// In place of a map: there is no file, and every pixel of the image's size is `ignore`.
constexpr int kNoLabel = -1;

// Sizes of a picture before and after scaling.
struct ScaledAxes {
  Scaling y, x;
};

// What size a picture has before it is scaled by factors; zeros: its own.
struct Resizing {
  int64_t shorter = 0, longer = 0;  // of its sides: as large as both allow; 0: any
  int64_t height = 0, width = 0;    // or exactly, whatever its shape

  ScaledAxes Of(int64_t from_height, int64_t from_width) const;
};

struct CropRequest {
  int64_t crop_height, crop_width;    // pixels; both 0: the whole picture, after scaling
  bool flip_x, flip_y;                // mirror the crop left to right, top to bottom
  int64_t image_height, image_width;  // what the label has to measure; -1 where unknown
  double scale_y = 1, scale_x = 1;    // the picture is scaled before it is cropped
  Resizing resizing;                  // and resized before that
  const float* positions = nullptr;   // candidates (y, x), see PlaceCrop
  int num_positions = 0;
  double max_ratio = 1;          // the first candidate that IsMixed is taken, or the last
  bool centre_on_class = false;  // take the crop around a pixel drawn by DrawPixel instead
  double class_number = 0, pixel_number = 0;
  const float* class_place = nullptr;  // where in the crop it lies (y, x), see CropAround; else in
                                       // the middle
  Rotation rotation;                   // of the finished crop
  int map = 0;                         // which of the decoder's maps, or kNoLabel
  // Colours of this file alone, 0xRRGGBB, and their classes, in turn, instead of the map's;
  // negative colours are left out, negative classes are `ignore`.
  bool has_segments = false;
  const int64_t* segments = nullptr;
  int64_t num_segments = 0;

  // Of a picture. Throws LabelError if it would become far smaller or larger.
  ScaledAxes Axes(const PngHeader& header) const;
  // The crop's size for a picture. Throws LabelError if a whole one would be too large.
  void SizeFor(const ScaledAxes& axes);
};

struct CropResult {
  SourceWindow y, x;  // what the image has to show: source pixels, and the crop's place in them
  Window window;      // the same in pixels of the scaled picture
};

// The header of a label as PNG or as runs; that of what is kept; that of what stands in for a
// label. The first and the last throw LabelError.
PngHeader ReadLabelHeader(const uint8_t* file, size_t size);
PngHeader KeptHeader(const SampleCache::Entry& kept);
PngHeader BlankHeader(const CropRequest& crop);

// Keeps buffers between calls. Not thread-safe: one per thread.
class LabelDecoder {
 public:
  // At least one map; each may belong to another source.
  explicit LabelDecoder(std::vector<std::shared_ptr<const LabelMap>> maps)
      : maps_(std::move(maps)), counts_(LargestClass(maps_) + 1) {}

  // Writes crop_height x crop_width values (of SizeFor), row by row; what lies outside the picture
  // gets the map's `ignore`. T is uint8_t, int32_t or int64_t. Throws LabelError.
  // Classes that are in `place` are taken from there, and the file is not looked at; others are
  // kept there. Without a label neither is used.
  // `again`: the file, the map, the segments and the image's size are those of the call before,
  // whose file is still there, and which went well.
  template <typename T>
  CropResult Decode(const uint8_t* file, size_t size, const CropRequest& crop, T* out,
                    const CachePlace& place = {}, bool again = false);

 private:
  // Takes a file in; what is wrong with it is found here, whatever is asked for later.
  void Open(const uint8_t* file, size_t size, const CropRequest& crop);
  void Open(const SampleCache::Entry& kept, const CropRequest& crop);
  void OpenBlank(const CropRequest& crop);
  void Keep(const CachePlace& place);
  const uint8_t* Row(int64_t y, int64_t x, int64_t n) {
    if (kept_) return kept_ + (y * chunks_.header.width + x) * PixelBytes();
    return is_runs_ ? runs_.Row(y, x) : pixels_.Row(y, x, n);
  }
  // 2: one value of 16 bits, the high byte first; more: R, G, B first.
  int PixelBytes() const {
    if (kept_) return chunks_.header.bit_depth / 8;
    return is_runs_ ? 1 : pixels_.PixelBytes();
  }
  uint16_t WideValue(const uint8_t* p) const {
    const int value = p[0] << 8 | p[1];
    return kept_ ? static_cast<uint16_t>(value) : map_->values[value];
  }
  static int LargestClass(const std::vector<std::shared_ptr<const LabelMap>>& maps);
  void ChooseMap(const CropRequest& crop);
  void CheckHeader(const CropRequest& crop) const;
  void MapRow(int64_t y, const Span& columns, uint16_t* out);
  void MapPicture();
  Window ChooseWindow(const CropRequest& crop, const Scaling& y, const Scaling& x);
  template <typename T>
  void WriteCrop(const CropRequest& crop, const Window& window, const Scaling& y, const Scaling& x,
                 T* out);
  bool HasUnknown();
  [[noreturn]] void FailUnknown();

  std::vector<std::shared_ptr<const LabelMap>> maps_;
  const LabelMap* map_ = nullptr;           // of this file
  ColorTableView colors_{};                 // likewise
  std::unique_ptr<ColorTable> own_colors_;  // likewise, where it has its own
  PngChunks chunks_;
  PngPixels pixels_;
  LabelRuns runs_;
  std::vector<uint8_t> blank_;  // what stands in for a label, as runs
  bool is_runs_ = false;
  const uint8_t* kept_ = nullptr;          // classes in the cache, of one or two bytes
  std::array<uint16_t, 256> index_map_{};  // of this file: stored byte to class
  ClassCounts counts_;
  std::vector<uint16_t> classes_;   // the whole picture, where it is needed
  bool is_mapped_ = false;          // whether they are this picture's
  std::vector<uint16_t> unturned_;  // the crop before it is rotated
  std::vector<uint16_t> row_;
  std::vector<int64_t> columns_;
  std::tuple<std::vector<uint8_t>, std::vector<uint16_t>, std::vector<int32_t>,
             std::vector<int64_t>>
      lines_;  // one row of the crop
};

}  // namespace dali_voc
