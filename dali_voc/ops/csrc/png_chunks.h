// Splits the bytes of a PNG file into header, palette and compressed data, and trusts none of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dali_voc {

enum class PngColor : uint8_t { kGray = 0, kRgb = 2, kPalette = 3, kGrayAlpha = 4, kRgba = 6 };

struct PngHeader {
  int64_t width = 0;   // pixels
  int64_t height = 0;  // pixels
  int bit_depth = 0;
  PngColor color = PngColor::kGray;
  bool interlaced = false;

  int Channels() const;
  int BitsPerPixel() const { return Channels() * bit_depth; }
  // The distance, in bytes, that the PNG filters look back.
  int FilterStride() const { return BitsPerPixel() < 8 ? 1 : BitsPerPixel() / 8; }
  static int64_t RowBytes(int64_t width, int bits_per_pixel) {
    return (width * bits_per_pixel + 7) / 8;
  }
  int64_t RowBytes() const { return RowBytes(width, BitsPerPixel()); }
};

struct PngChunks {
  PngHeader header;
  std::array<uint32_t, 256> palette{};  // 0xRRGGBB
  int palette_size = 0;
  const uint8_t* data = nullptr;  // the zlib stream; points into the file or into `joined`
  size_t data_size = 0;
  std::vector<uint8_t> joined;  // used where the file has several IDAT chunks; may be larger
};

// Checks the signature, every chunk's length and CRC, the order of the critical chunks and the
// header's values, in time and memory bounded by `size`. Throws LabelError.
void ParsePng(const uint8_t* file, size_t size, PngChunks* chunks);

}  // namespace dali_voc
