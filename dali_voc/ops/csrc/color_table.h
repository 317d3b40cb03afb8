// 24-bit colour to class, exactly: a hash table that keeps the whole colour in each slot.
// `Find` is free of library calls, so that a GPU compiler can build it too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace dali_voc {

constexpr uint32_t kEmptySlot = 0xffffffff;  // no colour has more than 24 bits
constexpr uint16_t kUnknown = 0xffff;        // "no class"; classes end at 65534

// Three bytes R, G, B as 0xRRGGBB.
inline uint32_t PackRgb(const uint8_t* rgb) {
  return uint32_t{rgb[0]} << 16 | uint32_t{rgb[1]} << 8 | rgb[2];
}

struct ColorSlot {
  uint32_t color;  // 0xRRGGBB, or kEmptySlot
  uint32_t value;  // the class
};

struct ColorTableView {
  const ColorSlot* slots;
  int shift;         // the hash is the top (32 - shift) bits of a product
  uint32_t mask;     // number of slots - 1
  uint16_t unknown;  // what any other colour gives
  uint16_t Find(uint32_t color) const {
    uint32_t i = (color * 0x9e3779b1u) >> shift;  // 2^32 over the golden ratio
    while (slots[i].color != color) {
      if (slots[i].color == kEmptySlot) return unknown;
      i = (i + 1) & mask;
    }
    return static_cast<uint16_t>(slots[i].value);
  }
};

class ColorTable {
 public:
  // `unknown` is what a colour outside the table gives: a class, or kUnknown.
  ColorTable(const std::vector<int>& colors, const std::vector<int>& classes, int unknown) {
    if (colors.size() != classes.size())
      throw std::invalid_argument("there must be one class for each colour");
    int bits = 4;  // at most a quarter of the slots is filled
    while ((size_t{1} << bits) < classes.size() * 4) bits++;
    slots_.assign(size_t{1} << bits, ColorSlot{kEmptySlot, 0});
    view_ = {slots_.data(), 32 - bits, static_cast<uint32_t>(slots_.size() - 1),
             static_cast<uint16_t>(unknown)};
    for (size_t i = 0; i < classes.size(); i++) Insert(colors[i], classes[i]);
  }
  ColorTable(const ColorTable&) = delete;
  ColorTable& operator=(const ColorTable&) = delete;

  const ColorTableView& view() const { return view_; }

 private:
  void Insert(int color, int value) {
    if (color < 0 || color > 0xffffff) throw std::invalid_argument("a colour has 24 bits");
    if (value < 0 || value >= kUnknown) throw std::invalid_argument("a class is 0..65534");
    uint32_t key = static_cast<uint32_t>(color);
    uint32_t i = (key * 0x9e3779b1u) >> view_.shift;
    for (; slots_[i].color != kEmptySlot; i = (i + 1) & view_.mask)
      if (slots_[i].color == key) throw std::invalid_argument("a colour is in the table twice");
    slots_[i] = {key, static_cast<uint32_t>(value)};
  }

  std::vector<ColorSlot> slots_;
  ColorTableView view_{};
};

// Labels come in runs of one colour, so the last answer is usually the next one.
class RunLookup {
 public:
  explicit RunLookup(const ColorTableView& table) : table_(table) {}
  uint16_t operator()(const uint8_t* rgb) {
    uint32_t color = PackRgb(rgb);
    if (color != last_color_) {
      last_color_ = color;
      last_value_ = table_.Find(color);
    }
    return last_value_;
  }

 private:
  ColorTableView table_;
  uint32_t last_color_ = kEmptySlot;
  uint16_t last_value_ = 0;
};

}  // namespace dali_voc
