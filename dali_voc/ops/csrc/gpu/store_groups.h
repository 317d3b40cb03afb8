// Groups of elements that lie side by side, one of each thread of a warp. For kernels.
#pragma once

#include <cstdint>

#include "gpu/vectors.h"

namespace dali_voc {

// Whether threads pass elements to each other, so that all of a warp have to come to StoreGroup.
template <typename Out, int n>
constexpr bool kStoresTogether = sizeof(Out) == 8 && n == 4;

// What thread `from` of the warp gives as `value`: a class, of 32 bits at most.
template <typename Out>
inline int32_t Passed(Out value, uint32_t from) {
  return __shfl_sync(0xffffffff, static_cast<int32_t>(value), static_cast<int>(from));
}

// Four elements of 8 bytes are two vectors. Were each thread to store its own two, each store of
// the warp would fill half of every sector of 32 bytes that it touches. So they swap them: each
// store then writes 512 bytes without a gap.
template <typename Out>
inline void StoreTogether(const Vector<Out, 4>& group, uint32_t item, uint32_t items, void* out) {
  const uint32_t lane = threadIdx.x % 32, first = item - lane;
  const bool second = lane % 2;
  auto* vectors = static_cast<Vector<Out, 2>*>(out) + 2 * static_cast<uint64_t>(first) + lane;
#pragma unroll
  for (uint32_t k = 0; k < 2; k++) {
    const uint32_t from = 16 * k + lane / 2;
    Vector<Out, 2> two;
#pragma unroll
    for (int i = 0; i < 2; i++) {
      const int32_t low = Passed(group.value[i], from), high = Passed(group.value[2 + i], from);
      two.value[i] = second ? high : low;
    }
    if (first + from < items) vectors[32 * k] = two;
  }
}

// Stores the group with number `item`, unless that is `items` or more, behind those before it at
// `out`. The items of a warp follow each other.
template <typename Out, int n>
inline void StoreGroup(const Vector<Out, n>& group, uint32_t item, uint32_t items, void* out) {
  if constexpr (kStoresTogether<Out, n>)
    StoreTogether(group, item, items, out);
  else if (item < items)
    static_cast<Vector<Out, n>*>(out)[item] = group;
}

}  // namespace dali_voc
