// RGB to class indices on a GPU: what the kernel is given. Host compilers and NVRTC build it.
#pragma once

#include <cstdint>

#include "color_lookup.h"

namespace dali_voc {

// One sample.
struct ColorPicture {
  const uint8_t* rgb;  // 3 bytes a pixel
  void* out;           // one class a pixel
  int64_t pixels;
};

// Of one sample: pixels of colours that are not in the table, and the smallest such colour as
// 0xRRGGBB; it begins as {0, kEmptySlot}.
struct UnknownColors {
  uint32_t pixels;
  uint32_t color;
};

constexpr int kColorThreads = 256;
constexpr int kColorGroups = 4;                                      // per thread and chunk
constexpr int64_t kColorChunk = 4ll * kColorGroups * kColorThreads;  // pixels
constexpr uint32_t kSharedSlots = 1024;  // larger tables are read from global memory

// Pixels by fours, so that each group is stored at once (`out` + first + 4 k is aligned to four
// elements) and read as whole words that lie inside the picture; those before and after go singly.
struct PixelGroups {
  uint32_t groups;  // after the last, less than 8 pixels are left
  int32_t first;    // pixel at which group 0 begins, less than 8
  int32_t shift;    // bytes by which a group begins behind a word's beginning

  static PixelGroups Of(const ColorPicture& picture, int element_size) {
    const uint64_t at = reinterpret_cast<uint64_t>(picture.out) / element_size;
    int32_t first = static_cast<int32_t>((4 - at % 4) % 4);
    const uint64_t rgb = reinterpret_cast<uint64_t>(picture.rgb);
    // the word that a group begins in must not begin before the picture
    const int32_t shift = static_cast<int32_t>((rgb + 3 * static_cast<uint64_t>(first)) % 4);
    if (3 * first < shift) first += 4;
    // nor the word that it ends in end behind it
    const int64_t slack = shift ? 4 - shift : 0;
    const int64_t bytes = 3 * (picture.pixels - first) - slack;
    return {bytes < 12 ? 0 : static_cast<uint32_t>(bytes / 12), first, shift};
  }
};

// What one launch does.
struct ColorBatch {
  const ColorPicture* pictures;
  const PixelGroups* grids;    // of each picture
  const int32_t* first_chunk;  // samples + 1
  int samples;
  ColorTableView table;  // gives kUnknown for other colours
  uint16_t instead;      // and this is what is stored for them
  UnknownColors* unknown;
};

// Chunks of a picture; at least one, which also has the single pixels.
inline int64_t ColorChunks(int64_t pixels) { return (pixels + kColorChunk - 1) / kColorChunk; }

}  // namespace dali_voc
