#include "jpeg_scan_data.h"

#include <algorithm>
#include <cstring>

namespace dali_voc {
namespace {

constexpr uint8_t kMark = 0xff, kRestart = 0xd0;

// The first 0xff at or after `data` that is no data; `end` if there is none. Calls take(n) for
// each stretch of n bytes that `data` then leaves behind, and drops a stuffed byte after it.
template <typename Take>
const uint8_t* WalkToMarker(const uint8_t* data, const uint8_t* end, Take take) {
  while (true) {
    const auto* mark = static_cast<const uint8_t*>(memchr(data, kMark, end - data));
    if (!mark) mark = end;
    const bool stuffed = end - mark > 1 && mark[1] == 0;
    take(data, mark - data + stuffed);
    if (!stuffed) return mark;
    data = mark + 2;
  }
}

}  // namespace

void JpegScanData::Start(const uint8_t* data, size_t size, size_t padding) {
  data_ = data;
  data_end_ = data + size;
  marker_ = nullptr;
  next_restart_ = 0;
  padding_ = padding;
  bytes_.resize(std::max(bytes_.size(), size + padding));
}

void JpegScanData::Open() {
  uint8_t* to = bytes_.data();
  marker_ = WalkToMarker(data_, data_end_, [&](const uint8_t* from, size_t n) {
    memcpy(to, from, n);
    to += n;
  });
  memset(to, 0, padding_);
  bytes_end_ = to;
}

bool JpegScanData::GoToNext() {
  const uint8_t* const marker =
      marker_ ? marker_ : WalkToMarker(data_, data_end_, [](const uint8_t*, size_t) {});
  if (data_end_ - marker < 2 || marker[1] != kRestart + next_restart_) return false;
  data_ = marker + 2;
  marker_ = nullptr;
  next_restart_ = (next_restart_ + 1) % 8;
  return true;
}

}  // namespace dali_voc
