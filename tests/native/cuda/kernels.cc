// All kernels, built for the host.
#include "kernels.h"

#include "on_cpu.h"
//
#include "gpu/color_to_index.cu"
#include "gpu/copy_rows.cu"
#include "gpu/png_pixels.cu"
#include "gpu/png_undo.cu"

#define KERNEL(name) {#name, on_cpu::Unpacked(name)}

const std::map<std::string, std::function<void(void**)>>& Kernels() {
  static const std::map<std::string, std::function<void(void**)>> kernels = {
      KERNEL(copy_rows),        KERNEL(color_to_index_1), KERNEL(color_to_index_4),
      KERNEL(color_to_index_8), KERNEL(png_classes_1),    KERNEL(png_classes_4),
      KERNEL(png_classes_8),    KERNEL(png_rgb),          KERNEL(png_undo),
  };
  return kernels;
}

void RunKernel(const std::function<void(void**)>& kernel, unsigned blocks, unsigned threads,
               void** arguments) {
  on_cpu::RunGrid(blocks, threads, [&] { kernel(arguments); });
}
