// CUDA C++ on the host: kernels are built by g++ as they are, and fibers.cc runs each of a block's
// threads as a fiber, so that barriers and shuffles mean what they mean on a GPU.
//
// Built with ThreadSanitizer, fibers are threads to it, which only barriers and fences put in an
// order: it reports what a GPU is free to do in any order, and what is read through the cache that
// __ldg goes by though the same launch writes it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <tuple>
#include <type_traits>

#define __global__
// one for all blocks, which therefore come one after the other
#define __shared__            \
  on_cpu::WaitForLastBlock(); \
  static
#define __launch_bounds__(...)
// a number that other threads wait for, see gpu/progress.h
#define DALI_VOC_LOAD(at) on_cpu::Load(at)
#define DALI_VOC_STORE(at, value) on_cpu::Store(at, value)
#define DALI_VOC_SPIN() on_cpu::Spin()

namespace on_cpu {

struct Index {
  unsigned x, y, z;
};
extern Index grid, block, block_index, thread_index;

void WaitForLastBlock();
void SyncBlock();
void SyncWarp();
int32_t Load(const int32_t* at);
void Store(int32_t* at, int32_t value);
void Fence();
void Spin();
// What lane `from` of the warp gives; 32 lanes have to come.
uint64_t Exchange(uint64_t bits, int from);
// While it lives, memory is read as __ldg reads it.
class ReadOnly {
 public:
  ReadOnly();
  ~ReadOnly();

 private:
  void* fiber_;
};

void RunGrid(unsigned blocks, unsigned threads, const std::function<void()>& body);

// Calls a kernel with arguments as cuLaunchKernel takes them.
template <typename... Arguments>
std::function<void(void**)> Unpacked(void (*kernel)(Arguments...)) {
  return [kernel](void** given) {
    int i = 0;
    // braces keep the order
    std::tuple<std::decay_t<Arguments>...> values{
        *static_cast<std::decay_t<Arguments>*>(given[i++])...};
    std::apply(kernel, values);
  };
}

template <typename T>
T Exchange(T value, int from) {
  static_assert(sizeof(T) <= sizeof(uint64_t));
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof(T));
  bits = Exchange(bits, from);
  memcpy(&value, &bits, sizeof(T));
  return value;
}

}  // namespace on_cpu

#define threadIdx (on_cpu::thread_index)
#define blockIdx (on_cpu::block_index)
#define blockDim (on_cpu::block)
#define gridDim (on_cpu::grid)

inline void __syncthreads() { on_cpu::SyncBlock(); }
inline void __syncwarp(unsigned = 0xffffffff) { on_cpu::SyncWarp(); }
inline void __threadfence_block() { on_cpu::Fence(); }
using std::min;

template <typename T>
T __shfl_up_sync(unsigned, T value, int by) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  return on_cpu::Exchange(value, lane >= by ? lane - by : lane);
}
template <typename T>
T __shfl_sync(unsigned, T value, int lane) {
  return on_cpu::Exchange(value, lane & 31);
}

template <typename T>
T __ldg(const T* at) {
#ifdef __SANITIZE_THREAD__
  const on_cpu::ReadOnly path;
#endif
  return *at;
}
template <typename T>
T atomicAdd(T* at, T value) {
  return __atomic_fetch_add(at, value, __ATOMIC_RELAXED);
}
template <typename T>
T atomicExch(T* at, T value) {
  return __atomic_exchange_n(at, value, __ATOMIC_RELAXED);
}
template <typename T>
T atomicMin(T* at, T value) {
  T old = __atomic_load_n(at, __ATOMIC_RELAXED);
  while (value < old &&
         !__atomic_compare_exchange_n(at, &old, value, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return old;
}
