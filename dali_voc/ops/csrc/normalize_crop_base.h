// What the operator `dali_voc.normalize_crop` does alike on CPU and GPU.
#pragma once

#include <string>
#include <vector>

#include "crop_arguments.h"
#include "dali/pipeline/operator/checkpointing/stateless_operator.h"

namespace dali_voc {

template <typename Backend>
class NormalizeCropBase : public dali::StatelessOperator<Backend> {
 public:
  explicit NormalizeCropBase(const dali::OpSpec& spec)
      : dali::StatelessOperator<Backend>(spec), arguments_(spec) {}

 protected:
  bool SetupImpl(std::vector<dali::OutputDesc>& outputs, const dali::Workspace& ws) override {
    const auto& input = ws.Input<Backend>(0);
    const int n = input.num_samples();
    if (input.type() != DALI_UINT8 || input.sample_dim() != 3)
      Fail("normalize_crop: the input must be uint8 pictures of shape (height, width, 3)");
    arguments_.Acquire(ws, n);
    outputs.resize(1);
    outputs[0].type = arguments_.dtype();
    outputs[0].shape.resize(n, 3);
    for (int i = 0; i < n; i++) {
      const auto shape = input.shape()[i];
      if (shape[2] != 3) Fail("normalize_crop: sample " + std::to_string(i) + " is not RGB");
      const CropLayout crop = arguments_.Layout(shape[0], shape[1], i);
      outputs[0].shape.set_tensor_shape(i, arguments_.OutputShape(crop));
    }
    if (const auto* color = Color(ws)) arguments_.CheckColor(*color);
    return true;
  }

  // The matrices, on the CPU also where the pictures are on a GPU; null where there are none.
  static const dali::TensorList<dali::CPUBackend>* Color(const dali::Workspace& ws) {
    return ws.NumInput() > 1 ? &ws.Input<dali::CPUBackend>(1) : nullptr;
  }
  static const float* Matrix(const dali::Workspace& ws, int i) {
    const auto* color = Color(ws);
    return color ? color->tensor<float>(i) : nullptr;
  }

  CropArguments arguments_;
};

}  // namespace dali_voc
