// Launches the kernels that make crops of images.
#pragma once

#include <vector>

#include "gpu/crop_image.h"
#include "gpu/launch_memory.h"

namespace dali_voc {

enum class CropType { kFloat, kHalf, kByte };  // what is stored

// Makes the crops of a batch, by one launch for those that are neither resized nor turned, one for
// those that are turned, two for those that are resized, and three for those that are both. Throws
// std::runtime_error.
void CropImages(const std::vector<CropPicture>& pictures, const CropColors& colors, CropType type,
                bool channels_last, LaunchMemory* memory);

}  // namespace dali_voc
