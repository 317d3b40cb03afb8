// PNG's five row filters, undone in place (PNG specification, section 9).
#pragma once

#include <cstdint>
#include <cstdlib>

namespace dali_voc {

inline uint8_t Paeth(int left, int up, int up_left) {
  int estimate = left + up - up_left;
  int d_left = std::abs(estimate - left);
  int d_up = std::abs(estimate - up);
  int d_up_left = std::abs(estimate - up_left);
  if (d_left <= d_up && d_left <= d_up_left) return static_cast<uint8_t>(left);
  return static_cast<uint8_t>(d_up <= d_up_left ? up : up_left);
}

// `row` has n bytes; `above` is the row above, undone, or null for the first; `stride` is
// PngHeader::FilterStride(). Returns false for an unknown filter.
inline bool UndoFilter(int filter, uint8_t* row, const uint8_t* above, int64_t n, int stride) {
  auto up = [above](int64_t i) -> int { return above ? above[i] : 0; };
  int64_t head = stride < n ? stride : n;  // the bytes that have nothing to their left
  switch (filter) {
    case 0:
      return true;
    case 1:
      for (int64_t i = stride; i < n; i++) row[i] = static_cast<uint8_t>(row[i] + row[i - stride]);
      return true;
    case 2:
      if (above)
        for (int64_t i = 0; i < n; i++) row[i] = static_cast<uint8_t>(row[i] + above[i]);
      return true;
    case 3:
      for (int64_t i = 0; i < head; i++) row[i] = static_cast<uint8_t>(row[i] + up(i) / 2);
      for (int64_t i = stride; i < n; i++)
        row[i] = static_cast<uint8_t>(row[i] + (row[i - stride] + up(i)) / 2);
      return true;
    case 4:
      for (int64_t i = 0; i < head; i++) row[i] = static_cast<uint8_t>(row[i] + up(i));
      for (int64_t i = stride; i < n; i++)
        row[i] = static_cast<uint8_t>(row[i] + Paeth(row[i - stride], up(i), up(i - stride)));
      return true;
    default:
      return false;
  }
}

}  // namespace dali_voc
