// The DALI operator `dali_voc.color_to_index`: any decoded RGB picture to class indices.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "color_table.h"
#include "dali/pipeline/data/views.h"
#include "dali/pipeline/operator/checkpointing/stateless_operator.h"
#include "dali/pipeline/operator/operator.h"
#include "operator_error.h"
#include "unknown_counts.h"

namespace dali_voc {

using dali::CPUBackend;
using dali::OpSpec;
using dali::OutputDesc;
using dali::Workspace;

class ColorToIndex : public dali::StatelessOperator<CPUBackend> {
 public:
  explicit ColorToIndex(const OpSpec& spec)
      : StatelessOperator<CPUBackend>(spec), dtype_(spec.GetArgument<dali::DALIDataType>("dtype")) {
    int unknown = spec.GetArgument<int>("unknown");
    if (dtype_ != DALI_UINT8 && dtype_ != DALI_INT32 && dtype_ != DALI_INT64)
      Fail("color_to_index: dtype must be UINT8, INT32 or INT64");
    table_ = std::make_unique<ColorTable>(spec.GetRepeatedArgument<int>("colors"),
                                          spec.GetRepeatedArgument<int>("classes"),
                                          unknown < 0 ? kUnknown : unknown);
  }

 protected:
  bool SetupImpl(std::vector<OutputDesc>& outputs, const Workspace& ws) override {
    const auto& input = ws.Input<CPUBackend>(0);
    if (input.type() != DALI_UINT8 || input.sample_dim() != 3)
      Fail("color_to_index: the input must be uint8 pictures of shape (height, width, 3)");
    int n = input.num_samples();
    dali::TensorListShape<> shape(n, 2);
    for (int i = 0; i < n; i++) {
      auto sample = input.shape()[i];
      if (sample[2] != 3)
        Fail("color_to_index: sample " + std::to_string(i) + " has " + std::to_string(sample[2]) +
             " channels, expected 3");
      shape.set_tensor_shape(i, dali::TensorShape<2>(sample[0], sample[1]));
    }
    outputs.resize(1);
    outputs[0] = {shape, dtype_};
    return true;
  }

  void RunImpl(Workspace& ws) override {
    auto& pool = ws.GetThreadPool();
    ws.Output<CPUBackend>(0).SetLayout("HW");
    for (int i = 0; i < ws.GetInputBatchSize(0); i++)
      pool.AddWork(
          [this, &ws, i](int) {
            if (dtype_ == DALI_UINT8)
              Map<uint8_t>(ws, i);
            else if (dtype_ == DALI_INT32)
              Map<int32_t>(ws, i);
            else
              Map<int64_t>(ws, i);
          },
          -i);
    pool.RunAll();
  }

 private:
  template <typename T>
  void Map(Workspace& ws, int i) {
    auto& output = ws.Output<CPUBackend>(0);
    const uint8_t* rgb = ws.Input<CPUBackend>(0).tensor<uint8_t>(i);
    T* out = output.mutable_tensor<T>(i);
    int64_t n = output.shape()[i].num_elements();
    RunLookup lookup(table_->view());
    uint16_t worst = 0;
    for (int64_t k = 0; k < n; k++) {
      uint16_t value = lookup(rgb + 3 * k);
      worst = std::max(worst, value);
      out[k] = static_cast<T>(value);
    }
    if (worst == kUnknown) FailUnknown(rgb, n, i);
  }

  [[noreturn]] void FailUnknown(const uint8_t* rgb, int64_t n, int sample) {
    UnknownCounts counts;
    for (int64_t k = 0; k < n; k++, rgb += 3) {
      uint32_t color = PackRgb(rgb);
      if (table_->view().Find(color) == kUnknown) counts.Add(color);
    }
    FailSample(sample, "sample " + std::to_string(sample) + " of the batch",
               counts.Describe([](uint32_t color) { return "colour " + ColorName(color); }));
  }

  dali::DALIDataType dtype_;
  std::unique_ptr<ColorTable> table_;
};

}  // namespace dali_voc

DALI_REGISTER_OPERATOR(dali_voc__ColorToIndex, dali_voc::ColorToIndex, dali::CPU);

DALI_SCHEMA(dali_voc__ColorToIndex)
    .DocStr("Maps each RGB pixel to the class of its colour: exact 24-bit match, HWC in, HW out.")
    .NumInput(1)
    .NumOutput(1)
    .InputLayout(0, {"HWC", ""})
    .AddArg("colors", "Known colours, 0xRRGGBB.", DALI_INT_VEC)
    .AddArg("classes", "The class of each colour.", DALI_INT_VEC)
    .AddOptionalArg("unknown", "Class of any other colour; -1: an error.", -1)
    .AddOptionalTypeArg("dtype", "UINT8, INT32 or INT64.", DALI_UINT8);
