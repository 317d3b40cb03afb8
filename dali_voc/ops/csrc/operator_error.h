// Carries our one-sentence errors through DALI, which adds its own text around them.
#pragma once

#include <stdexcept>
#include <string>

namespace dali_voc {

// dali_voc/errors.py takes out what stands between the two marks.
[[noreturn]] inline void Fail(const std::string& sentence) {
  throw std::runtime_error("<dali_voc>" + sentence + "</dali_voc>");
}

}  // namespace dali_voc
