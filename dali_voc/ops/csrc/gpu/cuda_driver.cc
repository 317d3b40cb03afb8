#include "gpu/cuda_driver.h"

#include <dlfcn.h>

#include <atomic>
#include <stdexcept>

#include "c_interface.h"

namespace dali_voc {
namespace {

template <typename Function>
void Find(void* library, const char* name, Function* function) {
  *function = reinterpret_cast<Function>(dlsym(library, name));
  if (!*function)
    throw std::runtime_error(std::string("libcuda.so.1 has no ") + name +
                             ", expected the driver of CUDA 12.0 or later (525)");
}

// cuda.h gives functions the names of their current versions, which only it knows as plain ones.
CudaDriver Load(const char* name) {
  void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!library) throw std::runtime_error(std::string("there is no CUDA driver: ") + dlerror());
  CudaDriver driver{};
  Find(library, "cuCtxGetCurrent", &driver.CtxGetCurrent);
  Find(library, "cuCtxGetDevice", &driver.CtxGetDevice);
  Find(library, "cuDeviceGetAttribute", &driver.DeviceGetAttribute);
  Find(library, "cuModuleLoadDataEx", &driver.ModuleLoadDataEx);
  Find(library, "cuModuleGetFunction", &driver.ModuleGetFunction);
  Find(library, "cuLaunchKernel", &driver.LaunchKernel);
  Find(library, "cuOccupancyMaxActiveBlocksPerMultiprocessor",
       &driver.OccupancyMaxActiveBlocksPerMultiprocessor);
  Find(library, "cuMemcpyHtoDAsync_v2", &driver.MemcpyHtoDAsync);
  Find(library, "cuMemcpyDtoDAsync_v2", &driver.MemcpyDtoDAsync);
  Find(library, "cuGetErrorName", &driver.GetErrorName);
  Find(library, "cuGetErrorString", &driver.GetErrorString);
  return driver;
}

std::atomic<const CudaDriver*> in_its_place{nullptr};

}  // namespace

const CudaDriver& CudaDriver::Get() {
  if (const CudaDriver* other = in_its_place) return *other;
  static const CudaDriver driver = Load("libcuda.so.1");
  return driver;
}

void CudaDriver::Use(const char* library) {
  in_its_place = library ? new CudaDriver(Load(library)) : nullptr;
}

void CheckCuda(CUresult result, const std::string& what) {
  if (result == CUDA_SUCCESS) return;
  const char *name = nullptr, *text = nullptr;
  CudaDriver::Get().GetErrorName(result, &name);
  CudaDriver::Get().GetErrorString(result, &text);
  throw std::runtime_error(what + " failed with " + (name ? name : std::to_string(result)) + " (" +
                           (text ? text : "unknown to the driver") + ")");
}

CUcontext CurrentContext() {
  CUcontext context = nullptr;
  CheckCuda(CudaDriver::Get().CtxGetCurrent(&context), "cuCtxGetCurrent");
  if (!context) throw std::runtime_error("this thread has no CUDA context");
  return context;
}

}  // namespace dali_voc

DALI_VOC_EXPORT int dali_voc_use_driver(const char* library, char* error, size_t error_size) {
  return dali_voc::Guarded(error, error_size, [&] { dali_voc::CudaDriver::Use(library); });
}
