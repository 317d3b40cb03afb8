// A kernel of ours: compiled by the driver when it is first launched in a context.
#pragma once

#include <cuda.h>

#include <map>
#include <mutex>

namespace dali_voc {

// Thread-safe. Modules stay loaded until their context ends. Nothing of it is destroyed when the
// program ends: a pipeline that nobody has closed may still be running then.
class Kernel {
 public:
  // `image`: name in kKernelImages; `function`: one of its kernels.
  Kernel(const char* image, const char* function) : image_(image), function_(function) {}

  // One-dimensional, with the arguments that the kernel takes. Throws std::runtime_error.
  template <typename... Arguments>
  void Launch(CUstream stream, unsigned blocks, unsigned threads, Arguments... arguments) {
    void* pointers[] = {&arguments...};
    Launch(stream, blocks, threads, pointers);
  }

  // How many blocks of it run at once on the GPU of the calling thread's context. Throws
  // std::runtime_error.
  int MostBlocks(int threads);

 private:
  void Launch(CUstream stream, unsigned blocks, unsigned threads, void** arguments);
  CUfunction InContext(CUcontext context);

  const char *image_, *function_;
  std::mutex& mutex_ = *new std::mutex;
  std::map<CUcontext, CUfunction>& functions_ = *new std::map<CUcontext, CUfunction>;
};

// How many multiprocessors the GPU of the calling thread's context has.
int Multiprocessors();

}  // namespace dali_voc
