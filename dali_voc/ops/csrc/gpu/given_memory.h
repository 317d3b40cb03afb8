// Memory for launchers that are called outside DALI: dali_voc/ops/_kernels.
#pragma once

#include <cuda.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <vector>

#include "gpu/cuda_driver.h"
#include "gpu/launch_memory.h"

namespace dali_voc {

// Memory of the caller's, used up piece by piece.
class GivenMemory : public LaunchMemory {
 public:
  // `scratch` is device memory. `host`, which is optional, is where copies are put together: if it
  // is page-locked, they are fast, and it must stay as it is until they are done.
  GivenMemory(CUstream stream, void* scratch, size_t size, void* host = nullptr,
              size_t host_size = 0)
      : stream_(stream), device_(scratch, size), host_(host, host_size) {}
  CUstream stream() const override { return stream_; }
  void* Device(size_t bytes) override { return device_.Take(bytes); }
  void* Copy(const void* from, size_t bytes) override {
    const Staged staged{const_cast<char*>(static_cast<const char*>(from)),
                        static_cast<char*>(Device(bytes)), bytes};
    Send(staged);
    return staged.device;
  }
  Staged Stage(size_t bytes) override {
    char* host = host_.size() ? host_.Take(bytes) : own_.emplace_back(new char[bytes]).get();
    return {host, static_cast<char*>(Device(bytes)), bytes};
  }
  void Send(const Staged& staged) override {
    CheckCuda(CudaDriver::Get().MemcpyHtoDAsync(reinterpret_cast<CUdeviceptr>(staged.device),
                                                staged.host, staged.bytes, stream_),
              "copying to the GPU");
  }

 private:
  class Pieces {
   public:
    Pieces(void* memory, size_t size)
        : next_(static_cast<char*>(memory)), left_(size), size_(size) {}
    char* Take(size_t bytes) {
      bytes = (bytes + 255) / 256 * 256;
      if (bytes > left_) throw std::runtime_error("the scratch memory is too small");
      char* piece = next_;
      next_ += bytes;
      left_ -= bytes;
      return piece;
    }
    size_t size() const { return size_; }

   private:
    char* next_;
    size_t left_, size_;
  };

  CUstream stream_;
  Pieces device_, host_;
  std::vector<std::unique_ptr<char[]>> own_;  // pageable: copied from before a copy returns
};

}  // namespace dali_voc
