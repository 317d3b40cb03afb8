// All kernels, built for the host.
#include "kernels.h"

#include "on_cpu.h"
//
#include "gpu/color_to_index.cu"
#include "gpu/copy_rows.cu"
#include "gpu/crop_filters.cu"
#include "gpu/crop_label.cu"
#include "gpu/crop_plain.cu"
#include "gpu/crop_resize.cu"
#include "gpu/crop_rotate.cu"
#include "gpu/png_pixels.cu"
#include "gpu/png_undo.cu"

#define KERNEL(name) {#name, on_cpu::Unpacked(name)}

const std::map<std::string, std::function<void(void**)>>& Kernels() {
  static const std::map<std::string, std::function<void(void**)>> kernels = {
      KERNEL(color_to_index_1),   KERNEL(color_to_index_4),   KERNEL(color_to_index_8),
      KERNEL(copy_rows),          KERNEL(crop_plain_f32_chw), KERNEL(crop_plain_f32_hwc),
      KERNEL(crop_plain_f16_chw), KERNEL(crop_plain_f16_hwc), KERNEL(crop_plain_u8_chw),
      KERNEL(crop_plain_u8_hwc),  KERNEL(crop_resize_f32),    KERNEL(crop_resize_f16),
      KERNEL(crop_resize_u8),     KERNEL(crop_rotate_f32),    KERNEL(crop_rotate_f16),
      KERNEL(crop_rotate_u8),     KERNEL(crop_filters),       KERNEL(crop_label_1),
      KERNEL(crop_label_4),       KERNEL(crop_label_8),       KERNEL(png_classes_1),
      KERNEL(png_classes_4),      KERNEL(png_classes_8),      KERNEL(png_rgb),
      KERNEL(png_undo),
  };
  return kernels;
}

void RunKernel(const std::function<void(void**)>& kernel, unsigned blocks, unsigned threads,
               void** arguments) {
  on_cpu::RunGrid(blocks, threads, [&] { kernel(arguments); });
}
