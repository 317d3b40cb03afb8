#include "png_pixels.h"

#include <algorithm>
#include <cstring>

#include "label_error.h"
#include "png_filters.h"
#include "png_unpack.h"

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
void UndoRows(uint8_t* data, int64_t rows, int64_t row_bytes, int stride) {
  const FilteredRows filtered{data + 1, rows, row_bytes + 1, row_bytes, stride};
  if (!FiltersAreKnown(filtered)) throw LabelError("damaged PNG: unknown row filter");
  UndoFilters(filtered, nullptr);
}

}  // namespace

void PngPixels::Deinterlace(const PngHeader& header, uint8_t* data) {
  int bits = header.BitsPerPixel();
  int64_t size = header.width * header.height * pixel_bytes_;
  if (static_cast<int64_t>(pictures_.size()) < size) pictures_.resize(size);
  for (const Pass& pass : kAdam7) {
    int64_t w = PassSize(header.width, pass.x0, pass.dx);
    int64_t h = PassSize(header.height, pass.y0, pass.dy);
    if (w == 0 || h == 0) continue;
    int64_t row_bytes = PngHeader::RowBytes(w, bits);
    UndoRows(data, h, row_bytes, header.FilterStride());
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
  uint8_t* raw = inflater_.Whole(chunks, RawSize(header));
  if (header.interlaced) {
    Deinterlace(header, raw);
    first_row_ = pictures_.data();
    row_stride_ = header.width * pixel_bytes_;
    packed_bits_ = 8;
  } else {
    UndoRows(raw, header.height, header.RowBytes(), header.FilterStride());
    first_row_ = raw + 1;
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
