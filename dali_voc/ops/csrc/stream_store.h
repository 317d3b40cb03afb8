// Writes results past the caches: they are larger than any cache and read much later, and a plain
// store would first read what it overwrites.
#pragma once

#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace dali_voc {

// Copies n values from a buffer that is in the cache.
template <typename T>
void StreamCopy(const T* from, int64_t n, T* to) {
#ifdef __SSE2__
  constexpr int64_t kStep = 16 / sizeof(T);
  while (n > 0 && reinterpret_cast<uintptr_t>(to) % 16 != 0) {
    *to++ = *from++;
    n--;
  }
  for (; n >= kStep; n -= kStep, from += kStep, to += kStep)
    _mm_stream_si128(reinterpret_cast<__m128i*>(to),
                     _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
#endif
  if (n > 0) memcpy(to, from, n * sizeof(T));
}

// Makes what was streamed visible to other threads. Once, after the last row.
inline void FinishStream() {
#ifdef __SSE2__
  _mm_sfence();
#endif
}

}  // namespace dali_voc
