// Bytes from anywhere in memory, by whole words. For kernels.
#pragma once

#include <cstdint>

#include "gpu/words.h"

namespace dali_voc {

// Memory that may be read, as numbers.
struct Readable {
  uint64_t begin, end;
};

// The 4 * kWords bytes at `at`; those that may not be read are 0. Nearly always the words that hold
// them may be read whole; only at both ends of a picture the bytes go singly.
template <int kWords>
inline void LoadWords(uint64_t at, const Readable& readable, uint32_t (&words)[kWords]) {
  const int shift = static_cast<int>(at % 4);
  const uint64_t from = at - shift;
  if (from >= readable.begin && from + 4 * kWords + (shift ? 4 : 0) <= readable.end) {
    const uint32_t* word = reinterpret_cast<const uint32_t*>(from);
#pragma unroll
    for (int i = 0; i < kWords; i++) words[i] = __ldg(word + i);
    if (!shift) return;
    const uint32_t last = __ldg(word + kWords);
#pragma unroll
    for (int i = 0; i < kWords; i++)
      words[i] = WordAt(words[i], i + 1 < kWords ? words[i + 1] : last, shift);
  } else {
#pragma unroll
    for (int i = 0; i < kWords; i++) {
      words[i] = 0;
#pragma unroll 1
      for (int k = 0; k < 4; k++) {
        const uint64_t byte = at + 4 * i + k;
        if (byte >= readable.begin && byte < readable.end)
          words[i] |= static_cast<uint32_t>(__ldg(reinterpret_cast<const uint8_t*>(byte)))
                      << (8 * k);
      }
    }
  }
}

// Byte i of what LoadWords gave; i is to be known to the compiler.
inline uint8_t ByteOf(const uint32_t* words, int i) {
  return static_cast<uint8_t>(words[i / 4] >> (8 * (i % 4)));
}

}  // namespace dali_voc
