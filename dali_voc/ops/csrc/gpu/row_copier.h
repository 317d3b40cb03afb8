// Launches copy_rows.
#pragma once

#include <vector>

#include "gpu/copy_rows.h"
#include "gpu/launch_memory.h"

namespace dali_voc {

// One kernel for all. Throws std::runtime_error.
void CopyRows(const std::vector<RowsCopy>& copies, LaunchMemory* memory);

}  // namespace dali_voc
