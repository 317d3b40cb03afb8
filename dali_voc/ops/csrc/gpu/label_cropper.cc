#include "gpu/label_cropper.h"

#include <stdexcept>
#include <string>

#include "c_interface.h"
#include "gpu/first_chunks.h"
#include "gpu/given_memory.h"
#include "gpu/kernel.h"

namespace dali_voc {
namespace {

// threads count in 32 bits
constexpr int64_t kMostPixels = INT32_MAX - kLabelThreads * kLabelRounds<int64_t>;

void Check(const LabelPicture& p, int sample) {
  auto axis_fits = [](int64_t source, int64_t scaled, int64_t start, int64_t window, int64_t crop) {
    return source > 0 && scaled > 0 && start >= 0 && window > 0 && start + window <= scaled &&
           window <= crop;
  };
  if (!p.values || !p.out || !axis_fits(p.height, p.scaled_y, p.start_y, p.window_y, p.crop_y) ||
      !axis_fits(p.width, p.scaled_x, p.start_x, p.window_x, p.crop_x) ||
      int64_t{p.crop_y} * p.crop_x > kMostPixels)
    throw std::runtime_error("the window of sample " + std::to_string(sample) +
                             " does not fit its picture or its crop");
}

template <typename Out>
void Launch(const std::vector<LabelPicture>& pictures, const std::vector<uint16_t>& table,
            int ignore, Kernel* kernel, LaunchMemory* memory) {
  std::vector<int64_t> chunks;
  for (const LabelPicture& picture : pictures)
    chunks.push_back(ChunksOf(int64_t{picture.crop_y} * picture.crop_x / GroupOf<Out>(picture),
                              kLabelThreads * kLabelRounds<Out>));
  const std::vector<int32_t> first = FirstChunks(chunks);
  Bundle bundle;
  const size_t at_pictures = bundle.Add(pictures);
  const size_t at_first = bundle.Add(first);
  const size_t at_table = bundle.Add(table);
  bundle.Send(memory);
  const LabelBatch batch{bundle.At<LabelPicture>(at_pictures), bundle.At<int32_t>(at_first),
                         table.empty() ? nullptr : bundle.At<uint16_t>(at_table),
                         static_cast<int>(pictures.size()), ignore};
  kernel->Launch(memory->stream(), first.back(), kLabelThreads, batch);
}

}  // namespace

void CropLabels(const std::vector<LabelPicture>& pictures, const std::vector<uint16_t>& table,
                int ignore, int element_size, LaunchMemory* memory) {
  static Kernel one("crop_label", "crop_label_1");
  static Kernel four("crop_label", "crop_label_4");
  static Kernel eight("crop_label", "crop_label_8");
  if (pictures.empty()) return;
  if (!table.empty() && table.size() != kLabelValues)
    throw std::runtime_error("the table has " + std::to_string(table.size()) +
                             " classes, expected 256");
  for (size_t i = 0; i < pictures.size(); i++) Check(pictures[i], static_cast<int>(i));
  if (element_size == 1)
    Launch<uint8_t>(pictures, table, ignore, &one, memory);
  else if (element_size == 4)
    Launch<int32_t>(pictures, table, ignore, &four, memory);
  else if (element_size == 8)
    Launch<int64_t>(pictures, table, ignore, &eight, memory);
  else
    throw std::runtime_error("elements have 1, 4 or 8 bytes");
}

}  // namespace dali_voc

// Arguments as of CropLabels; `table` has 256 classes or is null, `scratch` is device memory.
DALI_VOC_EXPORT int dali_voc_crop_labels(const dali_voc::LabelPicture* pictures, int samples,
                                         const uint16_t* table, int ignore, int element_size,
                                         void* scratch, size_t scratch_size, CUstream stream,
                                         char* error, size_t error_size) {
  return dali_voc::Guarded(error, error_size, [&] {
    dali_voc::GivenMemory memory(stream, scratch, scratch_size);
    std::vector<uint16_t> classes;
    if (table) classes.assign(table, table + dali_voc::kLabelValues);
    dali_voc::CropLabels({pictures, pictures + samples}, classes, ignore, element_size, &memory);
  });
}
