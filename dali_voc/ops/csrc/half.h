// Numbers of 16 bits: one of sign, five of exponent, ten of mantissa. Host compilers and NVRTC
// build it.
#pragma once

#include <cstdint>
#ifndef __CUDA_ARCH__
#include <cstring>
#endif

namespace dali_voc {

struct Half {
  uint16_t bits;
};

// The nearest, and of two equally near ones the even.
inline Half ToHalf(float value) {
#ifdef __CUDA_ARCH__
  Half half;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(half.bits) : "f"(value));
  return half;
#else
  // without branches, so that loops become vector code
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  const uint32_t sign = bits >> 16 & 0x8000;
  bits &= 0x7fffffff;
  const uint32_t odd = bits >> 13 & 1;
  const uint32_t normal = (bits - (112u << 23) + 0xfff + odd) >> 13;
  // below 2^-14: in a sum with a half the last bits are those that are kept
  float size;
  memcpy(&size, &bits, sizeof(size));
  const float sum = size + 0.5f;
  uint32_t small;
  memcpy(&small, &sum, sizeof(small));
  small -= 126u << 23;
  const uint32_t large = bits > 0x7f800000 ? 0x7fff : 0x7c00;  // not a number, or infinite
  const uint32_t finite = bits < 0x38800000 ? small : normal;
  return {static_cast<uint16_t>(sign | (bits >= 0x47800000 ? large : finite))};
#endif
}

}  // namespace dali_voc
