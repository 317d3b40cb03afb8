// Inflates a PNG and undoes its filters and interlacing; pixels stay in the file's own encoding.
#pragma once

#include <cstdint>
#include <vector>

#include "png_chunks.h"
#include "png_inflate.h"

namespace dali_voc {

// Reads one PNG after another, with buffers that are kept. Not thread-safe: one per thread.
class PngPixels {
 public:
  // Decodes the whole picture. Throws LabelError.
  void Decode(const PngChunks& chunks);

  // Columns [x, x + n) of a decoded row: one byte per pixel for gray and palette (values as stored,
  // not scaled), otherwise `PixelBytes()` bytes per pixel. Valid until the next call.
  const uint8_t* Row(int64_t y, int64_t x, int64_t n);
  int PixelBytes() const { return pixel_bytes_; }

 private:
  void Deinterlace(const PngHeader& header, uint8_t* data);

  PngInflater inflater_;
  std::vector<uint8_t> pictures_;  // deinterlaced pixels
  std::vector<uint8_t> unpacked_;  // one row of 1, 2 or 4 bit values as bytes
  const uint8_t* first_row_ = nullptr;
  int64_t row_stride_ = 0;
  int pixel_bytes_ = 1;
  int packed_bits_ = 8;  // bits per pixel of the rows at first_row_, where below 8
};

}  // namespace dali_voc
