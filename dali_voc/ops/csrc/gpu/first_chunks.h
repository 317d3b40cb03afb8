// Numbers the chunks of a batch through, see batch_chunks.h. For launchers.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <vector>

namespace dali_voc {

constexpr int64_t kMostChunks = INT32_MAX;

// How many chunks of this size hold so many items.
inline int64_t ChunksOf(int64_t items, int64_t size) { return (items + size - 1) / size; }

// Where those of each part begin, and, last, how many there are; `chunks` is how many each has.
inline std::vector<int32_t> FirstChunks(const std::vector<int64_t>& chunks) {
  std::vector<int32_t> first(chunks.size() + 1);
  int64_t all = 0;
  for (size_t i = 0; i < chunks.size(); i++) {
    all += chunks[i];
    if (all > kMostChunks) throw std::runtime_error("the batch is too large");
    first[i + 1] = static_cast<int32_t>(all);
  }
  return first;
}

}  // namespace dali_voc
