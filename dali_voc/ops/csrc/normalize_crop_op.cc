// The DALI operator `dali_voc.normalize_crop`; the arithmetic is in normalize_crop.h.
#include <string>
#include <vector>

#include "dali/pipeline/data/views.h"
#include "dali/pipeline/operator/arg_helper.h"
#include "dali/pipeline/operator/checkpointing/stateless_operator.h"
#include "dali/pipeline/operator/operator.h"
#include "normalize_crop.h"
#include "operator_error.h"

namespace dali_voc {

using dali::CPUBackend;
using dali::OpSpec;
using dali::OutputDesc;
using dali::Workspace;

class NormalizeCropOp : public dali::StatelessOperator<CPUBackend> {
 public:
  explicit NormalizeCropOp(const OpSpec& spec)
      : StatelessOperator<CPUBackend>(spec),
        crop_(spec.GetRepeatedArgument<int>("crop_size")),
        flip_("flip", spec),
        vertical_flip_("vertical_flip", spec) {
    auto mean = spec.GetRepeatedArgument<float>("mean");
    auto std = spec.GetRepeatedArgument<float>("std");
    if (crop_.size() != 2 || mean.size() != 3 || std.size() != 3)
      Fail("normalize_crop: expected crop_size of 2 numbers, mean and std of 3 each");
    for (int c = 0; c < 3; c++) {
      norm_.scale[c] = static_cast<float>(1.0 / std[c]);
      norm_.offset[c] = static_cast<float>(-static_cast<double>(mean[c]) / std[c]);
    }
  }

 protected:
  bool SetupImpl(std::vector<OutputDesc>& outputs, const Workspace& ws) override {
    const auto& input = ws.Input<CPUBackend>(0);
    int n = input.num_samples();
    if (input.type() != DALI_UINT8 || input.sample_dim() != 3)
      Fail("normalize_crop: the input must be uint8 pictures of shape (height, width, 3)");
    for (int i = 0; i < n; i++) {
      auto shape = input.shape()[i];
      if (shape[0] > crop_[0] || shape[1] > crop_[1] || shape[2] != 3)
        Fail("normalize_crop: sample " + std::to_string(i) + " is larger than the crop or not RGB");
    }
    flip_.Acquire(spec_, ws, n);
    vertical_flip_.Acquire(spec_, ws, n);
    if (ws.NumInput() > 1) {
      const auto& color = ws.Input<CPUBackend>(1);
      for (int i = 0; i < n; i++)
        if (color.type() != DALI_FLOAT || color.shape()[i].num_elements() != 12)
          Fail("normalize_crop: color must be float32 of shape (3, 4)");
    }
    outputs.resize(1);
    outputs[0] = {dali::uniform_list_shape(n, {3, crop_[0], crop_[1]}), DALI_FLOAT};
    return true;
  }

  void RunImpl(Workspace& ws) override {
    auto& pool = ws.GetThreadPool();
    scratch_.resize(pool.NumThreads());
    ws.Output<CPUBackend>(0).SetLayout("CHW");
    for (int i = 0; i < ws.GetInputBatchSize(0); i++)
      pool.AddWork(
          [this, &ws, i](int thread) {
            const auto& input = ws.Input<CPUBackend>(0);
            auto shape = input.shape()[i];
            CropLayout crop{shape[0],
                            shape[1],
                            crop_[0],
                            crop_[1],
                            *flip_[i].data != 0,
                            *vertical_flip_[i].data != 0};
            const float* color =
                ws.NumInput() > 1 ? ws.Input<CPUBackend>(1).tensor<float>(i) : nullptr;
            NormalizeCrop(input.tensor<uint8_t>(i), crop, norm_, color,
                          ws.Output<CPUBackend>(0).mutable_tensor<float>(i), &scratch_[thread]);
          },
          -i);
    pool.RunAll();
  }

 private:
  std::vector<int> crop_;
  dali::ArgValue<int> flip_;
  dali::ArgValue<int> vertical_flip_;
  Normalization norm_{};
  std::vector<std::vector<float>> scratch_;
};

}  // namespace dali_voc

DALI_REGISTER_OPERATOR(dali_voc__NormalizeCrop, dali_voc::NormalizeCropOp, dali::CPU);

DALI_SCHEMA(dali_voc__NormalizeCrop)
    .DocStr("Normalises decoded windows, mirrors them, pads them to the crop; HWC in, CHW out.")
    .NumInput(1, 2)
    .InputDox(0, "windows", "TensorList of uint8, HWC", "Decoded RGB, none larger than the crop.")
    .InputDox(1, "color", "TensorList of float, 3 x 4", "What (r, g, b, 1) is multiplied by.")
    .NumOutput(1)
    .InputLayout(0, {"HWC", ""})
    .AddArg("crop_size", "Height and width of the crop, pixels.", DALI_INT_VEC)
    .AddArg("mean", "Per channel, of values in 0..255.", DALI_FLOAT_VEC)
    .AddArg("std", "Per channel, of values in 0..255.", DALI_FLOAT_VEC)
    .AddOptionalArg("flip", "Mirror left to right.", 0, true)
    .AddOptionalArg("vertical_flip", "Mirror top to bottom.", 0, true);
