// Carries our one-sentence errors through DALI, which adds its own text around them.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace dali_voc {

// dali_voc/_dali_errors.py knows the sentence by its beginning; it is one line.
[[noreturn]] inline void Fail(const std::string& sentence) {
  throw std::runtime_error("dali_voc: " + sentence);
}

// The same about one sample of those that the operator was given.
[[noreturn]] inline void FailSample(int i, const std::string& sentence) {
  throw std::runtime_error("dali_voc, sample " + std::to_string(i) + ": " + sentence);
}

[[noreturn]] inline void FailSample(int i, const std::string& name, const std::string& reason) {
  FailSample(i, name + ": " + reason);
}

// A file's name may be any bytes, an error text in Python may not: escapes all but ASCII.
inline std::string Printable(std::string_view bytes) {
  static const char kHex[] = "0123456789abcdef";
  constexpr size_t kLongest = 4096;  // of a path; what is longer is none
  std::string text;
  for (const char character : bytes.substr(0, kLongest)) {
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
