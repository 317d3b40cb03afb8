// The one exception type of the label code. Its text is a clause that completes
// "<file>: ...", because only the caller knows the file's name.
#pragma once

#include <stdexcept>

namespace dali_voc {

class LabelError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace dali_voc
