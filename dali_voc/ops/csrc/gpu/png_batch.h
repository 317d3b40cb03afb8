// PNG on a GPU: what the kernels behind the inflating are given. Host compilers and NVRTC build it.
#pragma once

#include <cstdint>

#include "color_lookup.h"
#include "gpu/png_undo.h"

namespace dali_voc {

// What was found in a sample; dali_voc/ops/_png.py has the same numbers.
constexpr uint32_t kPngSound = 0;
constexpr uint32_t kPngNotInflated = 1;    // number: nvCOMP's status
constexpr uint32_t kPngWrongSize = 2;      // number: bytes that came out
constexpr uint32_t kPngUnknownFilter = 3;  // number: the first such row

constexpr uint32_t kPngColor = 1 << 24;  // marks what is a colour, 0xRRGGBB, and not a value

// It begins as {0, 0xffffffff, 0, kEmptySlot}. A sample that is not sound comes out as zeros.
struct PngReport {
  uint32_t what;
  uint32_t number;
  uint32_t pixels;    // of labels: how many have no class,
  uint32_t smallest;  // and the smallest of their colours or values
};

// One sample. Sizes fit: a file that claims more than 2^27 pixels is refused.
struct PngPicture {
  const uint8_t* raw;  // inflated: rows, each behind its filter byte; 16 more bytes can be read
  uint32_t* undone;    // room for rows * units units
  void* out;
  int64_t raw_bytes;  // that have to be there
  int32_t row_bytes;  // of a row without its filter byte
  int32_t rows;       // as many as matter: down to the window's last
  int32_t units;      // of a row, likewise
  int32_t stride;     // bytes from pixel to pixel, as the filters see it
  int32_t bits;       // of a pixel, where that is less than 8; else 8
  int32_t table;      // which of the batch's tables says what a byte means; -1: pixels are colours
  int32_t y, x, height, width;  // the window
};

constexpr int kUndoThreads = 512;
constexpr int kPixelThreads = 256;
constexpr int kPixelGroups = 4;                                      // of 4 pixels, per thread
constexpr int64_t kPixelChunk = 4ll * kPixelGroups * kPixelThreads;  // pixels

struct PngUndoBatch {
  const PngPicture* pictures;
  const int32_t* statuses;   // nvCOMP's
  const uint64_t* inflated;  // bytes, likewise
  PngReport* reports;
};

struct PngPixelBatch {
  const PngPicture* pictures;
  const int32_t* first_chunk;  // samples + 1
  int samples;
  const uint32_t* tables;  // 256 each: for pictures 0xBBGGRR, for labels classes or kUnknown
  ColorTableView colors;   // for labels whose pixels are colours
  uint16_t instead;        // the class of what has none
  PngReport* reports;
};

inline int32_t PixelChunks(int64_t pixels) {
  return static_cast<int32_t>((pixels + kPixelChunk - 1) / kPixelChunk);
}

}  // namespace dali_voc
