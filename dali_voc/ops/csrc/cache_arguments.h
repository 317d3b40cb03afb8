// How operators are told of the cache.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "dali/pipeline/operator/operator.h"
#include "operator_error.h"
#include "sample_argument.h"
#include "sample_cache.h"

namespace dali_voc {

class CacheArguments {
 public:
  explicit CacheArguments(const dali::OpSpec& spec) : spec_(spec), sample_("sample", spec) {
    const int handle = spec.GetArgument<int>("cache");
    if (handle < 0) return;
    try {
      cache_ =
          std::make_unique<SampleCache>(handle, 2 * spec.GetArgument<int64_t>("cache_samples"));
    } catch (const std::runtime_error& e) {
      Fail(e.what());
    }
  }
  explicit operator bool() const { return cache_ != nullptr; }
  const SampleCache* get() const { return cache_.get(); }
  void Acquire(const dali::Workspace& ws, int n) {
    if (cache_) sample_.Acquire(spec_, ws, n);
  }
  CachePlace Image(int i) const { return Place(i, 0); }
  CachePlace Label(int i) const { return Place(i, 1); }

 private:
  CachePlace Place(int i, int part) const {
    return cache_ ? CachePlace{cache_.get(), 2 * *sample_[i].data + part} : CachePlace{};
  }

  dali::OpSpec spec_;
  SampleArgument<int64_t> sample_;
  std::unique_ptr<SampleCache> cache_;
};

}  // namespace dali_voc
