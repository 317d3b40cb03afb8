// Which neighbours in a batch show the same picture.
#pragma once

#include <vector>

#include "dali/pipeline/operator/operator.h"
#include "for_each_sample.h"
#include "sample_argument.h"

namespace dali_voc {

// Without the argument each sample is a group of its own.
class PictureArguments {
 public:
  explicit PictureArguments(const dali::OpSpec& spec) : spec_(spec), picture_("picture", spec) {}

  void Acquire(const dali::Workspace& ws, int n) {
    const bool is_given = picture_.HasExplicitValue();
    if (is_given) picture_.Acquire(spec_, ws, n);
    begins_.clear();
    for (int i = 0; i < n; i++)
      if (i == 0 || !is_given || *picture_[i].data != *picture_[i - 1].data) begins_.push_back(i);
    begins_.push_back(n);
  }

  int groups() const { return static_cast<int>(begins_.size()) - 1; }

  // Calls `work(begin, end, thread)` for each group of samples, begin to end - 1; the threads take
  // `run` groups at a time.
  template <typename Work>
  void ForEachGroup(dali::ThreadPool& pool, const Work& work, int run = 1) const {
    ForEachSample(
        pool, groups(), [&](int k, int thread) { work(begins_[k], begins_[k + 1], thread); }, run);
  }

  // The same with the longest files first, so that no thread is alone with one in the end.
  template <typename Work>
  void ForEachGroupLongestFirst(dali::ThreadPool& pool, const dali::TensorListShape<>& sizes,
                                const Work& work) const {
    ForEachSampleLongestFirst(
        pool, groups(), [&](int k) { return sizes[begins_[k]].num_elements(); },
        [&](int k, int thread) { work(begins_[k], begins_[k + 1], thread); });
  }

 private:
  dali::OpSpec spec_;
  SampleArgument<int64_t> picture_;
  std::vector<int> begins_{0};  // and one behind the last sample
};

}  // namespace dali_voc
