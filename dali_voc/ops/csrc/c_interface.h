// Functions for callers outside DALI, through ctypes: `open_library` in dali_voc/ops/_plugin.py.
#pragma once

#include <cstddef>
#include <cstdio>
#include <exception>

#define DALI_VOC_EXPORT extern "C" __attribute__((visibility("default")))

namespace dali_voc {

// Returns 0, or 1 with the exception's text in `error`.
template <typename Function>
int Guarded(char* error, size_t size, Function function) {
  try {
    function();
    return 0;
  } catch (const std::exception& e) {
    snprintf(error, size, "%s", e.what());
    return 1;
  }
}

}  // namespace dali_voc
