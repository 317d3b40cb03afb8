#include "shared_windows.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "jpeg_markers.h"
#include "picture_size.h"
#include "png_window.h"

namespace dali_voc {
namespace {

// What takes time of a JPEG, for a pixel, beside its Huffman code: most of it the inverse cosine
// transform, interpolated chroma and colours. benchmarks/several_crops.py measures what follows.
constexpr double kTransform = 2.5;

// Rows that windows have, of those from `from` on: the next, or `end`.
int64_t NextWanted(const std::vector<WindowBounds>& windows, int64_t from, int64_t end) {
  int64_t next = end;
  for (const WindowBounds& window : windows)
    if (window.y + window.height > from) next = std::min(next, std::max(window.y, from));
  return next;
}

bool PaysOff(const uint8_t* file, size_t size, const std::vector<WindowBounds>& windows,
             const WindowBounds& part) {
  const size_t frame = FindCommonFrame(file, size);
  // PNG is read from the top, and of progressive JPEG everything is read for the first pixel
  if (!frame || file[frame + 1] == 0xc2) return true;
  const int64_t height = FrameHeight(file + frame), width = FrameWidth(file + frame);
  // for whoever decodes it alone to say
  if (part.y < 0 || part.x < 0 || part.y + part.height > height || part.x + part.width > width)
    return false;
  int64_t shown = 0, rows = 0, above = 0, lowest = 0;
  for (int64_t y = part.y;
       (y = NextWanted(windows, y, part.y + part.height)) < part.y + part.height; y++)
    rows++;
  for (const WindowBounds& window : windows) {
    shown += window.area();
    above += window.y + window.height;
    lowest = std::max(lowest, window.y + window.height);
  }
  // a file with restart markers is entered near each window
  const bool enters = HasRestarts(file, size);
  const double alone = kTransform * shown + (enters ? shown : above * width);
  const double together = kTransform * rows * part.width + (enters ? rows : lowest) * width;
  return together <= alone;
}

}  // namespace

WindowBounds SharedWindows::Plan(const uint8_t* file, size_t size,
                                 std::vector<WindowBounds> windows) {
  state_ = State::kUseless;
  windows_ = std::move(windows);
  part_ = windows_[0];
  for (const WindowBounds& window : windows_) {
    if (window.height < 1 || window.width < 1) return {};  // for whoever decodes it alone to say
    part_ = part_.With(window);
  }
  const bool pays_off = windows_.size() > 1 && !IsTooLarge(part_.height, part_.width) &&
                        PaysOff(file, size, windows_, part_);
  return pays_off ? part_ : WindowBounds{};
}

void SharedWindows::Read(WindowRows* rows) {
  int64_t pixels = 0;
  for (const WindowBounds& window : windows_) pixels += window.area();
  keeps_part_ = pixels > part_.area();
  offsets_.clear();
  size_t bytes = 0;
  for (const WindowBounds& window : windows_) {
    const int64_t before = (window.y - part_.y) * part_.width + window.x - part_.x;
    offsets_.push_back(keeps_part_ ? static_cast<size_t>(before) * 3 : bytes);
    bytes += static_cast<size_t>(window.area()) * 3;
  }
  if (keeps_part_) bytes = static_cast<size_t>(part_.area()) * 3;
  if (rgb_.size() < bytes) rgb_.resize(bytes);
  const int64_t end = part_.y + part_.height;
  for (int64_t y = part_.y; y < end; y++) {
    const int64_t next = NextWanted(windows_, y, end);
    if (next > y) rows->SkipRows(next - y);
    y = next;
    const uint8_t* row = rows->NextRow();
    if (keeps_part_) {
      const size_t length = static_cast<size_t>(part_.width) * 3;
      memcpy(rgb_.data() + (y - part_.y) * length, row, length);
      continue;
    }
    for (size_t k = 0; k < windows_.size(); k++) {
      const WindowBounds& window = windows_[k];
      if (y < window.y || y >= window.y + window.height) continue;
      const size_t length = static_cast<size_t>(window.width) * 3;
      memcpy(rgb_.data() + offsets_[k] + (y - window.y) * length, row + (window.x - part_.x) * 3,
             length);
    }
  }
  state_ = State::kDecoded;
}

SharedWindows::View SharedWindows::Find(size_t k) const {
  if (state_ != State::kDecoded) return {nullptr, 0};
  return {rgb_.data() + offsets_[k], 3 * (keeps_part_ ? part_ : windows_[k]).width};
}

}  // namespace dali_voc
