// Rows of bytes out of pictures, packed: what the kernel is given. Host compilers and NVRTC build
// it.
#pragma once

#include <cstdint>

namespace dali_voc {

struct RowsCopy {
  const uint8_t* from;
  uint8_t* to;
  int64_t stride;  // bytes between the beginnings of two rows of the source
  int64_t width;   // bytes of a row
  int64_t rows;
};

constexpr int kCopyWarps = 8;  // of a block; one row each at a time

// Rows by the number of blocks that they are divided into.
inline int64_t RowChunks(int64_t rows) { return (rows + kCopyWarps - 1) / kCopyWarps; }

}  // namespace dali_voc
