#include "png_window.h"

#include <algorithm>
#include <cstring>

#include "label_error.h"
#include "png_colors.h"
#include "png_unpack.h"

namespace dali_voc {
namespace {

constexpr int64_t kRowsAtOnce = 8;  // twice the four that UndoFilters likes best

bool IsCommon(int bit_depth, bool interlaced) { return bit_depth <= 8 && !interlaced; }

}  // namespace

bool LooksLikePng(const uint8_t* file, size_t size) {
  return size >= 8 && memcmp(file, "\x89PNG\r\n\x1a\n", 8) == 0;
}

bool IsCommonPng(const uint8_t* file, size_t size) {
  return size >= 29 && LooksLikePng(file, size) && memcmp(file + 12, "IHDR", 4) == 0 &&
         IsCommon(file[24], file[28] != 0);
}

void PngWindow::Start(const uint8_t* file, size_t size, const WindowBounds& window) {
  window_ = window;
  left_ = 0;
  try {
    StartUnnamed(file, size);
  } catch (const LabelError& e) {
    throw ImageError(e.what());
  }
}

void PngWindow::StartUnnamed(const uint8_t* file, size_t size) {
  ParsePng(file, size, &chunks_);
  const PngHeader& header = chunks_.header;
  if (!IsCommon(header.bit_depth, header.interlaced))
    throw ImageError("this PNG is interlaced or has 16 bits per channel, expected neither");
  window_.CheckInside(header.height, header.width);
  const int64_t end = window_.y + window_.height;
  const int64_t pitch = header.RowBytes() + 1;
  uint8_t* first = inflater_.Prefix(chunks_, end * pitch) + 1;
  coded_ = {first, end, pitch,
            PngHeader::RowBytes(window_.x + window_.width, header.BitsPerPixel()),
            header.FilterStride()};
  if (!FiltersAreKnown(coded_)) throw ImageError("damaged PNG: unknown row filter");
  // rows above the window matter up to the last that does not look at the row above it
  int64_t start = window_.y;
  while (start > 0 && first[start * pitch - 1] > 1) start--;
  coded_.first += start * pitch;
  coded_.rows -= start;
  above_ = nullptr;
  next_ = first + window_.y * pitch;
  left_ = window_.height;
  UndoNext(
      std::min((window_.y - start + kRowsAtOnce - 1) / kRowsAtOnce * kRowsAtOnce, coded_.rows));
  if (header.Channels() < 3) FillColors(chunks_, colors_);
}

void PngWindow::UndoNext(int64_t rows) {
  if (rows == 0) return;
  FilteredRows some = coded_;
  some.rows = rows;
  UndoFilters(some, above_);
  above_ = coded_.first + (rows - 1) * coded_.pitch;
  coded_.first += rows * coded_.pitch;
  coded_.rows -= rows;
}

const uint8_t* PngWindow::NextRow() {
  if (left_ <= 0) throw ImageError("no row is left");
  if (coded_.first <= next_) UndoNext(std::min(kRowsAtOnce, coded_.rows));
  const uint8_t* row = next_;
  next_ += coded_.pitch;
  left_--;
  const PngHeader& header = chunks_.header;
  const int64_t x = window_.x, n = window_.width;
  if (header.color == PngColor::kRgb) return row + 3 * x;
  rgb_.resize(3 * n + 1);  // pixels are written four bytes at a time
  uint8_t* out = rgb_.data();
  if (header.color == PngColor::kRgba) {
    for (int64_t i = 0; i < n; i++) memcpy(out + 3 * i, row + 4 * (x + i), 4);
    return out;
  }
  const uint8_t* values = row + header.Channels() * x;
  if (header.bit_depth < 8) {
    unpacked_.resize(n);
    Unpack(row, header.bit_depth, x, n, unpacked_.data());
    values = unpacked_.data();
  }
  const int step = header.Channels();
  for (int64_t i = 0; i < n; i++) memcpy(out + 3 * i, &colors_[values[step * i]], 4);
  return out;
}

}  // namespace dali_voc
