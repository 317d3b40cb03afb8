// Inflates a PNG's zlib stream, whole or as far as it is needed, by libdeflate.
#pragma once

#include <libdeflate.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "png_chunks.h"

namespace dali_voc {

// RFC 1950: deflate, a window of at most 32 KiB, no preset dictionary.
inline bool IsZlibHeader(const uint8_t* p) {
  return (p[0] & 15) == 8 && p[0] >> 4 <= 7 && (p[0] << 8 | p[1]) % 31 == 0 && !(p[1] & 0x20);
}

// Keeps its buffers between pictures. Not thread-safe: one per thread.
class PngInflater {
 public:
  PngInflater();

  // The whole stream, of exactly `size` bytes and with the right checksum (Adler-32). At least
  // kReach more bytes may be read, and written with what they hold. Valid until the next call;
  // throws LabelError.
  uint8_t* Whole(const PngChunks& chunks, int64_t size);

  // The first `size` bytes of a stream of at least that many; likewise. What comes behind them is
  // not looked at, nor is the checksum, which would take all of it.
  uint8_t* Prefix(const PngChunks& chunks, int64_t size);

  static constexpr int64_t kReach = 16;

 private:
  uint8_t* Room(int64_t size);

  struct Free {
    void operator()(libdeflate_decompressor* d) const { libdeflate_free_decompressor(d); }
  };
  std::unique_ptr<libdeflate_decompressor, Free> inflater_;
  std::vector<uint8_t> raw_;
};

}  // namespace dali_voc
