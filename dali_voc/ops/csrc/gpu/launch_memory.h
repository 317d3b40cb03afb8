// Where a launch puts what its kernel reads or writes besides the samples.
#pragma once

#include <cuda.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

namespace dali_voc {

// Memory that lives until the kernels launched on a stream have run.
class LaunchMemory {
 public:
  virtual ~LaunchMemory() = default;
  virtual CUstream stream() const = 0;
  // On the device, aligned to 256 bytes; what it holds is not specified.
  virtual void* Device(size_t bytes) = 0;
  // The same with a copy of what lies on the host, which may change once this has returned.
  virtual void* Copy(const void* from, size_t bytes) = 0;

  // The same for what is put together on the host, from which it goes fast: `host` is to be filled,
  // and goes to `device` by Send, once; the other ways of this class may be used in between.
  struct Staged {
    char *host, *device;
    size_t bytes;
  };
  virtual Staged Stage(size_t bytes) = 0;
  virtual void Send(const Staged& staged) = 0;

  template <typename T>
  T* Copy(const std::vector<T>& from) {
    return static_cast<T*>(Copy(from.data(), from.size() * sizeof(T)));
  }
};

// Places for several arrays in one copy, which is what takes time.
class Bundle {
 public:
  // Returns where in the bundle it is.
  template <typename T>
  size_t Add(const std::vector<T>& values) {
    const size_t at = (bytes_.size() + 15) / 16 * 16;
    bytes_.resize(at + values.size() * sizeof(T));
    if (!values.empty()) memcpy(bytes_.data() + at, values.data(), values.size() * sizeof(T));
    return at;
  }
  void Send(LaunchMemory* memory) {
    sent_ = static_cast<char*>(memory->Copy(bytes_.data(), std::max<size_t>(bytes_.size(), 1)));
  }
  template <typename T>
  T* At(size_t place) const {
    return reinterpret_cast<T*>(sent_ + place);
  }

 private:
  std::vector<char> bytes_;
  char* sent_ = nullptr;
};

}  // namespace dali_voc
