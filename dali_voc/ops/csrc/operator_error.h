// Carries our one-sentence errors through DALI, which adds its own text around them.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace dali_voc {

// dali_voc/errors.py takes out what stands between the two marks.
[[noreturn]] inline void Fail(const std::string& sentence) {
  throw std::runtime_error("<dali_voc>" + sentence + "</dali_voc>");
}

// The same about one sample of the batch, which is named.
[[noreturn]] inline void FailSample(int i, const std::string& name, const std::string& reason) {
  throw std::runtime_error("<dali_voc sample " + std::to_string(i) + ">" + name + ": " + reason +
                           "</dali_voc>");
}

// A file's name may be any bytes, an error text in Python may not: escapes all but ASCII.
inline std::string Printable(std::string_view bytes) {
  static const char kHex[] = "0123456789abcdef";
  std::string text;
  for (const char character : bytes) {
    auto byte = static_cast<unsigned char>(character);
    if (byte >= 0x20 && byte < 0x7f) {
      text += character;
    } else {
      text += std::string("\\x") + kHex[byte >> 4] + kHex[byte & 15];
    }
  }
  return text;
}

}  // namespace dali_voc
