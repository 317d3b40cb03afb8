// Kernels with faults that a fixed order of threads hides, each beside one without: what
// ThreadSanitizer has to find. Arguments: which, and whether it is the right one.
#include <map>
#include <string>

#include "on_cpu.h"
//
#include "gpu/progress.h"

namespace {

constexpr int kThreads = 64, kBlocks = 3;

struct Case {
  bool right;
  int* out;  // kThreads * kBlocks, and one more

  int* At(int more = 0) const { return out + blockIdx.x * kThreads + threadIdx.x + more; }
};

void Barrier(const Case& c) {
  __shared__ int numbers[kThreads];
  numbers[threadIdx.x] = static_cast<int>(threadIdx.x);
  if (c.right) __syncthreads();
  *c.At() = numbers[threadIdx.x ^ 1];
  if (c.right) __syncthreads();
}

// the second barrier of a loop, without which the next round writes too early
void Loop(const Case& c) {
  __shared__ int numbers[kThreads];
  for (int i = 0; i < 3; i++) {
    numbers[threadIdx.x] = i;
    __syncthreads();
    *c.At() = numbers[threadIdx.x ^ 1];
    if (c.right) __syncthreads();
  }
}

void WarpBarrier(const Case& c) {
  __shared__ int numbers[kThreads];
  numbers[threadIdx.x] = 1;
  // passes a value on, which puts memory in no order
  const int passed = __shfl_sync(0xffffffff, 1, 0);
  if (c.right) __syncwarp();
  *c.At() = numbers[threadIdx.x ^ 1] + passed;
}

// a barrier of the warp, where another warp's numbers are read
void OtherWarp(const Case& c) {
  __shared__ int numbers[kThreads];
  numbers[threadIdx.x] = 1;
  __syncwarp();
  *c.At() = numbers[threadIdx.x ^ (c.right ? 1 : 32)];
}

void BlocksOverlap(const Case& c) {
  *c.At() = 1;
  if (!c.right && threadIdx.x == kThreads - 1) *c.At(1) = 1;
}

void ReadOnly(const Case& c) {
  *c.At() = 1;
  const int own = c.right ? *c.At() : __ldg(c.At());
  *c.At() = own + 1;
}

void Count(const Case& c) {
  if (c.right)
    atomicAdd(c.out, 1);
  else
    ++*c.out;
}

// one warp waits for another
void Fence(const Case& c) {
  __shared__ dali_voc::Progress progress;
  __shared__ int32_t bare;
  __shared__ int number;
  if (threadIdx.x == 0) {
    progress.Reset();
    bare = 0;
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    number = 1;
    if (c.right)
      progress.Set(1);
    else
      DALI_VOC_STORE(&bare, 1);
  }
  if (threadIdx.x < 32) return;
  if (c.right)
    progress.WaitFor(1);
  else
    while (!DALI_VOC_LOAD(&bare)) DALI_VOC_SPIN();
  *c.At() = number;
}

// fences on both sides, but nobody looks whether the other is there
void Wait(const Case& c) {
  __shared__ dali_voc::Progress progress;
  __shared__ int number;
  if (threadIdx.x == 0) progress.Reset();
  __syncthreads();
  if (threadIdx.x == 0) {
    number = 1;
    progress.Set(1);
  }
  if (threadIdx.x < 32) return;
  if (c.right)
    progress.WaitFor(1);
  else
    __threadfence_block();
  *c.At() = number;
}

const std::map<std::string, void (*)(const Case&)> cases = {
    {"barrier", Barrier},
    {"loop", Loop},
    {"warp_barrier", WarpBarrier},
    {"other_warp", OtherWarp},
    {"blocks_overlap", BlocksOverlap},
    {"read_only", ReadOnly},
    {"count", Count},
    {"fence", Fence},
    {"wait", Wait},
};

}  // namespace

int main(int, char** arguments) {
  const auto kernel = cases.at(arguments[1]);
  static int out[kThreads * kBlocks + 1];
  const Case c{arguments[2] == std::string("right"), out};
  // what one launch writes the next may read
  for (int i = 0; i < 2; i++) on_cpu::RunGrid(kBlocks, kThreads, [&] { kernel(c); });
  for (int& number : out) number = 0;
}
