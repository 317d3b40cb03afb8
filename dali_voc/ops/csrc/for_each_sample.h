// Shares the samples of a batch out among the threads of DALI's pool.
#pragma once

#include <algorithm>
#include <atomic>
#include <numeric>
#include <vector>

#include "dali/pipeline/util/thread_pool_interface.h"

namespace dali_voc {

// Calls `work(place, thread)` for each place 0..n-1 of the batch, in that order, and waits. Threads
// take `run` places at a time.
//
// The pool gets one piece of work per thread, not one per sample: it wakes a thread for each, and a
// thread that has done its few microseconds falls asleep again in between.
//
// What `work` throws ends its thread's share; the pool throws it on.
template <typename Work>
void ForEachSample(dali::ThreadPool& pool, int n, const Work& work, int run = 1) {
  std::atomic_int next{0};
  const int threads = std::min((n + run - 1) / run, pool.NumThreads());
  for (int k = 0; k < threads; k++)
    pool.AddWork([&](int thread) {
      for (int begin; (begin = next.fetch_add(run, std::memory_order_relaxed)) < n;)
        for (int i = begin; i < std::min(n, begin + run); i++) work(i, thread);
    });
  pool.RunAll();
}

// The same with the longest first, by `size(place)`, so that no thread is alone with one in the
// end.
template <typename Size, typename Work>
void ForEachSampleLongestFirst(dali::ThreadPool& pool, int n, const Size& size, const Work& work) {
  std::vector<int> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return size(a) > size(b); });
  ForEachSample(pool, n, [&](int place, int thread) { work(order[place], thread); });
}

}  // namespace dali_voc
