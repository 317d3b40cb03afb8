#include "label_runs.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "label_error.h"
#include "picture_size.h"

namespace dali_voc {
namespace {

constexpr size_t kHeader = 12;
constexpr int64_t kStep = 16;  // bytes that are written at once

int64_t ReadLittleEndian32(const uint8_t* p) {
  return int64_t{p[0]} | int64_t{p[1]} << 8 | int64_t{p[2]} << 16 | int64_t{p[3]} << 24;
}

// Advances `at` behind a number of at most 28 bits, which is known to be whole.
inline int64_t ReadNumber(const uint8_t* file, size_t* at) {
  int64_t value = file[(*at)++];
  if (value < 128) return value;
  value &= 127;
  for (int shift = 7;; shift += 7) {
    const uint8_t byte = file[(*at)++];
    value |= int64_t{byte & 127} << shift;
    if (byte < 128) return value;
  }
}

// The same in a file that is not to be trusted. A number is 1 to `most`.
inline int64_t CheckNumber(const uint8_t* file, size_t size, size_t* at, int64_t most) {
  int64_t value = 0;
  for (int shift = 0; shift < 28; shift += 7) {
    if (*at == size) throw LabelError("truncated label: it ends inside its runs");
    const uint8_t byte = file[(*at)++];
    value |= int64_t{byte & 127} << shift;
    if (byte >= 128) continue;
    if (value < 1 || value > most) break;
    return value;
  }
  throw LabelError("damaged label: runs that do not fill its width and height");
}

void WriteNumber(int64_t value, std::vector<uint8_t>* file) {
  for (; value >= 128; value >>= 7) file->push_back(static_cast<uint8_t>(value | 128));
  file->push_back(static_cast<uint8_t>(value));
}

}  // namespace

bool IsLabelRuns(const uint8_t* file, size_t size) {
  return size >= 4 && memcmp(file, "DVLR", 4) == 0;
}

void ReadRunsSize(const uint8_t* file, size_t size, int64_t* height, int64_t* width) {
  if (size < kHeader) throw LabelError("truncated label: it ends inside its header");
  *width = ReadLittleEndian32(file + 4);
  *height = ReadLittleEndian32(file + 8);
  if (*width < 1 || *height < 1 || IsTooLarge(*height, *width))
    throw LabelError("damaged label: it claims " + std::to_string(*width) + "x" +
                     std::to_string(*height) + " pixels, expected 1 to 2^27");
}

std::vector<uint8_t> BlankRuns(int64_t height, int64_t width) {
  std::vector<uint8_t> file = {'D', 'V', 'L', 'R'};
  for (int64_t side : {width, height})
    for (int shift = 0; shift < 32; shift += 8) file.push_back(static_cast<uint8_t>(side >> shift));
  WriteNumber(height, &file);
  file.push_back(0);
  WriteNumber(width, &file);
  return file;
}

void LabelRuns::Parse(const uint8_t* file, size_t size) {
  ReadRunsSize(file, size, &height_, &width_);
  file_ = file;
  bands_.clear();
  is_expanded_ = false;
  bool seen[256] = {};
  size_t at = kHeader;
  for (int64_t row = 0; row < height_;) {
    const int64_t rows = CheckNumber(file, size, &at, height_ - row);
    bands_.push_back({row, at});
    for (int64_t left = width_; left > 0;) {
      if (at == size) throw LabelError("truncated label: it ends inside its runs");
      seen[file[at++]] = true;
      left -= CheckNumber(file, size, &at, left);
    }
    row += rows;
  }
  if (at != size) throw LabelError("damaged label: more runs than it has rows");
  bands_.push_back({height_, at});
  for (int value = 0; value < 256; value++) values_[value] = seen[value];
  // runs are written in whole steps
  if (static_cast<int64_t>(row_.size()) < width_ + kStep) row_.resize(width_ + kStep);
}

const uint8_t* LabelRuns::Row(int64_t y, int64_t x) {
  if (is_expanded_ && bands_[current_].first_row <= y && y < bands_[current_ + 1].first_row)
    return row_.data() + x;
  const size_t next = is_expanded_ ? current_ + 1 : 0;
  if (next + 1 < bands_.size() && bands_[next].first_row <= y && y < bands_[next + 1].first_row)
    current_ = next;
  else
    current_ = std::upper_bound(bands_.begin(), bands_.end(), y,
                                [](int64_t row, const Band& b) { return row < b.first_row; }) -
               bands_.begin() - 1;
  is_expanded_ = true;
  size_t at = bands_[current_].runs;
  uint8_t* out = row_.data();
  uint8_t* const end = out + width_;
  while (out < end) {
    const uint8_t value = file_[at++];
    const int64_t length = ReadNumber(file_, &at);
    if (length <= kStep)
      memset(out, value, kStep);
    else
      memset(out, value, length);
    out += length;
  }
  return row_.data() + x;
}

}  // namespace dali_voc
