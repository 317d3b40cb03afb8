// The launchers for callers outside DALI, through ctypes: dali_voc/ops/_kernels.py.
#pragma once

#include <cuda.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <stdexcept>

#include "gpu/cuda_driver.h"
#include "gpu/launch_memory.h"

#define DALI_VOC_EXPORT extern "C" __attribute__((visibility("default")))

namespace dali_voc {

// Device memory of the caller's, used up piece by piece.
class GivenMemory : public LaunchMemory {
 public:
  GivenMemory(CUstream stream, void* scratch, size_t size)
      : stream_(stream), next_(static_cast<char*>(scratch)), left_(size) {}
  CUstream stream() const override { return stream_; }
  void* Device(size_t bytes) override {
    bytes = (bytes + 255) / 256 * 256;
    if (bytes > left_) throw std::runtime_error("the scratch memory is too small");
    void* piece = next_;
    next_ += bytes;
    left_ -= bytes;
    return piece;
  }
  void* Copy(const void* from, size_t bytes) override {
    void* to = Device(bytes);
    CheckCuda(
        CudaDriver::Get().MemcpyHtoDAsync(reinterpret_cast<CUdeviceptr>(to), from, bytes, stream_),
        "copying arguments");
    return to;
  }

 private:
  CUstream stream_;
  char* next_;
  size_t left_;
};

// Returns 0, or 1 with the exception's text in `error`.
template <typename Function>
int Guarded(char* error, size_t size, Function function) {
  try {
    function();
    return 0;
  } catch (const std::exception& e) {
    snprintf(error, size, "%s", e.what());
    return 1;
  }
}

}  // namespace dali_voc
