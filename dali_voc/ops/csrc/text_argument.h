// Text in DALI's tensors.
#pragma once

#include <string_view>

#include "dali/pipeline/data/tensor_list.h"

namespace dali_voc {

// Sample i without the zeros behind it: paths come as the rows of one array.
inline std::string_view TextOf(const dali::TensorList<dali::CPUBackend>& texts, int i) {
  const std::string_view text(static_cast<const char*>(texts.raw_tensor(i)),
                              static_cast<size_t>(texts.shape()[i].num_elements()));
  return text.substr(0, text.find_last_not_of('\0') + 1);
}

}  // namespace dali_voc
