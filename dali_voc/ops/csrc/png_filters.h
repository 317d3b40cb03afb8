// PNG's five row filters, undone in place (PNG specification, section 9).
#pragma once

#include <cstdint>

#include "png_paeth.h"

namespace dali_voc {

// Undoes bytes [from, n) of one row, of which those before are undone. `above` is the row above,
// undone, or null for the first; `stride` is PngHeader::FilterStride(). Unknown filters do nothing.
inline void UndoFilter(int filter, uint8_t* row, const uint8_t* above, int64_t from, int64_t n,
                       int stride) {
  auto left = [=](int64_t i) -> int { return i >= stride ? row[i - stride] : 0; };
  auto up = [=](int64_t i) -> int { return above ? above[i] : 0; };
  auto up_left = [=](int64_t i) -> int { return i >= stride ? up(i - stride) : 0; };
  auto add = [=](int64_t i, int guess) { row[i] = static_cast<uint8_t>(row[i] + guess); };
  switch (filter) {
    case 1:
      for (int64_t i = from; i < n; i++) add(i, left(i));
      break;
    case 2:
      for (int64_t i = from; i < n; i++) add(i, up(i));
      break;
    case 3:
      for (int64_t i = from; i < n; i++) add(i, (left(i) + up(i)) / 2);
      break;
    case 4:
      for (int64_t i = from; i < n; i++) add(i, Paeth(left(i), up(i), up_left(i)));
      break;
    default:
      break;
  }
}

// Rows one after the other, `pitch` bytes apart, a filter byte before each.
struct FilteredRows {
  uint8_t* first;  // of the first row, behind its filter byte
  int64_t rows;
  int64_t pitch;
  int64_t bytes;  // of each row that are to be undone, from its beginning
  int stride;     // PngHeader::FilterStride()
};

// Whether there is no filter byte above 4 among them.
bool FiltersAreKnown(const FilteredRows& rows);

// Undoes them. `above` as for UndoFilter. At least 16 bytes behind the last row may be read, and
// written with what they hold; behind `bytes` of the others likewise.
void UndoFilters(const FilteredRows& rows, const uint8_t* above);

}  // namespace dali_voc
