// 24-bit colour to class, exactly: a hash table that keeps the whole colour in each slot.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "color_lookup.h"

namespace dali_voc {

class ColorTable {
 public:
  // `unknown` is what a colour outside the table gives: a class, or kUnknown.
  ColorTable(const std::vector<int>& colors, const std::vector<int>& classes, int unknown) {
    if (colors.size() != classes.size())
      throw std::invalid_argument("there must be one class for each colour");
    Check(colors, classes);
    int bits = 4;  // at most a quarter of the slots is filled
    while ((size_t{1} << bits) < classes.size() * 4) bits++;
    slots_.resize(size_t{1} << bits);
    view_ = {slots_.data(), kGolden, 32 - bits, static_cast<uint32_t>(slots_.size() - 1),
             static_cast<uint16_t>(unknown)};
    Fill(colors, classes);
    // Tables of the usual sizes become perfect: every colour lies where its hash says, and nothing
    // is looked for twice. With 22 colours in 128 slots every seventh multiplier does it.
    // Of others no lookup is long, whatever colours somebody has chosen for the first multiplier.
    const bool small = colors.size() <= kLargestPerfect;
    const int enough = small ? 1 : kLongest, trials = small ? kTrials : kTrialsOfLarge;
    for (int i = 0; longest_ > enough && i < trials; i++) {
      view_.multiplier = view_.multiplier * 0x915f77f5u + 2 * kGolden;  // stays odd
      Fill(colors, classes);
    }
  }
  ColorTable(const ColorTable&) = delete;
  ColorTable& operator=(const ColorTable&) = delete;

  const ColorTableView& view() const { return view_; }
  size_t size() const { return slots_.size(); }
  std::vector<uint32_t> Colors() const {
    std::vector<uint32_t> colors;
    for (const ColorSlot& slot : slots_)
      if (slot.color != kEmptySlot) colors.push_back(slot.color);
    return colors;
  }

 private:
  static constexpr uint32_t kGolden = 0x9e3779b1u;  // 2^32 over the golden ratio
  static constexpr int kTrials = 2000;
  static constexpr int kLongest = 64, kTrialsOfLarge = 16;
  static constexpr size_t kLargestPerfect = 48;

  static void Check(const std::vector<int>& colors, const std::vector<int>& classes) {
    for (size_t i = 0; i < colors.size(); i++) {
      if (colors[i] < 0 || colors[i] > 0xffffff)
        throw std::invalid_argument("a colour has 24 bits");
      if (classes[i] < 0 || classes[i] >= kUnknown)
        throw std::invalid_argument("a class is 0..65534");
    }
    std::vector<int> sorted = colors;
    std::sort(sorted.begin(), sorted.end());
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
      throw std::invalid_argument("a colour is in the table twice");
  }

  void Fill(const std::vector<int>& colors, const std::vector<int>& classes) {
    std::fill(slots_.begin(), slots_.end(), ColorSlot{kEmptySlot, 0});
    longest_ = 0;
    for (size_t k = 0; k < colors.size(); k++) {
      const uint32_t key = static_cast<uint32_t>(colors[k]);
      uint32_t i = (key * view_.multiplier) >> view_.shift;
      int looks = 1;
      for (; slots_[i].color != kEmptySlot; i = (i + 1) & view_.mask) looks++;
      slots_[i] = {key, static_cast<uint32_t>(classes[k])};
      longest_ = std::max(longest_, looks);
    }
  }

  std::vector<ColorSlot> slots_;
  ColorTableView view_{};
  int longest_ = 0;  // slots that are looked at until a colour of the table is found, at most
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
