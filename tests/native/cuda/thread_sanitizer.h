// What ThreadSanitizer is told, where it is loaded.
#pragma once

extern "C" {
__attribute__((weak)) void* __tsan_get_current_fiber();
__attribute__((weak)) void* __tsan_create_fiber(unsigned flags);
__attribute__((weak)) void __tsan_switch_to_fiber(void* fiber, unsigned flags);
__attribute__((weak)) void __tsan_acquire(void* address);
__attribute__((weak)) void __tsan_release(void* address);
}

namespace on_cpu::sanitizer {

inline bool IsLoaded() { return __tsan_create_fiber; }
inline void* CurrentFiber() { return IsLoaded() ? __tsan_get_current_fiber() : nullptr; }
inline void* NewFiber() { return IsLoaded() ? __tsan_create_fiber(0) : nullptr; }
// The one that goes on is not behind the one that stops.
inline void Switch(void* fiber) {
  constexpr unsigned kNoSync = 1;
  if (IsLoaded()) __tsan_switch_to_fiber(fiber, kNoSync);
}
// Whoever acquires is behind those that have released.
inline void Acquire(char* what) {
  if (IsLoaded()) __tsan_acquire(what);
}
inline void Release(char* what) {
  if (IsLoaded()) __tsan_release(what);
}

}  // namespace on_cpu::sanitizer
