// Memory that the processes of one machine share, and in which what has been read or decoded is
// kept. Entries are added and never changed or removed, so that readers need no lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace dali_voc {

class SampleCache {
 public:
  struct Entry {
    const uint8_t* data;
    int64_t size;
    int32_t height, width;  // as given to Publish
  };

  // `handle` is of memory that was all zeros when it was made, and stays the caller's. Throws
  // std::runtime_error where it cannot be mapped or is too small for so many slots.
  SampleCache(int handle, int64_t slots);
  ~SampleCache();
  SampleCache(const SampleCache&) = delete;
  SampleCache& operator=(const SampleCache&) = delete;

  // Returns false where nothing is kept there (yet).
  bool Find(int64_t slot, Entry* entry) const;
  // Returns a place for what is to be kept, or null where there is no room, or something is there,
  // or somebody else is about to put it there. Publish, Release or Refuse has to follow; after the
  // last, nothing will ever be there.
  uint8_t* Reserve(int64_t slot, int64_t size);
  void Publish(int64_t slot, int32_t height = 0, int32_t width = 0);
  void Release(int64_t slot);
  void Refuse(int64_t slot);
  // Where what is kept begins.
  const uint8_t* data() const { return data_; }

 private:
  enum State : uint32_t { kEmpty = 0, kBusy = 1, kReady = 2, kRefused = 3 };
  // Zeros are valid for both, and no process needs to be the first.
  struct Header {
    std::atomic<uint64_t> used;  // bytes behind the slots
    uint8_t padding[56];
  };
  struct Slot {
    std::atomic<uint32_t> state;
    int32_t height, width;
    uint32_t padding;
    uint64_t offset, size;
  };
  static_assert(sizeof(Header) == 64 && sizeof(Slot) == 32);
  static_assert(std::atomic<uint64_t>::is_always_lock_free);

  Slot* At(int64_t slot) const;
  void GiveBack(int64_t slot);
  static uint64_t Rounded(uint64_t size) { return (size + 63) / 64 * 64; }

  uint8_t* memory_ = nullptr;
  size_t mapped_ = 0;
  int64_t slots_ = 0;
  uint8_t* data_ = nullptr;
  uint64_t capacity_ = 0;
};

// One of the places that a sample has in the cache; without a cache nothing is found or kept.
struct CachePlace {
  SampleCache* cache = nullptr;
  int64_t slot = 0;

  bool Find(SampleCache::Entry* entry) const { return cache && cache->Find(slot, entry); }
  uint8_t* Reserve(int64_t size) const { return cache ? cache->Reserve(slot, size) : nullptr; }
  void Publish(int64_t height, int64_t width) const {
    cache->Publish(slot, static_cast<int32_t>(height), static_cast<int32_t>(width));
  }
  void Release() const { cache->Release(slot); }
  void Refuse() const { cache->Refuse(slot); }
};

}  // namespace dali_voc
