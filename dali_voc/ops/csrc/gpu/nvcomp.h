// nvCOMP's batched inflating. Its library, a wheel that DALI asks for, is found at run time by the
// path that Python gives, and is never linked.
#pragma once

#include <cuda.h>
#include <nvcomp/deflate.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace dali_voc {

// All arrays lie in device memory, one element for each of the `n` streams of raw deflate data.
struct InflateBatch {
  const void* const* streams;  // each at a multiple of Nvcomp::kAlignment
  const size_t* stream_sizes;
  void* const* out;
  const size_t* out_sizes;   // room
  size_t* written;           // set: bytes that came out
  nvcompStatus_t* statuses;  // set; a stream that needs more room gets an error
  size_t n;
  size_t largest, total;  // of out_sizes
};

// A stream that is not what a deflate encoder makes is undefined behaviour to nvCOMP, whatever it
// may report about it.
class Nvcomp {
 public:
  static constexpr size_t kAlignment = 16;  // nvCOMP asks for less, and says that more helps

  // The library at a path, loaded once. Throws std::runtime_error where it is missing, of another
  // version, or wants a larger alignment.
  static const Nvcomp& At(const std::string& path);

  // Device memory that Inflate needs besides.
  size_t RoomFor(const InflateBatch& batch) const;
  // Queues it on the stream, on the GPU of the current context. Throws std::runtime_error.
  void Inflate(const InflateBatch& batch, void* room, size_t room_size, CUstream stream) const;

 private:
  explicit Nvcomp(const std::string& path);
  void Check(nvcompStatus_t status, const char* what) const;

  decltype(&::nvcompGetProperties) get_properties_;
  decltype(&::nvcompGetStatusString) get_status_string_;
  decltype(&::nvcompBatchedDeflateDecompressGetRequiredAlignments) get_alignments_;
  decltype(&::nvcompBatchedDeflateDecompressGetTempSizeAsync) get_room_;
  decltype(&::nvcompBatchedDeflateDecompressAsync) inflate_;
};

}  // namespace dali_voc
