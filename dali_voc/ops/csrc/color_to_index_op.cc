// The DALI operator `dali_voc.color_to_index`: any decoded RGB picture to class indices.
#include <algorithm>
#include <string>

#include "color_table.h"
#include "color_to_index_base.h"
#include "for_each_sample.h"
#include "gpu/color_to_index.h"
#include "unknown_counts.h"

namespace dali_voc {

using dali::CPUBackend;
using dali::OpSpec;
using dali::Workspace;

class ColorToIndex : public ColorToIndexBase<CPUBackend> {
 public:
  explicit ColorToIndex(const OpSpec& spec)
      : ColorToIndexBase<CPUBackend>(spec), table_(colors_, classes_, kUnknown) {}

 protected:
  void RunImpl(Workspace& ws) override {
    auto& pool = ws.GetThreadPool();
    ws.Output<CPUBackend>(0).SetLayout("HW");
    ForEachSample(pool, ws.GetInputBatchSize(0), [&](int i, int) {
      if (dtype_ == DALI_UINT8)
        Map<uint8_t>(ws, i);
      else if (dtype_ == DALI_INT32)
        Map<int32_t>(ws, i);
      else
        Map<int64_t>(ws, i);
    });
  }

 private:
  template <typename T>
  void Map(Workspace& ws, int i) {
    auto& output = ws.Output<CPUBackend>(0);
    const uint8_t* rgb = ws.Input<CPUBackend>(0).tensor<uint8_t>(i);
    T* out = output.mutable_tensor<T>(i);
    int64_t n = output.shape()[i].num_elements();
    RunLookup lookup(table_.view());
    uint16_t worst = 0;
    for (int64_t k = 0; k < n; k++) {
      uint16_t value = lookup(rgb + 3 * k);
      worst = std::max(worst, value);
      out[k] = static_cast<T>(value);
    }
    UnknownColors found{0, kEmptySlot};
    if (worst == kUnknown) found = Replace(rgb, n, i, out);
    if (!counts_) return;
    auto* counts = static_cast<uint32_t*>(ws.Output<CPUBackend>(1).raw_mutable_tensor(i));
    counts[0] = found.pixels;
    counts[1] = found.color;
  }

  template <typename T>
  UnknownColors Replace(const uint8_t* rgb, int64_t n, int sample, T* out) {
    if (unknown_ < 0) FailUnknown(rgb, n, sample);
    UnknownColors found{0, kEmptySlot};
    RunLookup lookup(table_.view());
    for (int64_t k = 0; k < n; k++) {
      const uint32_t color = PackRgb(rgb + 3 * k);
      if (lookup(rgb + 3 * k) != kUnknown) continue;
      out[k] = static_cast<T>(unknown_);
      found.pixels++;
      found.color = std::min(found.color, color);
    }
    return found;
  }

  [[noreturn]] void FailUnknown(const uint8_t* rgb, int64_t n, int sample) {
    UnknownCounts counts;
    for (int64_t k = 0; k < n; k++, rgb += 3) {
      uint32_t color = PackRgb(rgb);
      if (table_.view().Find(color) == kUnknown) counts.Add(color);
    }
    FailSample(sample,
               counts.Describe([](uint32_t color) { return "colour " + ColorName(color); },
                               [&](uint32_t color) { return NameColors(table_.Colors(), color); }));
  }

  ColorTable table_;
};

}  // namespace dali_voc

DALI_REGISTER_OPERATOR(dali_voc__ColorToIndex, dali_voc::ColorToIndex, dali::CPU);

DALI_SCHEMA(dali_voc__ColorToIndex)
    .DocStr("Maps each RGB pixel to the class of its colour: exact 24-bit match, HWC in, HW out.")
    .NumInput(1)
    .NumOutput(1)
    .AdditionalOutputsFn([](const dali::OpSpec& spec) {
      return spec.GetArgument<bool>("count_unknown") ? 1 : 0;
    })
    .InputLayout(0, {"HWC", ""})
    .AddArg("colors", "Known colours, 0xRRGGBB.", DALI_INT_VEC)
    .AddArg("classes", "The class of each colour.", DALI_INT_VEC)
    .AddOptionalArg("unknown", "Class of any other colour; -1: an error.", -1)
    .AddOptionalArg("count_unknown",
                    "Return as well, per sample, how many pixels have other colours, and the "
                    "smallest of these, 0xRRGGBB.",
                    false)
    .AddOptionalTypeArg("dtype", "UINT8, INT32 or INT64.", DALI_UINT8);
