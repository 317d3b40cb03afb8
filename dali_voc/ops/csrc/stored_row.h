// A row of floats as it is stored in a crop of other values.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "crop_pixel.h"
#include "half_rows.h"

namespace dali_voc {

inline void StoreRow(const float* row, int64_t n, Half* to) { ToHalves(row, n, to); }
inline void StoreRow(const float* row, int64_t n, Bfloat16* to) { ToBfloat16(row, n, to); }
inline void StoreRow(const float* row, int64_t n, uint8_t* to) {
  for (int64_t i = 0; i < n; i++) Store(row[i], to + i);
}

// Keeps a buffer between rows.
template <typename Out>
class StoredRow {
 public:
  // Returns the row's n values; they stay until the next call.
  const Out* Of(const float* row, int64_t n) {
    if constexpr (std::is_same_v<Out, float>) {
      return row;
    } else {
      stored_.resize(n);
      StoreRow(row, n, stored_.data());
      return stored_.data();
    }
  }

 private:
  std::vector<Out> stored_;
};

}  // namespace dali_voc
