// 24-bit colour to class, exactly: how a table is looked up. Free of library calls: host compilers
// and NVRTC build it.
#pragma once

#include <cstdint>

namespace dali_voc {

constexpr uint32_t kEmptySlot = 0xffffffff;  // no colour has more than 24 bits
constexpr uint16_t kUnknown = 0xffff;        // "no class"; classes end at 65534

// Three bytes R, G, B as 0xRRGGBB.
inline uint32_t PackRgb(const uint8_t* rgb) {
  return uint32_t{rgb[0]} << 16 | uint32_t{rgb[1]} << 8 | rgb[2];
}

// Aligned so that it is read at once.
struct alignas(8) ColorSlot {
  uint32_t color;  // 0xRRGGBB, or kEmptySlot
  uint32_t value;  // the class
};

struct ColorTableView {
  const ColorSlot* slots;
  uint32_t multiplier;  // the hash is the top (32 - shift) bits of the product with it
  int shift;
  uint32_t mask;     // number of slots - 1
  uint16_t unknown;  // what any other colour gives

  // The slot that a colour lies in, or one of those before it.
  uint32_t Place(uint32_t color) const { return (color * multiplier) >> shift; }
  uint16_t Find(uint32_t color) const { return FindIn(slots, color); }
  // The same in a copy of the slots.
  uint16_t FindIn(const ColorSlot* copy, uint32_t color) const {
    uint32_t i = Place(color);
    ColorSlot slot = copy[i];
    while (slot.color != color) {
      if (slot.color == kEmptySlot) return unknown;
      i = (i + 1) & mask;
      slot = copy[i];
    }
    return static_cast<uint16_t>(slot.value);
  }
};

}  // namespace dali_voc
