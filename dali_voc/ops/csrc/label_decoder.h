// Encoded label in, cropped map of class indices out; no RGB picture in between.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "color_table.h"
#include "crop_window.h"
#include "png_chunks.h"
#include "png_pixels.h"

namespace dali_voc {

// What the values in label files mean. Built once, then only read, by any number of threads.
struct LabelMap {
  LabelMap(const std::vector<int>& colors, const std::vector<int>& color_classes,
           const std::vector<int>& values, const std::vector<int>& value_classes, int unknown,
           bool palette_by_color);

  ColorTable colors;                 // for RGB, RGBA and, by default, palette colours
  std::array<uint16_t, 256> values;  // for gray, and for palette indices if so configured
  bool palette_by_color;
};

struct CropRequest {
  int64_t crop_height, crop_width;    // pixels
  double position_y, position_x;      // see PlaceCrop
  bool flip;                          // mirror the crop left to right
  int64_t image_height, image_width;  // what the label has to measure; 0 where unknown
};

struct Window {
  Span y, x;  // in source pixels
};

// Keeps buffers between calls. Not thread-safe: one per thread.
class LabelDecoder {
 public:
  explicit LabelDecoder(std::shared_ptr<const LabelMap> map) : map_(std::move(map)) {}

  // Writes crop_height x crop_width values, row by row; what lies outside the picture gets
  // `ignore`. T is uint8_t, int32_t or int64_t. Throws LabelError.
  template <typename T>
  Window Decode(const uint8_t* file, size_t size, const CropRequest& crop, T ignore, T* out);

 private:
  void CheckHeader(const CropRequest& crop) const;
  void PrepareIndexMap();
  template <typename T>
  void MapRow(int64_t y, const Span& columns, bool flip, T* out);
  bool HasUnknown();
  [[noreturn]] void FailUnknown();

  std::shared_ptr<const LabelMap> map_;
  PngChunks chunks_;
  PngPixels pixels_;
  std::array<uint16_t, 256> index_map_{};  // of this file: stored byte to class
};

}  // namespace dali_voc
