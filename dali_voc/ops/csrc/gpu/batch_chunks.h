// One launch for pictures of all sizes: each is divided into chunks, and the chunks of the batch
// are numbered through. Host compilers and NVRTC build it.
#pragma once

#include <cstdint>

namespace dali_voc {

// Which sample chunk `chunk` belongs to: first[i] <= chunk < first[i + 1], of `n` samples. Samples
// without a chunk are never the answer.
inline int SampleOfChunk(const int32_t* first, int n, int32_t chunk) {
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
