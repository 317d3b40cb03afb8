// PNG's row filters on a GPU, twelve bytes at a time. Host compilers and NVRTC build it.
#pragma once

#include <cstdint>

#include "png_paeth.h"

namespace dali_voc {

// Twelve bytes are whole pixels of 1, 2, 3 and 4 bytes, and whole words.
constexpr int kUnitWords = 3;
constexpr int kUnitBytes = 4 * kUnitWords;

struct PngUnit {
  uint32_t word[kUnitWords];
};

// What a filter looks at, as masks: left, up and up-left for Paeth's prediction, of which filters 1
// and 2 are cases with some of the three 0; and the average's.
struct PngSight {
  int left, up, up_left, average;

  static PngSight Of(int filter) {
    auto mask = [filter](int filters) { return filter < 5 && filters >> filter & 1 ? 255 : 0; };
    return {mask(1 << 1 | 1 << 4), mask(1 << 2 | 1 << 4), mask(1 << 4), mask(1 << 3)};
  }
};

// Undoes one unit of a row. `left` is the last word of the unit before it, undone; `up` the unit
// above, and `up_left` the last word of the one before that.
template <int kStride>
inline PngUnit UndoUnit(const PngUnit& coded, uint32_t left, const PngUnit& up, uint32_t up_left,
                        const PngSight& sight) {
  uint32_t out[kUnitBytes];
  auto byte = [](const PngUnit& unit, int i) {
    return static_cast<int>(unit.word[i / 4] >> (8 * (i % 4)) & 255);
  };
#pragma unroll
  for (int i = 0; i < kUnitBytes; i++) {
    const int before = 8 * (4 + i - kStride);  // bits into the word before, for the first pixel
    const int a = static_cast<int>(i < kStride ? left >> before & 255 : out[i - kStride]);
    const int c = i < kStride ? static_cast<int>(up_left >> before & 255) : byte(up, i - kStride);
    const int b = byte(up, i);
    const int average = (a + b) >> 1 & sight.average;
    const int paeth = Paeth(a & sight.left, b & sight.up, c & sight.up_left);
    out[i] = static_cast<uint32_t>(byte(coded, i) + average + paeth) & 255;
  }
  PngUnit undone;
#pragma unroll
  for (int j = 0; j < kUnitWords; j++)
    undone.word[j] = out[4 * j] | out[4 * j + 1] << 8 | out[4 * j + 2] << 16 | out[4 * j + 3] << 24;
  return undone;
}

}  // namespace dali_voc
