// LaunchMemory out of DALI's pools.
#pragma once

#include <cstddef>
#include <cstring>
#include <vector>

#include "dali/core/mm/memory.h"
#include "gpu/cuda_driver.h"
#include "gpu/launch_memory.h"

namespace dali_voc {

// Freed in the order of the stream: this object may go at once when the kernels are launched.
class DaliMemory : public LaunchMemory {
 public:
  explicit DaliMemory(cudaStream_t stream) : stream_(stream) {}
  CUstream stream() const override { return stream_; }
  void* Device(size_t bytes) override {
    device_.push_back(dali::mm::alloc_raw_async_unique<char, dali::mm::memory_kind::device>(
        bytes, stream_, stream_, 256));
    return device_.back().get();
  }
  void* Copy(const void* from, size_t bytes) override {
    const Staged staged = Stage(bytes);
    memcpy(staged.host, from, bytes);
    Send(staged);
    return staged.device;
  }
  Staged Stage(size_t bytes) override {
    host_.push_back(dali::mm::alloc_raw_async_unique<char, dali::mm::memory_kind::pinned>(
        bytes, dali::mm::host_sync, stream_, 256));
    return {host_.back().get(), static_cast<char*>(Device(bytes)), bytes};
  }
  void Send(const Staged& staged) override {
    CheckCuda(CudaDriver::Get().MemcpyHtoDAsync(reinterpret_cast<CUdeviceptr>(staged.device),
                                                staged.host, staged.bytes, stream_),
              "copying to the GPU");
  }

 private:
  cudaStream_t stream_;
  std::vector<dali::mm::async_uptr<char>> device_, host_;
};

}  // namespace dali_voc
