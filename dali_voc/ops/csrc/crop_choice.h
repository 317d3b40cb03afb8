// Chooses a crop by what the label shows there, in index space.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "color_table.h"
#include "crop_window.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace dali_voc {

struct Window {
  Span y, x;  // in scaled pixels
};

// A label as classes, one after another, row by row; kUnknown where there is none.
struct ClassPicture {
  const uint16_t* classes;
  Scaling y, x;

  const uint16_t* Row(int64_t scaled_row) const {
    return classes + y.Source(scaled_row) * x.source;
  }
};

// Counts classes; anything from `size` on (kUnknown) goes into one bin at the end.
class ClassCounts {
 public:
  explicit ClassCounts(int size) : counts_(size + 1) {}
  void Clear() { std::fill(counts_.begin(), counts_.end(), 0); }
  void Add(uint16_t value, int64_t times) {
    counts_[std::min<size_t>(value, counts_.size() - 1)] += times;
  }
  int64_t operator[](int value) const { return counts_[value]; }
  int size() const { return static_cast<int>(counts_.size()) - 1; }

 private:
  std::vector<int64_t> counts_;
};

// The first of n values from `begin` on that is not as that one is.
inline int64_t RunEnd(const uint16_t* values, int64_t begin, int64_t n) {
  const uint16_t value = values[begin];
  int64_t end = begin + 1;
#ifdef __SSE2__
  const __m128i same = _mm_set1_epi16(static_cast<int16_t>(value));
  for (; end + 8 <= n; end += 8) {
    const __m128i next = _mm_loadu_si128(reinterpret_cast<const __m128i*>(values + end));
    const unsigned alike = _mm_movemask_epi8(_mm_cmpeq_epi16(next, same));
    if (alike != 0xffff) return end + __builtin_ctz(~alike) / 2;
  }
#endif
  while (end < n && values[end] == value) end++;
  return end;
}

// Calls visit(value, begin, end) for each run of equal values.
template <typename Visit>
void ForEachRun(const uint16_t* values, int64_t n, Visit visit) {
  for (int64_t begin = 0; begin < n;) {
    const int64_t end = RunEnd(values, begin, n);
    visit(values[begin], begin, end);
    begin = end;
  }
}

// Whether no class fills more than `max_ratio` of the window's pixels that are not `ignore`; false
// where all are.
inline bool IsMixed(const ClassPicture& picture, const Window& window, double max_ratio, int ignore,
                    ClassCounts* counts) {
  counts->Clear();
  // labels come in runs, and enlarged pictures repeat columns and rows: what is counted is how
  // many of the window's columns show the source columns before each
  const int64_t first = picture.x.Source(window.x.start);
  const int64_t last = picture.x.Source(window.x.start + window.x.size - 1);
  const int64_t columns = last + 1 - first;
  static thread_local std::vector<int64_t> shown;
  shown.assign(columns + 1, 0);
  for (int64_t j = 0; j < window.x.size; j++)
    shown[picture.x.Source(window.x.start + j) - first + 1]++;
  for (int64_t j = 0; j < columns; j++) shown[j + 1] += shown[j];
  for (int64_t i = 0; i < window.y.size;) {
    const uint16_t* row = picture.Row(window.y.start + i);
    int64_t times = 1;
    while (i + times < window.y.size && picture.Row(window.y.start + i + times) == row) times++;
    ForEachRun(row + first, columns, [&](uint16_t value, int64_t begin, int64_t end) {
      counts->Add(value, times * (shown[end] - shown[begin]));
    });
    i += times;
  }
  int64_t total = 0, largest = 0;
  for (int value = 0; value < counts->size(); value++) {
    if (value == ignore) continue;
    total += (*counts)[value];
    largest = std::max(largest, (*counts)[value]);
  }
  // in integers: the ratio was a decimal number before a float rounded it, and 0.9 of ten are nine
  constexpr int64_t kDigits = 10'000'000;
  const auto ratio = static_cast<int64_t>(max_ratio * kDigits + 0.5);
  return total > 0 && largest * kDigits <= ratio * total;
}

struct SourcePixel {
  int64_t y, x;
};

// Draws a class among those present but `ignore`, by weight, and one of its pixels; both numbers in
// [0, 1).
// Returns false where no class with a weight is present.
inline bool DrawPixel(const ClassPicture& picture, const std::vector<float>& weights, int ignore,
                      double class_number, double pixel_number, ClassCounts* counts,
                      SourcePixel* pixel) {
  counts->Clear();
  auto is_wanted = [&](int value) { return value != ignore && (*counts)[value] > 0; };
  int64_t pixels = picture.y.source * picture.x.source;
  ForEachRun(picture.classes, pixels,
             [&](uint16_t value, int64_t begin, int64_t end) { counts->Add(value, end - begin); });
  int known = std::min(counts->size(), static_cast<int>(weights.size()));
  double total = 0;
  for (int value = 0; value < known; value++)
    if (is_wanted(value)) total += weights[value];
  if (total <= 0) return false;
  double mark = class_number * total;
  int drawn = -1;
  for (int value = 0; value < known && (drawn < 0 || mark >= 0); value++) {
    if (!is_wanted(value) || weights[value] <= 0) continue;
    drawn = value;
    mark -= weights[value];
  }
  if (!(pixel_number >= 0 && pixel_number < 1)) return false;
  int64_t skip = static_cast<int64_t>(pixel_number * static_cast<double>((*counts)[drawn]));
  for (int64_t i = 0; i < pixels; i++) {
    if (picture.classes[i] != drawn || skip-- > 0) continue;
    *pixel = {i / picture.x.source, i % picture.x.source};
    return true;
  }
  return false;
}

}  // namespace dali_voc
