// Bytes and pixels by whole words. Host compilers and NVRTC build it.
#pragma once

#include <cstdint>

namespace dali_voc {

// Four bytes that begin `shift` bytes behind the beginning of `low`.
inline uint32_t WordAt(uint32_t low, uint32_t high, int shift) {
  return static_cast<uint32_t>(((static_cast<uint64_t>(high) << 32) | low) >> (8 * shift));
}

// Four of the eight bytes of `low` and `high`, the lowest first: which, say the selector's
// hexadecimal digits, the last of them for the lowest byte of the result.
inline uint32_t PickBytes(uint32_t low, uint32_t high, uint32_t selector) {
#ifdef __CUDACC_RTC__
  return __byte_perm(low, high, selector);
#else
  const uint64_t bytes = static_cast<uint64_t>(high) << 32 | low;
  uint32_t picked = 0;
  for (int i = 0; i < 4; i++)
    picked |= static_cast<uint32_t>(bytes >> (8 * (selector >> (4 * i) & 7)) & 255) << (8 * i);
  return picked;
#endif
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
