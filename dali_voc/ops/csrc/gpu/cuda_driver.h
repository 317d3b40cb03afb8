// The CUDA driver, which is there only on machines with a GPU: found when it is first asked for, so
// that the library loads everywhere.
#pragma once

#include <cuda.h>

#include <string>

namespace dali_voc {

struct CudaDriver {
  decltype(&::cuCtxGetCurrent) CtxGetCurrent;
  decltype(&::cuCtxGetDevice) CtxGetDevice;
  decltype(&::cuDeviceGetAttribute) DeviceGetAttribute;
  decltype(&::cuModuleLoadDataEx) ModuleLoadDataEx;
  decltype(&::cuModuleGetFunction) ModuleGetFunction;
  decltype(&::cuLaunchKernel) LaunchKernel;
  decltype(&::cuOccupancyMaxActiveBlocksPerMultiprocessor)
      OccupancyMaxActiveBlocksPerMultiprocessor;
  decltype(&::cuMemcpyHtoDAsync) MemcpyHtoDAsync;
  decltype(&::cuMemcpyDtoDAsync) MemcpyDtoDAsync;
  decltype(&::cuGetErrorName) GetErrorName;
  decltype(&::cuGetErrorString) GetErrorString;

  // Throws std::runtime_error where there is no driver, or one without these functions.
  static const CudaDriver& Get();
  // For tests: another library than libcuda.so.1; null: that again.
  static void Use(const char* library);
};

// Throws std::runtime_error, saying what failed and why, unless `result` is success.
void CheckCuda(CUresult result, const std::string& what);

// The context of the calling thread; throws std::runtime_error where it has none.
CUcontext CurrentContext();

}  // namespace dali_voc
