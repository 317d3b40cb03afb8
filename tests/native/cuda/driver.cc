// A CUDA driver without a GPU: memory is the host's, and kernels run as on_cpu.h says. It has what
// the library asks for, and counts what it is asked to do.
#include <cuda.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "kernels.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

struct Module {
  std::string ptx;
};
struct Function {
  const std::function<void(void**)>* run;
};

int launches = 0, context = 0, other_context = 0;
bool refuses = false;
CUcontext current = reinterpret_cast<CUcontext>(&context);

void* Host(CUdeviceptr p) { return reinterpret_cast<void*>(p); }

}  // namespace

EXPORT int fake_cuda_launches() { return launches; }
// A driver too old for the PTX, in a context into which nothing has been loaded yet.
EXPORT void fake_cuda_refuse_modules(int refused) {
  refuses = refused;
  current = reinterpret_cast<CUcontext>(refused ? &other_context : &context);
}
EXPORT void fake_cuda_lose_context(int lost) {
  current = lost ? nullptr : reinterpret_cast<CUcontext>(&context);
}

EXPORT CUresult cuCtxGetCurrent(CUcontext* out) { return *out = current, CUDA_SUCCESS; }
EXPORT CUresult cuCtxGetDevice(CUdevice* device) { return *device = 0, CUDA_SUCCESS; }
EXPORT CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute what, CUdevice) {
  if (what != CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT) return CUDA_ERROR_INVALID_VALUE;
  return *value = 2, CUDA_SUCCESS;
}
EXPORT CUresult cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned int n,
                                   CUjit_option* options, void** values) {
  const char* ptx = static_cast<const char*>(image);
  if (refuses || !strstr(ptx, ".target sm_50")) {
    for (unsigned i = 0; i < n; i++)
      if (options[i] == CU_JIT_ERROR_LOG_BUFFER)
        strcpy(static_cast<char*>(values[i]), "this is no PTX for sm_50");
    return CUDA_ERROR_INVALID_PTX;
  }
  *module = reinterpret_cast<CUmodule>(new Module{ptx});
  return CUDA_SUCCESS;
}
EXPORT CUresult cuModuleGetFunction(CUfunction* function, CUmodule module, const char* name) {
  const std::string& ptx = reinterpret_cast<Module*>(module)->ptx;
  const auto found = Kernels().find(name);
  if (ptx.find(std::string(".entry ") + name + "(") == std::string::npos ||
      found == Kernels().end())
    return CUDA_ERROR_NOT_FOUND;
  *function = reinterpret_cast<CUfunction>(new Function{&found->second});
  return CUDA_SUCCESS;
}
EXPORT CUresult cuLaunchKernel(CUfunction function, unsigned gx, unsigned gy, unsigned gz,
                               unsigned bx, unsigned by, unsigned bz, unsigned shared, CUstream,
                               void** arguments, void**) {
  // what a GPU refuses
  if (gx < 1 || gy != 1 || gz != 1 || bx < 1 || bx > 1024 || by != 1 || bz != 1 || shared)
    return CUDA_ERROR_INVALID_VALUE;
  launches++;
  RunKernel(*reinterpret_cast<Function*>(function)->run, gx, bx, arguments);
  return CUDA_SUCCESS;
}
EXPORT CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUfunction, int threads,
                                                            size_t) {
  return *blocks = 2048 / threads, CUDA_SUCCESS;
}
EXPORT CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t n, CUstream) {
  return memcpy(Host(to), from, n), CUDA_SUCCESS;
}
EXPORT CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t n, CUstream) {
  return memcpy(Host(to), Host(from), n), CUDA_SUCCESS;
}
EXPORT CUresult cuGetErrorName(CUresult result, const char** name) {
  *name = result == CUDA_ERROR_NOT_FOUND ? "CUDA_ERROR_NOT_FOUND" : "CUDA_ERROR";
  return CUDA_SUCCESS;
}
EXPORT CUresult cuGetErrorString(CUresult, const char** text) {
  *text = "as the test's driver says";
  return CUDA_SUCCESS;
}
