#include "sample_cache.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace dali_voc {

SampleCache::SampleCache(int handle, int64_t slots) : slots_(slots) {
  struct stat about{};
  if (fstat(handle, &about) != 0)
    throw std::runtime_error(std::string("the cache's memory is gone: ") + strerror(errno));
  mapped_ = static_cast<size_t>(about.st_size);
  if (slots < 0 || mapped_ < sizeof(Header) ||
      static_cast<size_t>(slots) > (mapped_ - sizeof(Header)) / sizeof(Slot))
    throw std::runtime_error("the cache's memory is too small for its slots");
  const size_t before_data = sizeof(Header) + sizeof(Slot) * static_cast<size_t>(slots);
  void* memory = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0);
  if (memory == MAP_FAILED)
    throw std::runtime_error(std::string("the cache's memory cannot be mapped: ") +
                             strerror(errno) + "; lower cache.memory, or raise the limit of " +
                             "address space (ulimit -v)");
  memory_ = static_cast<uint8_t*>(memory);
  data_ = memory_ + before_data;
  capacity_ = mapped_ - before_data;
}

SampleCache::~SampleCache() { munmap(memory_, mapped_); }

SampleCache::Slot* SampleCache::At(int64_t slot) const {
  if (slot < 0 || slot >= slots_) throw std::runtime_error("the cache has no such slot");
  return reinterpret_cast<Slot*>(memory_ + sizeof(Header)) + slot;
}

bool SampleCache::Find(int64_t number, Entry* entry) const {
  const Slot* slot = At(number);
  if (slot->state.load(std::memory_order_acquire) != kReady) return false;
  *entry = {data_ + slot->offset, static_cast<int64_t>(slot->size), slot->height, slot->width};
  return true;
}

uint8_t* SampleCache::Reserve(int64_t number, int64_t size) {
  Slot* slot = At(number);
  const uint64_t rounded = Rounded(static_cast<uint64_t>(size));
  std::atomic<uint64_t>& used = reinterpret_cast<Header*>(memory_)->used;
  if (rounded > capacity_ || used.load(std::memory_order_relaxed) > capacity_ - rounded)
    return nullptr;
  uint32_t state = kEmpty;
  if (!slot->state.compare_exchange_strong(state, kBusy)) return nullptr;
  uint64_t offset = used.load();
  do {
    if (offset > capacity_ - rounded) {
      slot->state.store(kEmpty);
      return nullptr;
    }
  } while (!used.compare_exchange_weak(offset, offset + rounded));
  slot->offset = offset;
  slot->size = static_cast<uint64_t>(size);
  return data_ + offset;
}

void SampleCache::Publish(int64_t number, int32_t height, int32_t width) {
  Slot* slot = At(number);
  slot->height = height;
  slot->width = width;
  uint32_t state = kBusy;  // unless it has been refused in the meantime
  slot->state.compare_exchange_strong(state, kReady, std::memory_order_release);
}

void SampleCache::Release(int64_t number) {
  GiveBack(number);
  uint32_t state = kBusy;  // unless it has been refused in the meantime
  At(number)->state.compare_exchange_strong(state, kEmpty);
}

void SampleCache::Refuse(int64_t number) {
  GiveBack(number);
  At(number)->state.store(kRefused);
}

// If nobody has reserved anything behind it.
void SampleCache::GiveBack(int64_t number) {
  const Slot* slot = At(number);
  uint64_t end = slot->offset + Rounded(slot->size);
  reinterpret_cast<Header*>(memory_)->used.compare_exchange_strong(end, slot->offset);
}

}  // namespace dali_voc
