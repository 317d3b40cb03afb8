// nvCOMP without a GPU: "device" memory is the host's, and libdeflate inflates. It demands what the
// headers demand, and counts what it is asked to do.
#include <libdeflate.h>
#include <nvcomp/deflate.h>

#include <cstdint>
#include <cstring>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

constexpr size_t kRoom = 1000;  // the real one needs none; somebody else's version may
int calls = 0, version = NVCOMP_VER;
nvcompStatus_t answer = nvcompSuccess;

// Of streams of exactly this many bytes, a status and a size are made up.
size_t odd_stream = 0, odd_written = 0;
nvcompStatus_t odd_status = nvcompSuccess;

bool Sound(const nvcompBatchedDeflateDecompressOpts_t& options) {
  for (char byte : options.reserved)
    if (byte) return false;
  return options.backend == NVCOMP_DECOMPRESS_BACKEND_CUDA;
}

bool IsAligned(const void* p, size_t to) { return reinterpret_cast<uintptr_t>(p) % to == 0; }

}  // namespace

EXPORT int fake_nvcomp_calls() { return calls; }
EXPORT void fake_nvcomp_answer(int status) { answer = static_cast<nvcompStatus_t>(status); }
EXPORT void fake_nvcomp_odd(size_t stream_size, int status, size_t written) {
  odd_stream = stream_size;
  odd_status = static_cast<nvcompStatus_t>(status);
  odd_written = written;
}

EXPORT nvcompStatus_t nvcompGetProperties(nvcompProperties_t* properties) {
  return *properties = {static_cast<uint32_t>(version), 12000}, nvcompSuccess;
}
EXPORT const char* nvcompGetStatusString(nvcompStatus_t) { return "as the test's nvCOMP says"; }
EXPORT nvcompStatus_t nvcompBatchedDeflateDecompressGetRequiredAlignments(
    nvcompBatchedDeflateDecompressOpts_t options, nvcompAlignmentRequirements_t* needed) {
  if (!Sound(options)) return nvcompErrorInvalidValue;
  return *needed = {8, 4, 16}, nvcompSuccess;
}
EXPORT nvcompStatus_t nvcompBatchedDeflateDecompressGetTempSizeAsync(
    size_t n, size_t largest, nvcompBatchedDeflateDecompressOpts_t options, size_t* bytes,
    size_t total) {
  if (!Sound(options) || largest > total || total > n * largest) return nvcompErrorInvalidValue;
  return *bytes = kRoom, nvcompSuccess;
}
EXPORT nvcompStatus_t nvcompBatchedDeflateDecompressAsync(
    const void* const* streams, const size_t* stream_sizes, const size_t* out_sizes,
    size_t* written, size_t n, void* const room, size_t room_size, void* const* out,
    nvcompBatchedDeflateDecompressOpts_t options, nvcompStatus_t* statuses, cudaStream_t) {
  calls++;
  if (answer != nvcompSuccess) return answer;
  if (!Sound(options) || room_size < kRoom || !IsAligned(room, 16)) return nvcompErrorInvalidValue;
  memset(room, 0xab, room_size);
  libdeflate_decompressor* inflater = libdeflate_alloc_decompressor();
  for (size_t i = 0; i < n; i++) {
    if (!IsAligned(streams[i], 8) || !IsAligned(out[i], 4)) {
      libdeflate_free_decompressor(inflater);
      return nvcompErrorAlignment;
    }
    size_t read = 0;
    const libdeflate_result result = libdeflate_deflate_decompress_ex(
        inflater, streams[i], stream_sizes[i], out[i], out_sizes[i], &read, &written[i]);
    statuses[i] = result == LIBDEFLATE_SUCCESS ? nvcompSuccess : nvcompErrorCannotDecompress;
    // what a failed one leaves is not specified
    if (result != LIBDEFLATE_SUCCESS) written[i] = out_sizes[i];
    if (stream_sizes[i] == odd_stream) {
      statuses[i] = odd_status;
      written[i] = odd_written;
    }
  }
  libdeflate_free_decompressor(inflater);
  return nvcompSuccess;
}
