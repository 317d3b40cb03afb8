// Pixels of less than a byte to bytes.
#pragma once

#include <cstdint>

namespace dali_voc {

// Pixels [x, x + n) of a row of 1, 2 or 4 bits per pixel, the first in the highest bits.
inline void Unpack(const uint8_t* row, int bits, int64_t x, int64_t n, uint8_t* out) {
  int mask = (1 << bits) - 1;
  for (int64_t i = 0; i < n; i++) {
    int64_t bit = (x + i) * bits;
    out[i] = static_cast<uint8_t>(row[bit / 8] >> (8 - bits - bit % 8) & mask);
  }
}

}  // namespace dali_voc
