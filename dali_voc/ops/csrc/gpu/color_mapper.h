// Launches color_to_index.
#pragma once

#include <vector>

#include "color_table.h"
#include "gpu/color_to_index.h"
#include "gpu/launch_memory.h"

namespace dali_voc {

class ColorMapper {
 public:
  // `unknown`: stored for colours that are not among `colors`.
  ColorMapper(const std::vector<int>& colors, const std::vector<int>& classes, int unknown)
      : table_(colors, classes, kUnknown), unknown_(static_cast<uint16_t>(unknown)) {}

  // Maps the batch to elements of `element_size` bytes (1, 4 or 8), and counts the colours that are
  // not in the table into `unknown`, device memory for one per sample. One kernel, however many
  // samples. Throws std::runtime_error.
  void Run(const std::vector<ColorPicture>& pictures, int element_size, UnknownColors* unknown,
           LaunchMemory* memory) const;

 private:
  ColorTable table_;
  uint16_t unknown_;
};

}  // namespace dali_voc
