// How far one thread of a block has come, for others of the block to wait for. For kernels.
#pragma once

#include <cstdint>

#ifndef DALI_VOC_LOAD  // a host that plays GPU does it in its own way
#define DALI_VOC_LOAD(at) *static_cast<const volatile int32_t*>(at)
#define DALI_VOC_STORE(at, value) *static_cast<volatile int32_t*>(at) = value
#define DALI_VOC_SPIN()
#endif

namespace dali_voc {

class Progress {
 public:
  void Reset() { done_ = 0; }
  // What this thread has written before can be read by who has waited for it.
  void Set(int32_t done) {
    __threadfence_block();
    DALI_VOC_STORE(&done_, done);
  }
  void WaitFor(int32_t done) const {
    while (DALI_VOC_LOAD(&done_) < done) DALI_VOC_SPIN();
    __threadfence_block();
  }

 private:
  int32_t done_;
};

}  // namespace dali_voc
