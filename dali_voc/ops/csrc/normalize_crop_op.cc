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
        dtype_(spec.GetArgument<dali::DALIDataType>("dtype")),
        channels_last_(spec.GetArgument<bool>("channels_last")),
        flip_("flip", spec),
        vertical_flip_("vertical_flip", spec),
        rotation_("rotation", spec),
        roi_start_("roi_start", spec),
        roi_end_("roi_end", spec),
        size_("size", spec) {
    auto mean = spec.GetRepeatedArgument<float>("mean");
    auto std = spec.GetRepeatedArgument<float>("std");
    auto fill = spec.GetRepeatedArgument<float>("fill");
    if ((!crop_.empty() && crop_.size() != 2) || mean.size() != 3 || std.size() != 3 ||
        fill.size() != 3)
      Fail("normalize_crop: expected crop_size of 2 numbers or none; mean, std, fill of 3 each");
    if (dtype_ != DALI_FLOAT && dtype_ != DALI_UINT8)
      Fail("normalize_crop: dtype must be FLOAT or UINT8");
    for (int c = 0; c < 3; c++) {
      coloring_.norm.scale[c] = static_cast<float>(1.0 / std[c]);
      coloring_.norm.offset[c] = static_cast<float>(-static_cast<double>(mean[c]) / std[c]);
      coloring_.fill[c] = fill[c];
      coloring_.plain_fill[c] = fill[c] * std[c] + mean[c];
    }
  }

 protected:
  bool SetupImpl(std::vector<OutputDesc>& outputs, const Workspace& ws) override {
    const auto& input = ws.Input<CPUBackend>(0);
    int n = input.num_samples();
    if (input.type() != DALI_UINT8 || input.sample_dim() != 3)
      Fail("normalize_crop: the input must be uint8 pictures of shape (height, width, 3)");
    flip_.Acquire(spec_, ws, n);
    vertical_flip_.Acquire(spec_, ws, n);
    if (rotation_.HasExplicitValue()) rotation_.Acquire(spec_, ws, n, dali::TensorShape<1>(2));
    if (size_.HasExplicitValue()) {
      roi_start_.Acquire(spec_, ws, n, dali::TensorShape<1>(2));
      roi_end_.Acquire(spec_, ws, n, dali::TensorShape<1>(2));
      size_.Acquire(spec_, ws, n, dali::TensorShape<1>(2));
    }
    outputs.resize(1);
    outputs[0].type = dtype_;
    outputs[0].shape.resize(n, 3);
    for (int i = 0; i < n; i++) {
      CropLayout crop = Layout(input.shape()[i], i);
      if (crop.height > crop.crop_height || crop.width > crop.crop_width ||
          input.shape()[i][2] != 3)
        Fail("normalize_crop: sample " + std::to_string(i) + " is larger than the crop or not RGB");
      dali::TensorShape<3> shape(3, crop.crop_height, crop.crop_width);
      if (channels_last_) shape = dali::TensorShape<3>(crop.crop_height, crop.crop_width, 3);
      outputs[0].shape.set_tensor_shape(i, shape);
    }
    if (ws.NumInput() > 1) {
      const auto& color = ws.Input<CPUBackend>(1);
      for (int i = 0; i < n; i++)
        if (color.type() != DALI_FLOAT || color.shape()[i].num_elements() != 12)
          Fail("normalize_crop: color must be float32 of shape (3, 4)");
    }
    return true;
  }

  void RunImpl(Workspace& ws) override {
    auto& pool = ws.GetThreadPool();
    normalizers_.resize(pool.NumThreads());
    ws.Output<CPUBackend>(0).SetLayout(channels_last_ ? "HWC" : "CHW");
    for (int i = 0; i < ws.GetInputBatchSize(0); i++)
      pool.AddWork(
          [this, &ws, i](int thread) {
            if (dtype_ == DALI_FLOAT)
              RunSample<float>(ws, i, &normalizers_[thread]);
            else
              RunSample<uint8_t>(ws, i, &normalizers_[thread]);
          },
          -i);
    pool.RunAll();
  }

 private:
  CropLayout Layout(const dali::TensorShape<>& input, int i) {
    CropLayout crop{
        input[0],      input[1], 0, 0, *flip_[i].data != 0, *vertical_flip_[i].data != 0,
        channels_last_};
    if (size_.HasExplicitValue()) {
      crop.height = static_cast<int64_t>(size_[i].data[0]);
      crop.width = static_cast<int64_t>(size_[i].data[1]);
      if (crop.height < 1 || crop.width < 1 || input[0] < 1 || input[1] < 1)
        Fail("normalize_crop: sample " + std::to_string(i) + " has no pixels");
    }
    crop.crop_height = crop_.empty() ? crop.height : crop_[0];
    crop.crop_width = crop_.empty() ? crop.width : crop_[1];
    return crop;
  }

  template <typename Out>
  void RunSample(Workspace& ws, int i, CropNormalizer* normalizer) {
    const auto& input = ws.Input<CPUBackend>(0);
    const auto shape = input.shape()[i];
    CropLayout crop = Layout(shape, i);
    Resizing resizing{};
    if (size_.HasExplicitValue())
      resizing = {roi_start_[i].data[0], roi_start_[i].data[1], roi_end_[i].data[0],
                  roi_end_[i].data[1],   crop.height,           crop.width};
    Coloring coloring = coloring_;
    coloring.matrix = ws.NumInput() > 1 ? ws.Input<CPUBackend>(1).tensor<float>(i) : nullptr;
    Rotation rotation;
    if (rotation_.HasExplicitValue()) rotation = {rotation_[i].data[0], rotation_[i].data[1]};
    const Picture picture{input.tensor<uint8_t>(i), shape[0], shape[1],
                          size_.HasExplicitValue() ? &resizing : nullptr};
    normalizer->Run(picture, crop, rotation, coloring,
                    ws.Output<CPUBackend>(0).mutable_tensor<Out>(i));
  }

  std::vector<int> crop_;
  dali::DALIDataType dtype_;
  bool channels_last_;
  dali::ArgValue<int> flip_;
  dali::ArgValue<int> vertical_flip_;
  dali::ArgValue<float, 1> rotation_;
  dali::ArgValue<float, 1> roi_start_;
  dali::ArgValue<float, 1> roi_end_;
  dali::ArgValue<float, 1> size_;
  Coloring coloring_{};
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
    .AddArg("crop_size", "Height and width of the crop, pixels; none: as large as the picture.",
            DALI_INT_VEC)
    .AddArg("mean", "Per channel, of values in 0..255.", DALI_FLOAT_VEC)
    .AddArg("std", "Per channel, of values in 0..255.", DALI_FLOAT_VEC)
    .AddOptionalArg("fill", "Per channel, what the result holds outside the picture.",
                    std::vector<float>{0.0f, 0.0f, 0.0f})
    .AddOptionalTypeArg("dtype", "FLOAT or UINT8.", DALI_FLOAT)
    .AddOptionalArg("channels_last", "HWC instead of CHW.", false)
    .AddOptionalArg("roi_start", "First corner (y, x) of what is resized, pixels of the window.",
                    DALI_FLOAT_VEC, nullptr, true)
    .AddOptionalArg("roi_end", "The opposite corner.", DALI_FLOAT_VEC, nullptr, true)
    .AddOptionalArg("size", "Height and width that it becomes.", DALI_FLOAT_VEC, nullptr, true)
    .AddOptionalArg("flip", "Mirror left to right.", 0, true)
    .AddOptionalArg("vertical_flip", "Mirror top to bottom.", 0, true)
    .AddOptionalArg("rotation", "Cosine and sine of the angle by which the crop is then turned.",
                    DALI_FLOAT_VEC, nullptr, true);
