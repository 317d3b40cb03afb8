// Launches the kernels of crop_label.cu.
#pragma once

#include <vector>

#include "gpu/crop_label.h"
#include "gpu/launch_memory.h"

namespace dali_voc {

// Makes the crops of a batch, of elements of 1, 4 or 8 bytes, by one kernel. `table`: the class of
// each of the 256 values, or empty: the value itself. Throws std::runtime_error.
void CropLabels(const std::vector<LabelPicture>& pictures, const std::vector<uint16_t>& table,
                int ignore, int element_size, LaunchMemory* memory);

}  // namespace dali_voc
