// Counts colours or values that have no class, for one sentence about them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>

namespace dali_voc {

inline std::string ColorName(uint32_t color) {
  return "(" + std::to_string(color >> 16) + ", " + std::to_string(color >> 8 & 255) + ", " +
         std::to_string(color & 255) + ")";
}

class UnknownCounts {
 public:
  void Add(uint32_t key) { counts_[key]++; }

  // `name` turns the most frequent key into words. At least one key must have been added.
  template <typename Name>
  std::string Describe(Name&& name) const {
    auto most = std::max_element(counts_.begin(), counts_.end(),
                                 [](auto& a, auto& b) { return a.second < b.second; });
    std::string text = name(most->first) + " is not in the label table, found in " +
                       std::to_string(most->second) + (most->second == 1 ? " pixel" : " pixels");
    if (counts_.size() == 1) return text;
    int64_t rest = -most->second;
    for (auto& entry : counts_) rest += entry.second;
    return text + "; " + std::to_string(counts_.size() - 1) + " more unknown in " +
           std::to_string(rest) + " pixels";
  }

 private:
  std::map<uint32_t, int64_t> counts_;
};

}  // namespace dali_voc
