// Values that are stored at once. Host compilers and NVRTC build it.
#pragma once

#include <cstdint>

namespace dali_voc {

// n elements, aligned to as many bytes as they have, 16 at most.
template <typename T, int n>
struct alignas(n * sizeof(T) > 16 ? 16 : n * sizeof(T)) Vector {
  T value[n];
};

// At once, too, from memory that nobody writes to meanwhile.
inline Vector<uint32_t, 4> LoadVector(const Vector<uint32_t, 4>* at) {
#ifdef __CUDACC_RTC__
  const uint4 four = __ldg(reinterpret_cast<const uint4*>(at));
  return {{four.x, four.y, four.z, four.w}};
#else
  return *at;
#endif
}

// Whether a row after the other may be stored by Vector<T, n>: `row` elements each, from `out` on.
template <typename T, int n>
inline bool FitsVectors(const void* out, int64_t row) {
  return reinterpret_cast<uint64_t>(out) % alignof(Vector<T, n>) == 0 && row % n == 0;
}

}  // namespace dali_voc
