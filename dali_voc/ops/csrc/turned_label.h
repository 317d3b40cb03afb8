// Turning the finished crop of a label about its centre.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "stream_store.h"
#include "turned_places.h"

namespace dali_voc {

// Nearest neighbour: each pixel shows what lay under its centre, or `ignore`.
template <typename T>
void RotateLabel(const uint16_t* from, int64_t height, int64_t width, const Rotation& by, T ignore,
                 T* out) {
  std::vector<T> row(width);
  for (int64_t i = 0; i < height; i++, out += width) {
    const TurnedPlaces places(by, height, width, i);
    auto is_inside = [&](int64_t j) {
      const TurnedPlace at = places.At(j);
      return at[0] >= 0 && at[1] >= 0 && at[0] < static_cast<double>(width) &&
             at[1] < static_cast<double>(height);
    };
    const Columns inside = ColumnsInside(width, is_inside);
    std::fill(row.begin(), row.begin() + inside.begin, ignore);
    for (int64_t j = inside.begin; j < inside.end; j++) {
      const PixelAt at = PixelOf(places.At(j));
      row[j] = static_cast<T>(from[at.y * width + at.x]);
    }
    std::fill(row.begin() + inside.end, row.end(), ignore);
    StreamCopy(row.data(), width, out);
  }
  FinishStream();
}

}  // namespace dali_voc
