// The kernels as PTX, one image for each .cu file; compile_kernels.py makes the list.
#pragma once

namespace dali_voc {

struct KernelImage {
  const char* name;  // of the file, without its ending
  const char* ptx;   // ends with a 0
};

// Ends with two nulls.
extern const KernelImage kKernelImages[];

}  // namespace dali_voc
