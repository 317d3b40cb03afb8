// Whole pictures that are kept in memory of any kind, and windows of them: what is to be copied.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "gpu/copy_rows.h"
#include "sample_cache.h"

namespace dali_voc {

// A block of bytes as it is.
struct BlockCopy {
  const uint8_t* from;
  uint8_t* to;
  int64_t size;
};

// A sample: the whole picture if it has just been decoded (else null), and the window that is asked
// for, packed into `out`.
struct WantedWindow {
  const uint8_t* decoded;
  int64_t height, width;  // of what was decoded
  int64_t y, x, window_height, window_width;
  uint8_t* out;
};

// The cache says where in `memory` each picture lies; it is given room for them, and none of its
// own memory is touched. What is reserved is published by `Publish`, once it is sure to be copied;
// else it is as if it had not been reserved, but for bytes behind which somebody else has some.
class KeptWindows {
 public:
  KeptWindows(const SampleCache& cache, uint8_t* memory) : cache_(cache), memory_(memory) {}
  ~KeptWindows() {
    // the last first, as only what is behind all others gives its bytes back
    for (auto picture = reserved_.rbegin(); picture != reserved_.rend(); ++picture)
      picture->place.Release();
  }
  KeptWindows(const KeptWindows&) = delete;
  KeptWindows& operator=(const KeptWindows&) = delete;

  // Adds a sample: from what is kept, else from what was decoded, which is kept if there is room.
  // Throws std::runtime_error.
  void Add(const WantedWindow& wanted, const CachePlace& place) {
    SampleCache::Entry kept;
    const uint8_t* from = wanted.decoded;
    int64_t height = wanted.height, width = wanted.width;
    if (place.Find(&kept)) {
      from = memory_ + (kept.data - cache_.data());
      height = kept.height;
      width = kept.width;
    } else if (!from) {
      throw std::runtime_error("the picture is not kept any more");
    } else if (uint8_t* reserved = place.Reserve(height * width * 3)) {
      blocks_.push_back({from, memory_ + (reserved - cache_.data()), height * width * 3});
      reserved_.push_back({place, height, width});
    }
    if (wanted.y < 0 || wanted.x < 0 || wanted.y + wanted.window_height > height ||
        wanted.x + wanted.window_width > width)
      throw std::runtime_error("the window reaches past the picture's edge");
    rows_.push_back({from + (wanted.y * width + wanted.x) * 3, wanted.out, width * 3,
                     wanted.window_width * 3, wanted.window_height});
  }

  // For whoever comes after the copies.
  void Publish() {
    for (const Reserved& picture : reserved_) picture.place.Publish(picture.height, picture.width);
    reserved_.clear();
  }

  // Before the rows, in this order.
  const std::vector<BlockCopy>& blocks() const { return blocks_; }
  const std::vector<RowsCopy>& rows() const { return rows_; }

 private:
  struct Reserved {
    CachePlace place;
    int64_t height, width;
  };

  const SampleCache& cache_;
  uint8_t* memory_;
  std::vector<BlockCopy> blocks_;
  std::vector<RowsCopy> rows_;
  std::vector<Reserved> reserved_;
};

}  // namespace dali_voc
