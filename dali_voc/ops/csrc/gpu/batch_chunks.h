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
  if (guess < static_cast<uint32_t>(n) && first[guess] <= chunk && chunk < first[guess + 1])
    return static_cast<int>(guess);
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
