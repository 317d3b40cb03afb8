// CUDA C++ on the host: kernels are built by g++ as they are, and each of a block's threads runs as
// a fiber, so that barriers and shuffles mean what they mean on a GPU. What would be undefined
// there, a barrier that only some threads reach, ends the program.
#pragma once

#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#define __global__
#define __shared__ static
#define __launch_bounds__(...)
// in a loop that waits for what other threads do
#define DALI_VOC_SPIN() on_cpu::Yield(on_cpu::Waits::kNot)

namespace on_cpu {

struct Index {
  unsigned x, y, z;
};

enum class Waits { kNot, kForBlock, kForWarp, kDone };

struct Fiber {
  ucontext_t context;
  std::unique_ptr<char[]> stack;
  Waits waits;
};

struct State {
  Index grid, block, block_index, thread_index;
  std::vector<Fiber> fibers;
  int now = 0;
  ucontext_t scheduler;
  std::function<void()> body;
  uint64_t exchanged[1024];  // what shuffles pass on
};

inline State& Now() {
  static State state;
  return state;
}

inline void Yield(Waits what) {
  State& state = Now();
  Fiber& fiber = state.fibers[state.now];
  fiber.waits = what;
  swapcontext(&fiber.context, &state.scheduler);
}

inline void Enter() {
  Now().body();
  Yield(Waits::kDone);
}

// Lets those go on that have all arrived; returns whether there were any.
inline bool Release(int first, int last, Waits what) {
  State& state = Now();
  bool any = false;
  for (int i = first; i < last; i++) {
    const Waits waits = state.fibers[i].waits;
    if (waits != what && waits != Waits::kDone) return false;
    any |= waits == what;
  }
  for (int i = first; i < last && any; i++)
    if (state.fibers[i].waits == what) state.fibers[i].waits = Waits::kNot;
  return any;
}

inline void RunBlock(bool backwards) {
  State& state = Now();
  const int n = static_cast<int>(state.block.x);
  constexpr size_t kStack = 64 << 10;
  if (static_cast<int>(state.fibers.size()) < n) state.fibers.resize(n);
  for (int i = 0; i < n; i++) {
    Fiber& fiber = state.fibers[i];
    if (!fiber.stack) fiber.stack = std::make_unique<char[]>(kStack);
    getcontext(&fiber.context);
    fiber.context.uc_stack = {fiber.stack.get(), 0, kStack};
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, Enter, 0);
    fiber.waits = Waits::kNot;
  }
  for (;;) {
    bool ran = false;
    for (int k = 0; k < n; k++) {
      const int i = backwards ? n - 1 - k : k;
      if (state.fibers[i].waits != Waits::kNot) continue;
      state.now = i;
      state.thread_index = {static_cast<unsigned>(i), 0, 0};
      swapcontext(&state.scheduler, &state.fibers[i].context);
      ran = true;
    }
    bool released = Release(0, n, Waits::kForBlock);
    for (int w = 0; w < n; w += 32) released |= Release(w, std::min(n, w + 32), Waits::kForWarp);
    if (released) continue;
    if (ran) {
      bool all_wait = true;
      for (int i = 0; i < n; i++) all_wait &= state.fibers[i].waits != Waits::kNot;
      if (!all_wait) continue;
    }
    for (int i = 0; i < n; i++)
      if (state.fibers[i].waits != Waits::kDone) {
        fprintf(stderr, "thread %d of block %u waits for others that never come\n", i,
                state.block_index.x);
        abort();
      }
    return;
  }
}

inline void RunGrid(unsigned blocks, unsigned threads, std::function<void()> body) {
  State& state = Now();
  state.grid = {blocks, 1, 1};
  state.block = {threads, 1, 1};
  state.body = std::move(body);
  // in both orders, so that what needs one of them is found out
  for (unsigned b = 0; b < blocks; b++) {
    state.block_index = {b, 0, 0};
    RunBlock(b % 2 == 1);
  }
}

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
  State& state = Now();
  static_assert(sizeof(T) <= sizeof(uint64_t));
  const int lane = state.now % 32, first = state.now - lane;
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof(T));
  state.exchanged[state.now] = bits;
  Yield(Waits::kForWarp);
  if (from >= 0 && from < 32) bits = state.exchanged[first + from];
  Yield(Waits::kForWarp);
  memcpy(&value, &bits, sizeof(T));
  return value;
}

}  // namespace on_cpu

#define threadIdx (on_cpu::Now().thread_index)
#define blockIdx (on_cpu::Now().block_index)
#define blockDim (on_cpu::Now().block)
#define gridDim (on_cpu::Now().grid)

inline void __syncthreads() { on_cpu::Yield(on_cpu::Waits::kForBlock); }
inline void __syncwarp(unsigned = 0xffffffff) { on_cpu::Yield(on_cpu::Waits::kForWarp); }

inline void __threadfence_block() {}
using std::min;

template <typename T>
T __shfl_up_sync(unsigned, T value, int by) {
  const int lane = on_cpu::Now().now % 32;
  return on_cpu::Exchange(value, lane >= by ? lane - by : lane);
}
template <typename T>
T __shfl_sync(unsigned, T value, int lane) {
  return on_cpu::Exchange(value, lane & 31);
}

template <typename T>
T __ldg(const T* at) {
  return *at;
}
template <typename T>
T atomicAdd(T* at, T value) {
  return std::exchange(*at, *at + value);
}
template <typename T>
T atomicMin(T* at, T value) {
  return std::exchange(*at, std::min(*at, value));
}
