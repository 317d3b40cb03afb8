#include "gpu/kernel.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>

#include "c_interface.h"
#include "gpu/cuda_driver.h"
#include "gpu/kernel_images.h"

namespace dali_voc {
namespace {

const char* FindImage(const char* name) {
  for (const KernelImage* image = kKernelImages; image->name; image++)
    if (!strcmp(image->name, name)) return image->ptx;
  throw std::runtime_error(std::string("no kernel image is called ") + name);
}

// One module per image and context, however many of its kernels are used.
CUmodule LoadModule(CUcontext context, const char* image) {
  static auto& mutex = *new std::mutex;
  static auto& modules = *new std::map<std::pair<CUcontext, std::string>, CUmodule>;
  std::lock_guard<std::mutex> lock(mutex);
  CUmodule& module = modules[{context, image}];
  if (module) return module;
  char log[4096] = {};
  CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void* values[] = {log, reinterpret_cast<void*>(sizeof(log) - 1)};
  // before the text is put together, which arguments of one call need not be
  const CUresult result =
      CudaDriver::Get().ModuleLoadDataEx(&module, FindImage(image), 2, options, values);
  std::replace(std::begin(log), std::end(log), '\n', ' ');  // errors are one line
  CheckCuda(result, std::string("compiling the kernels of ") + image +
                        (log[0] ? std::string(" (") + log + ")" : ""));
  return module;
}

}  // namespace

CUfunction Kernel::InContext(CUcontext context) {
  std::lock_guard<std::mutex> lock(mutex_);
  CUfunction& function = functions_[context];
  if (!function)
    CheckCuda(
        CudaDriver::Get().ModuleGetFunction(&function, LoadModule(context, image_), function_),
        std::string("finding the kernel ") + function_);
  return function;
}

void Kernel::Launch(CUstream stream, unsigned blocks, unsigned threads, void** arguments) {
  CheckCuda(CudaDriver::Get().LaunchKernel(InContext(CurrentContext()), blocks, 1, 1, threads, 1, 1,
                                           0, stream, arguments, nullptr),
            std::string("launching the kernel ") + function_);
}

int Kernel::MostBlocks(int threads) {
  int blocks = 0;
  CheckCuda(CudaDriver::Get().OccupancyMaxActiveBlocksPerMultiprocessor(
                &blocks, InContext(CurrentContext()), threads, 0),
            std::string("asking how many blocks of the kernel ") + function_ + " fit");
  return std::max(1, blocks) * Multiprocessors();
}

int Multiprocessors() {
  CUdevice device = 0;
  CheckCuda(CudaDriver::Get().CtxGetDevice(&device), "cuCtxGetDevice");
  int number = 0;
  CheckCuda(CudaDriver::Get().DeviceGetAttribute(&number, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT,
                                                 device),
            "cuDeviceGetAttribute");
  return number;
}

}  // namespace dali_voc

// Names and texts of the kernel images; returns how many there are, at most `most`.
DALI_VOC_EXPORT int dali_voc_ptx_images(const char** names, const char** texts, int most) {
  int n = 0;
  for (; n < most && dali_voc::kKernelImages[n].name; n++) {
    names[n] = dali_voc::kKernelImages[n].name;
    texts[n] = dali_voc::kKernelImages[n].ptx;
  }
  return n;
}
