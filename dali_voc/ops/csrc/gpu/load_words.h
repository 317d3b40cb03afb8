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

// Whether LoadRows may read so many rows' words.
template <int kWords>
inline bool RowsReadable(uint64_t at, int64_t stride, int rows, const Readable& readable) {
  const uint64_t last = at + (rows - 1) * stride;
  return at - at % 4 >= readable.begin && last - last % 4 + 4 * (kWords + 1) <= readable.end;
}

// As LoadWords, of several rows that lie `stride` bytes apart. All of them are asked for before the
// first is used.
template <int kRows, int kWords>
inline void LoadRows(uint64_t at, int64_t stride, uint32_t (&words)[kRows][kWords]) {
  uint32_t read[kRows][kWords + 1];
#pragma unroll
  for (int k = 0; k < kRows; k++) {
    const uint64_t from = at + k * stride;
    const uint32_t* word = reinterpret_cast<const uint32_t*>(from - from % 4);
#pragma unroll
    for (int i = 0; i <= kWords; i++) read[k][i] = __ldg(word + i);
  }
#pragma unroll
  for (int k = 0; k < kRows; k++) {
    const int shift = static_cast<int>((at + k * stride) % 4);
#pragma unroll
    for (int i = 0; i < kWords; i++) words[k][i] = WordAt(read[k][i], read[k][i + 1], shift);
  }
}

// Byte i of what LoadWords gave; i is to be known to the compiler.
inline uint8_t ByteOf(const uint32_t* words, int i) {
  return static_cast<uint8_t>(words[i / 4] >> (8 * (i % 4)));
}

}  // namespace dali_voc
