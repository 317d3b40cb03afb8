// One launch for pictures of all sizes: each is divided into chunks, and the chunks of the batch
// are numbered through. Host compilers and NVRTC build it.
#pragma once

#include <cstdint>

namespace dali_voc {

// Which sample chunk `chunk` belongs to: first[i] <= chunk < first[i + 1], of `n` samples. Samples
// without a chunk are never the answer.
inline int SampleOfChunk(const int32_t* first, int n, int32_t chunk) {
  // Every block begins with this, and each look waits for the one before: where all samples have
  // as many chunks, as crops have, there is one.
  const uint32_t each = static_cast<uint32_t>(first[1] - first[0]);
  const uint32_t guess = each ? static_cast<uint32_t>(chunk) / each : 0;
  const uint32_t near = guess < static_cast<uint32_t>(n) ? guess : 0;
  const int32_t begin = first[near], end = first[near + 1];
  if (begin <= chunk && chunk < end) return static_cast<int>(near);
  int low = 0, high = n;  // first[low] <= chunk < first[high]
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    if (first[middle] <= chunk)
      low = middle;
    else
      high = middle;
  }
  return low;
}

}  // namespace dali_voc
