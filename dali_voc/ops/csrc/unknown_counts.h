// Counts colours or values that have no class, for one sentence about them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace dali_voc {

inline std::string ColorName(uint32_t color) {
  return "(" + std::to_string(color >> 16) + ", " + std::to_string(color >> 8 & 255) + ", " +
         std::to_string(color & 255) + ")";
}

// "0-20, 255": ascending values as ranges, the first few of them.
inline std::string NameValues(const std::vector<uint32_t>& values) {
  constexpr int kRanges = 8;
  if (values.empty()) return "no value at all";
  std::string text;
  int ranges = 0;
  for (size_t i = 0; i < values.size(); i++) {
    if (ranges == kRanges) return text + ", ... (" + std::to_string(values.size()) + " values)";
    const uint32_t first = values[i];
    while (i + 1 < values.size() && values[i + 1] == values[i] + 1) i++;
    text += (ranges++ ? ", " : "") + std::to_string(first);
    if (values[i] > first) text += "-" + std::to_string(values[i]);
  }
  return text;
}

// How many there are, and that which is nearest to `color` in RGB: a label that was smoothed or
// stored as JPEG shows itself by it.
inline std::string NameColors(const std::vector<uint32_t>& colors, uint32_t color) {
  if (colors.empty()) return "no colour at all";
  auto distance = [&](uint32_t other) {
    int sum = 0;
    for (int shift : {0, 8, 16}) {
      const int d = static_cast<int>(color >> shift & 255) - static_cast<int>(other >> shift & 255);
      sum += d * d;
    }
    return sum;
  };
  // of several as near, the smallest
  const uint32_t nearest =
      *std::min_element(colors.begin(), colors.end(), [&](uint32_t a, uint32_t b) {
        return std::make_pair(distance(a), a) < std::make_pair(distance(b), b);
      });
  if (colors.size() == 1) return "colour " + ColorName(nearest);
  return "one of " + std::to_string(colors.size()) + " colours, the nearest of them " +
         ColorName(nearest);
}

class UnknownCounts {
 public:
  void Add(uint32_t key) {
    auto found = counts_.find(key);
    if (found != counts_.end())
      found->second++;
    else if (counts_.size() < kMost)
      counts_[key] = 1;
    else
      others_++;
  }

  // `name` and `known` turn the most frequent key into words, and what is expected in its place. At
  // least one key must have been added.
  template <typename Name, typename Known>
  std::string Describe(Name&& name, Known&& known) const {
    auto most = std::max_element(counts_.begin(), counts_.end(),
                                 [](auto& a, auto& b) { return a.second < b.second; });
    std::string text = name(most->first) + " is not in the label table, found in " +
                       std::to_string(most->second) + (most->second == 1 ? " pixel" : " pixels");
    int64_t rest = others_ - most->second;
    for (auto& entry : counts_) rest += entry.second;
    if (counts_.size() > 1)
      text += std::string(", and ") + (others_ ? "at least " : "") +
              std::to_string(counts_.size() - 1) + " more unknown in " + std::to_string(rest) +
              (rest == 1 ? " pixel" : " pixels");
    return text + "; expected " + known(most->first);
  }

 private:
  static constexpr size_t kMost = 65536;  // keys that are told apart; a photograph has millions
  std::map<uint32_t, int64_t> counts_;
  int64_t others_ = 0;  // of further keys
};

}  // namespace dali_voc
