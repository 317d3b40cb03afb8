#include "gpu/color_mapper.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "c_interface.h"
#include "gpu/cuda_driver.h"
#include "gpu/first_chunks.h"
#include "gpu/given_memory.h"
#include "gpu/kernel.h"

namespace dali_voc {
namespace {

Kernel& KernelFor(int element_size) {
  static Kernel one("color_to_index", "color_to_index_1");
  static Kernel four("color_to_index", "color_to_index_4");
  static Kernel eight("color_to_index", "color_to_index_8");
  if (element_size == 1) return one;
  if (element_size == 4) return four;
  if (element_size == 8) return eight;
  throw std::runtime_error("color_to_index: elements have 1, 4 or 8 bytes");
}

}  // namespace

void ColorMapper::Run(const std::vector<ColorPicture>& pictures, int element_size,
                      UnknownColors* unknown, LaunchMemory* memory) const {
  const int n = static_cast<int>(pictures.size());
  if (n == 0) return;
  std::vector<int64_t> chunks(n);
  std::vector<PixelGroups> grids(n);
  for (int i = 0; i < n; i++) {
    chunks[i] = ColorChunks(pictures[i].pixels);
    grids[i] = PixelGroups::Of(pictures[i], element_size);
  }
  const std::vector<int32_t> first = FirstChunks(chunks);
  const ColorTableView& table = table_.view();
  Bundle bundle;
  const size_t at_pictures = bundle.Add(pictures);
  const size_t at_grids = bundle.Add(grids);
  const size_t at_first = bundle.Add(first);
  const size_t at_slots =
      bundle.Add(std::vector<ColorSlot>(table.slots, table.slots + table_.size()));
  const size_t at_none = bundle.Add(std::vector<UnknownColors>(n, UnknownColors{0, kEmptySlot}));
  bundle.Send(memory);
  // from device memory, so that the host need not wait
  CheckCuda(CudaDriver::Get().MemcpyDtoDAsync(
                reinterpret_cast<CUdeviceptr>(unknown),
                reinterpret_cast<CUdeviceptr>(bundle.At<UnknownColors>(at_none)),
                n * sizeof(UnknownColors), memory->stream()),
            "clearing the counts of unknown colours");
  if (first[n] == 0) return;
  ColorBatch batch{bundle.At<ColorPicture>(at_pictures),
                   bundle.At<PixelGroups>(at_grids),
                   bundle.At<int32_t>(at_first),
                   n,
                   table,
                   unknown_,
                   unknown};
  batch.table.slots = bundle.At<ColorSlot>(at_slots);
  Kernel& kernel = KernelFor(element_size);
  const int blocks = std::min(first[n], kernel.MostBlocks(kColorThreads));
  kernel.Launch(memory->stream(), blocks, kColorThreads, batch);
}

}  // namespace dali_voc

// Arguments as of ColorMapper; `scratch` is device memory.
DALI_VOC_EXPORT int dali_voc_color_to_index(const dali_voc::ColorPicture* pictures, int samples,
                                            const int* colors, const int* classes, int num_colors,
                                            int instead, int element_size,
                                            dali_voc::UnknownColors* unknown, void* scratch,
                                            size_t scratch_size, CUstream stream, char* error,
                                            size_t error_size) {
  return dali_voc::Guarded(error, error_size, [&] {
    dali_voc::GivenMemory memory(stream, scratch, scratch_size);
    dali_voc::ColorMapper mapper({colors, colors + num_colors}, {classes, classes + num_colors},
                                 instead);
    mapper.Run({pictures, pictures + samples}, element_size, unknown, &memory);
  });
}
