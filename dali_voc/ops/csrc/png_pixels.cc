#include "png_pixels.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "label_error.h"
#include "png_filters.h"

namespace dali_voc {
namespace {

struct Pass {
  int x0, y0, dx, dy;
};
constexpr Pass kAdam7[7] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                            {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};

int64_t PassSize(int64_t size, int first, int step) {
  return size > first ? (size - first + step - 1) / step : 0;
}

int64_t RawSize(const PngHeader& header) {
  if (!header.interlaced) return header.height * (header.RowBytes() + 1);
  int64_t total = 0;
  for (const Pass& pass : kAdam7) {
    int64_t w = PassSize(header.width, pass.x0, pass.dx);
    int64_t h = PassSize(header.height, pass.y0, pass.dy);
    if (w > 0) total += h * (PngHeader::RowBytes(w, header.BitsPerPixel()) + 1);
  }
  return total;
}

// Undoes the filters of `rows` rows that lie one after the other, a filter byte before each.
void UndoFilters(uint8_t* data, int64_t rows, int64_t row_bytes, int stride) {
  const uint8_t* above = nullptr;
  for (int64_t y = 0; y < rows; y++) {
    uint8_t* row = data + y * (row_bytes + 1) + 1;
    if (!UndoFilter(row[-1], row, above, row_bytes, stride))
      throw LabelError("damaged PNG: unknown row filter");
    above = row;
  }
}

void Unpack(const uint8_t* row, int bits, int64_t x, int64_t n, uint8_t* out) {
  int mask = (1 << bits) - 1;
  for (int64_t i = 0; i < n; i++) {
    int64_t bit = (x + i) * bits;
    out[i] = static_cast<uint8_t>(row[bit / 8] >> (8 - bits - bit % 8) & mask);
  }
}

}  // namespace

PngPixels::PngPixels() : inflater_(libdeflate_alloc_decompressor()) {
  if (!inflater_) throw std::bad_alloc();
}

void PngPixels::Inflate(const PngChunks& chunks, int64_t raw_size) {
  if (static_cast<int64_t>(raw_.size()) < raw_size) raw_.resize(raw_size);
  // With no place to put a smaller size, libdeflate demands exactly raw_size bytes; it checks the
  // stream's Adler-32 itself.
  auto result = libdeflate_zlib_decompress(inflater_.get(), chunks.data, chunks.data_size,
                                           raw_.data(), raw_size, nullptr);
  if (result == LIBDEFLATE_SHORT_OUTPUT)
    throw LabelError("damaged PNG: its data is too short for its width and height");
  if (result == LIBDEFLATE_INSUFFICIENT_SPACE)
    throw LabelError("damaged PNG: its data is too long for its width and height");
  if (result != LIBDEFLATE_SUCCESS) throw LabelError("damaged PNG: its data does not decompress");
}

void PngPixels::Deinterlace(const PngHeader& header) {
  int bits = header.BitsPerPixel();
  int64_t size = header.width * header.height * pixel_bytes_;
  if (static_cast<int64_t>(pictures_.size()) < size) pictures_.resize(size);
  uint8_t* data = raw_.data();
  for (const Pass& pass : kAdam7) {
    int64_t w = PassSize(header.width, pass.x0, pass.dx);
    int64_t h = PassSize(header.height, pass.y0, pass.dy);
    if (w == 0 || h == 0) continue;
    int64_t row_bytes = PngHeader::RowBytes(w, bits);
    UndoFilters(data, h, row_bytes, header.FilterStride());
    for (int64_t y = 0; y < h; y++) {
      const uint8_t* row = data + y * (row_bytes + 1) + 1;
      if (bits < 8) {
        if (static_cast<int64_t>(unpacked_.size()) < w) unpacked_.resize(w);
        Unpack(row, bits, 0, w, unpacked_.data());
        row = unpacked_.data();
      }
      uint8_t* out = pictures_.data() + (pass.y0 + y * pass.dy) * header.width * pixel_bytes_;
      for (int64_t x = 0; x < w; x++)
        memcpy(out + (pass.x0 + x * pass.dx) * pixel_bytes_, row + x * pixel_bytes_, pixel_bytes_);
    }
    data += h * (row_bytes + 1);
  }
}

void PngPixels::Decode(const PngChunks& chunks) {
  const PngHeader& header = chunks.header;
  pixel_bytes_ = std::max(1, header.BitsPerPixel() / 8);
  Inflate(chunks, RawSize(header));
  if (header.interlaced) {
    Deinterlace(header);
    first_row_ = pictures_.data();
    row_stride_ = header.width * pixel_bytes_;
    packed_bits_ = 8;
  } else {
    UndoFilters(raw_.data(), header.height, header.RowBytes(), header.FilterStride());
    first_row_ = raw_.data() + 1;
    row_stride_ = header.RowBytes() + 1;
    packed_bits_ = std::min(8, header.BitsPerPixel());
  }
}

const uint8_t* PngPixels::Row(int64_t y, int64_t x, int64_t n) {
  const uint8_t* row = first_row_ + y * row_stride_;
  if (packed_bits_ == 8) return row + x * pixel_bytes_;
  if (static_cast<int64_t>(unpacked_.size()) < n) unpacked_.resize(n);
  Unpack(row, packed_bits_, x, n, unpacked_.data());
  return unpacked_.data();
}

}  // namespace dali_voc
