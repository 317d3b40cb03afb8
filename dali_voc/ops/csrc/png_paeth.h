// Paeth's prediction (PNG specification, section 9.4). Host compilers and NVRTC build it.
#pragma once

#include <cstdint>

namespace dali_voc {

inline int Distance(int a, int b) { return a < b ? b - a : a - b; }

inline uint8_t Paeth(int left, int up, int up_left) {
  const int estimate = left + up - up_left;
  const int d_left = Distance(estimate, left);
  const int d_up = Distance(estimate, up);
  const int d_up_left = Distance(estimate, up_left);
  if (d_left <= d_up && d_left <= d_up_left) return static_cast<uint8_t>(left);
  return static_cast<uint8_t>(d_up <= d_up_left ? up : up_left);
}

}  // namespace dali_voc
