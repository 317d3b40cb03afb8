// Blocks of threads as fibers, in an order that is always the same. What would be undefined on a
// GPU, a barrier that only some threads reach, ends the program.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "context.h"
#include "on_cpu.h"
#include "thread_sanitizer.h"

namespace on_cpu {

Index grid, block, block_index, thread_index;

namespace {

enum class Waits { kNot, kForBlock, kForWarp, kDone };

constexpr size_t kStack = 64 << 10;
constexpr int kThreads = 1024;

// A few things. They take no memory anew, which would be a matter between fibers.
template <typename T>
struct Some {
  T items[64];
  int n = 0;

  T* begin() { return items; }
  T* end() { return items + n; }
  void Add(T item) {
    if (std::find(begin(), end(), item) != end()) return;
    if (n == 64) abort();
    items[n++] = item;
  }
};

// Neighbouring blocks have fibers of their own, so that ThreadSanitizer can tell them apart.
struct Fiber {
  Context context;
  std::unique_ptr<char[]> stack{new char[kStack]};
  Waits waits;
  unsigned block_barriers, warp_barriers;  // that it has passed
  void* sanitized = sanitizer::NewFiber();
  char fence;  // names its last one
  bool has_fenced;
  Some<char*> seen;  // of others, those before what it has loaded since
};
std::vector<std::unique_ptr<Fiber>> fibers[2];

std::unique_ptr<Fiber>* now_block;  // its fibers
int now;                            // which of them
Context scheduler;
void* host;       // the thread that launches, to ThreadSanitizer,
void* read_only;  // and what reads for __ldg
const std::function<void()>* work;
uint64_t exchanged[kThreads];  // what shuffles pass on

// Names of what orders threads. Barriers and ends of blocks alternate between two: those who are
// past one may come to the next while others have not yet gone on.
char launch, launch_end, block_end[2], block_barrier[2], warp_barrier[kThreads / 32][2];

// Where something was stored, and the fence before that.
struct Stored {
  const int32_t* at;
  char* fence;
  bool operator==(const Stored& other) const { return at == other.at && fence == other.fence; }
};
Some<Stored> stored;

Fiber& Now() { return *now_block[now]; }

void Yield(Waits what) {
  Fiber& fiber = Now();
  fiber.waits = what;
  sanitizer::Switch(host);
  SwitchContext(fiber.context, scheduler);
}

void Enter() {
  sanitizer::Acquire(&launch);
  (*work)();
  sanitizer::Release(&block_end[block_index.x % 2]);
  sanitizer::Release(&launch_end);
  Yield(Waits::kDone);
}

void Pass(Waits what, char* barrier) {
  sanitizer::Release(barrier);
  Yield(what);
  sanitizer::Acquire(barrier);
}

// Lets those go on that have all arrived; returns whether there were any.
bool Release(int first, int last, Waits what) {
  bool any = false;
  for (int i = first; i < last; i++) {
    const Waits waits = now_block[i]->waits;
    if (waits != what && waits != Waits::kDone) return false;
    any |= waits == what;
  }
  for (int i = first; i < last && any; i++)
    if (now_block[i]->waits == what) now_block[i]->waits = Waits::kNot;
  return any;
}

void RunBlock(bool odd) {
  const int n = static_cast<int>(block.x);
  now_block = fibers[odd].data();
  for (int i = 0; i < n; i++) {
    Fiber& fiber = *now_block[i];
    BeginContext(fiber.context, Enter, fiber.stack.get(), kStack);
    fiber.waits = Waits::kNot;
    fiber.block_barriers = fiber.warp_barriers = 0;
    fiber.has_fenced = false;
    fiber.seen.n = 0;
  }
  stored.n = 0;
  for (;;) {
    bool ran = false;
    for (int k = 0; k < n; k++) {
      // in both orders, so that what needs one of them is found out
      const int i = odd ? n - 1 - k : k;
      if (now_block[i]->waits != Waits::kNot) continue;
      now = i;
      thread_index = {static_cast<unsigned>(i), 0, 0};
      sanitizer::Switch(now_block[i]->sanitized);
      SwitchContext(scheduler, now_block[i]->context);
      ran = true;
    }
    bool released = Release(0, n, Waits::kForBlock);
    for (int w = 0; w < n; w += 32) released |= Release(w, std::min(n, w + 32), Waits::kForWarp);
    if (released) continue;
    if (ran) {
      bool all_wait = true;
      for (int i = 0; i < n; i++) all_wait &= now_block[i]->waits != Waits::kNot;
      if (!all_wait) continue;
    }
    for (int i = 0; i < n; i++)
      if (now_block[i]->waits != Waits::kDone) {
        fprintf(stderr, "thread %d of block %u waits for others that never come\n", i,
                block_index.x);
        abort();
      }
    return;
  }
}

}  // namespace

void WaitForLastBlock() { sanitizer::Acquire(&block_end[(block_index.x + 1) % 2]); }
void SyncBlock() { Pass(Waits::kForBlock, &block_barrier[Now().block_barriers++ % 2]); }
void SyncWarp() { Pass(Waits::kForWarp, &warp_barrier[now / 32][Now().warp_barriers++ % 2]); }
void Spin() { Yield(Waits::kNot); }

int32_t Load(const int32_t* at) {
  for (const Stored& one : stored)
    if (one.at == at) Now().seen.Add(one.fence);
  return *at;
}
void Store(int32_t* at, int32_t value) {
  *at = value;
  if (Now().has_fenced) stored.Add({at, &Now().fence});
}
// What came before a fence is seen behind one that follows on loading what was stored behind it.
void Fence() {
  Fiber& fiber = Now();
  for (char* other : fiber.seen) sanitizer::Acquire(other);
  fiber.seen.n = 0;
  sanitizer::Release(&fiber.fence);
  fiber.has_fenced = true;
}

// Passes on what it is given, and puts nothing else in an order.
uint64_t Exchange(uint64_t bits, int from) {
  const int first = now / 32 * 32;
  exchanged[now] = bits;
  Yield(Waits::kForWarp);
  if (from >= 0 && from < 32) bits = exchanged[first + from];
  Yield(Waits::kForWarp);
  return bits;
}

ReadOnly::ReadOnly() : fiber_(Now().sanitized) { sanitizer::Switch(read_only); }
ReadOnly::~ReadOnly() { sanitizer::Switch(fiber_); }

void RunGrid(unsigned blocks, unsigned threads, const std::function<void()>& body) {
  for (auto& pool : fibers)
    while (pool.size() < threads) pool.push_back(std::make_unique<Fiber>());
  if (!read_only) read_only = sanitizer::NewFiber();
  host = sanitizer::CurrentFiber();
  work = &body;
  grid = {blocks, 1, 1};
  block = {threads, 1, 1};
  sanitizer::Release(&launch);
  sanitizer::Switch(read_only);
  sanitizer::Acquire(&launch);
  sanitizer::Switch(host);
  for (unsigned b = 0; b < blocks; b++) {
    block_index = {b, 0, 0};
    RunBlock(b % 2 == 1);
  }
  sanitizer::Switch(read_only);
  sanitizer::Release(&launch_end);
  sanitizer::Switch(host);
  sanitizer::Acquire(&launch_end);
}

}  // namespace on_cpu
