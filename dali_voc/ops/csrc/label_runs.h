// A quick code for maps of class indices, which packed data sets keep instead of PNG.
//
// "DVLR", width, height (each 32 bits, the lowest byte first), and then bands of rows that are
// alike, from the top: how many rows, and the runs of equal values that each consists of, as value
// (one byte) and length. Counts and lengths are in groups of 7 bits, the lowest first, with the 8th
// bit set in all but the last. dali_voc/packing/_label_code.py writes it.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dali_voc {

// Whether a file begins as such a map does.
bool IsLabelRuns(const uint8_t* file, size_t size);

// Reads one map after another, with buffers that are kept. Not thread-safe: one per thread.
class LabelRuns {
 public:
  // Checks the whole file, whose bytes must stay until the last `Row`. Throws LabelError.
  void Parse(const uint8_t* file, size_t size);

  int64_t height() const { return height_; }
  int64_t width() const { return width_; }

  // The values that occur.
  const std::bitset<256>& values() const { return values_; }

  // A row's values, from column x on. Valid until the next call. 0 <= y < height.
  const uint8_t* Row(int64_t y, int64_t x);

 private:
  struct Band {
    int64_t first_row;
    size_t runs;  // where they begin in the file
  };

  const uint8_t* file_ = nullptr;
  int64_t height_ = 0, width_ = 0;
  std::bitset<256> values_;
  std::vector<Band> bands_;  // and one behind the last row
  size_t current_ = 0;       // the band whose row is in row_
  bool is_expanded_ = false;
  std::vector<uint8_t> row_;
};

// Height and width of a map, of which no more is looked at. Throws LabelError.
void ReadRunsSize(const uint8_t* file, size_t size, int64_t* height, int64_t* width);

// A map of zeros. height, width >= 1, and at most 2^27 pixels.
std::vector<uint8_t> BlankRuns(int64_t height, int64_t width);

}  // namespace dali_voc
