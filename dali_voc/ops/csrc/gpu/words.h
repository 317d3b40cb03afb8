// Bytes and pixels by whole words. Host compilers and NVRTC build it.
#pragma once

#include <cstdint>

namespace dali_voc {

// Four bytes that begin `shift` bytes behind the beginning of `low`.
inline uint32_t WordAt(uint32_t low, uint32_t high, int shift) {
  return static_cast<uint32_t>(((static_cast<uint64_t>(high) << 32) | low) >> (8 * shift));
}

// What is stored at once: as few stores as there are for it.
template <typename Out>
constexpr int kFourAlignment = sizeof(Out) == 3       ? 4
                               : 4 * sizeof(Out) > 16 ? 16
                                                      : 4 * sizeof(Out);

template <typename Out>
struct alignas(kFourAlignment<Out>) FourPixels {
  Out value[4];
};

}  // namespace dali_voc
