// What the operator `dali_voc.color_to_index` does alike on CPU and GPU.
#pragma once

#include <string>
#include <vector>

#include "dali/pipeline/data/views.h"
#include "dali/pipeline/operator/checkpointing/stateless_operator.h"
#include "dali/pipeline/operator/operator.h"
#include "operator_error.h"

namespace dali_voc {

template <typename Backend>
class ColorToIndexBase : public dali::StatelessOperator<Backend> {
 public:
  explicit ColorToIndexBase(const dali::OpSpec& spec)
      : dali::StatelessOperator<Backend>(spec),
        dtype_(spec.GetArgument<dali::DALIDataType>("dtype")),
        unknown_(spec.GetArgument<int>("unknown")),
        counts_(spec.GetArgument<bool>("count_unknown")),
        colors_(spec.GetRepeatedArgument<int>("colors")),
        classes_(spec.GetRepeatedArgument<int>("classes")) {
    if (dtype_ != DALI_UINT8 && dtype_ != DALI_INT32 && dtype_ != DALI_INT64)
      Fail("color_to_index: dtype must be uint8, int32 or int64");
  }

 protected:
  bool SetupImpl(std::vector<dali::OutputDesc>& outputs, const dali::Workspace& ws) override {
    const auto& input = ws.Input<Backend>(0);
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
    outputs.resize(counts_ ? 2 : 1);
    outputs[0] = {shape, dtype_};
    // the bits are uint32: PyTorch's tensors are made of signed types alone
    if (counts_) outputs[1] = {dali::uniform_list_shape(n, dali::TensorShape<1>(2)), DALI_INT32};
    return true;
  }

  dali::DALIDataType dtype_;
  int unknown_;  // class of other colours, or -1
  bool counts_;
  std::vector<int> colors_, classes_;
};

}  // namespace dali_voc
