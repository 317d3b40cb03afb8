// Text in DALI's tensors.
#pragma once

#include <string>
#include <string_view>

#include "dali/pipeline/data/tensor_list.h"
#include "dali/pipeline/workspace/workspace.h"
#include "operator_error.h"

namespace dali_voc {

// Sample i without the zeros behind it: paths come as the rows of one array.
inline std::string_view TextOf(const dali::TensorList<dali::CPUBackend>& texts, int i) {
  const std::string_view text(static_cast<const char*>(texts.raw_tensor(i)),
                              static_cast<size_t>(texts.shape()[i].num_elements()));
  return text.substr(0, text.find_last_not_of('\0') + 1);
}

// Files and paths are bytes in a row; a decoded picture, or numbers, would be read as what they are
// not.
inline void CheckBytes(const dali::Workspace& ws, int input, const std::string& what) {
  const auto& found = ws.Input<dali::CPUBackend>(input);
  if (found.type() == DALI_UINT8 && found.sample_dim() == 1) return;
  Fail(what + " is " + std::string(dali::TypeTable::GetTypeInfo(found.type()).name()) + " of " +
       std::to_string(found.sample_dim()) + " dimensions, expected bytes: uint8 of one dimension");
}

}  // namespace dali_voc
