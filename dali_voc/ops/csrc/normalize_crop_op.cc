// The DALI operator `dali_voc.normalize_crop`; the arithmetic is in normalize_crop.h.
#include <string>
#include <vector>

#include "crop_arguments.h"
#include "dali/pipeline/operator/checkpointing/stateless_operator.h"

namespace dali_voc {

using dali::CPUBackend;
using dali::OpSpec;
using dali::OutputDesc;
using dali::Workspace;

class NormalizeCropOp : public dali::StatelessOperator<CPUBackend> {
 public:
  explicit NormalizeCropOp(const OpSpec& spec)
      : StatelessOperator<CPUBackend>(spec), arguments_(spec) {}

 protected:
  bool SetupImpl(std::vector<OutputDesc>& outputs, const Workspace& ws) override {
    const auto& input = ws.Input<CPUBackend>(0);
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
    if (ws.NumInput() > 1) arguments_.CheckColor(ws.Input<CPUBackend>(1));
    return true;
  }

  void RunImpl(Workspace& ws) override {
    auto& pool = ws.GetThreadPool();
    normalizers_.resize(pool.NumThreads());
    ws.Output<CPUBackend>(0).SetLayout(arguments_.layout());
    for (int i = 0; i < ws.GetInputBatchSize(0); i++)
      pool.AddWork(
          [this, &ws, i](int thread) {
            if (arguments_.dtype() == DALI_FLOAT)
              RunSample<float>(ws, i, &normalizers_[thread]);
            else
              RunSample<uint8_t>(ws, i, &normalizers_[thread]);
          },
          -i);
    pool.RunAll();
  }

 private:
  template <typename Out>
  void RunSample(Workspace& ws, int i, CropNormalizer* normalizer) {
    const auto& input = ws.Input<CPUBackend>(0);
    const auto shape = input.shape()[i];
    const Picture picture{
        input.tensor<uint8_t>(i), shape[1] * 3, nullptr, shape[0], shape[1], nullptr};
    const auto* color = ws.NumInput() > 1 ? &ws.Input<CPUBackend>(1) : nullptr;
    arguments_.Place(picture, i, color, normalizer,
                     ws.Output<CPUBackend>(0).mutable_tensor<Out>(i));
  }

  CropArguments arguments_;
  std::vector<CropNormalizer> normalizers_;
};

}  // namespace dali_voc

DALI_REGISTER_OPERATOR(dali_voc__NormalizeCrop, dali_voc::NormalizeCropOp, dali::CPU);

DALI_SCHEMA(dali_voc__NormalizeCrop)
    .DocStr("Resizes decoded windows, recolours, normalises, mirrors and pads them to the crop.")
    .NumInput(1, 2)
    .InputDox(0, "windows", "TensorList of uint8, HWC", "Decoded RGB.")
    .InputDox(1, "color", "TensorList of float, 3 x 4", "What (r, g, b, 1) is multiplied by.")
    .NumOutput(1)
    .InputLayout(0, {"HWC", ""})
    .AddParent("dali_voc__CropArguments");
