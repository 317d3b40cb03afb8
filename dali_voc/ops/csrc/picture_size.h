// How large a picture may be, whatever it is stored as.
#pragma once

#include <cstdint>

namespace dali_voc {

constexpr int64_t kMaxPixels = int64_t{1} << 27;  // 134 million; Pillow refuses above 179 million

// Of sides of at least 1.
inline bool IsTooLarge(int64_t height, int64_t width) { return height > kMaxPixels / width; }

}  // namespace dali_voc
