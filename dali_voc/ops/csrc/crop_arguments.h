// Arguments that the operators share which turn windows into crops.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "dali/pipeline/data/views.h"
#include "dali/pipeline/operator/operator.h"
#include "normalize_crop.h"
#include "operator_error.h"
#include "sample_argument.h"

namespace dali_voc {

class CropArguments {
 public:
  // DALI has no name for it: these are the bits
  static constexpr dali::DALIDataType kBfloat16 = DALI_INT16;

  explicit CropArguments(const dali::OpSpec& spec)
      : spec_(spec),
        name_(OperatorName(spec)),
        crop_(spec.GetRepeatedArgument<int>("crop_size")),
        dtype_(spec.GetArgument<dali::DALIDataType>("dtype")),
        channels_last_(spec.GetArgument<bool>("channels_last")),
        flip_("flip", spec),
        vertical_flip_("vertical_flip", spec),
        rotation_(spec),
        roi_start_("roi_start", spec),
        roi_end_("roi_end", spec),
        size_("size", spec) {
    auto mean = spec.GetRepeatedArgument<float>("mean");
    auto std = spec.GetRepeatedArgument<float>("std");
    auto fill = spec.GetRepeatedArgument<float>("fill");
    if ((!crop_.empty() && crop_.size() != 2) || mean.size() != 3 || std.size() != 3 ||
        fill.size() != 3)
      Fail(name_ + ": expected crop_size of 2 numbers or none; mean, std, fill of 3 each");
    for (int channel = 0; channel < 3; channel++)
      if (!(std[channel] > 0) || !std::isfinite(mean[channel]))
        Fail(name_ + ": expected mean of finite numbers, and std of numbers above 0");
    if (dtype_ != DALI_FLOAT && dtype_ != DALI_FLOAT16 && dtype_ != kBfloat16 &&
        dtype_ != DALI_UINT8)
      Fail(name_ + ": dtype must be float32, float16, bfloat16 (to DALI: int16) or uint8");
    colors_ = CropColors::Of(mean.data(), std.data(), fill.data());
  }

  const std::string& name() const { return name_; }
  dali::DALIDataType dtype() const { return dtype_; }
  bool channels_last() const { return channels_last_; }
  bool resizes() const { return size_.HasExplicitValue(); }
  const CropColors& colors() const { return colors_; }
  const char* layout() const { return channels_last_ ? "HWC" : "CHW"; }

  void Acquire(const dali::Workspace& ws, int n) {
    flip_.Acquire(spec_, ws, n);
    vertical_flip_.Acquire(spec_, ws, n);
    rotation_.Acquire(spec_, ws, n);
    if (!resizes()) return;
    roi_start_.Acquire(spec_, ws, n, dali::TensorShape<1>(2));
    roi_end_.Acquire(spec_, ws, n, dali::TensorShape<1>(2));
    size_.Acquire(spec_, ws, n, dali::TensorShape<1>(2));
  }

  // For a window of this size; Acquire comes before.
  CropLayout Layout(int64_t height, int64_t width, int i) const {
    CropLayout crop{height,        width, 0, 0, *flip_[i].data != 0, *vertical_flip_[i].data != 0,
                    channels_last_};
    if (resizes()) {
      for (const float* pair : {size_[i].data, roi_start_[i].data, roi_end_[i].data})
        for (int axis = 0; axis < 2; axis++)
          if (!(std::fabs(pair[axis]) <= kFarthest))
            Fail(name_ + ": sample " + std::to_string(i) + " has a place or a size beyond 2^30");
      crop.height = static_cast<int64_t>(size_[i].data[0]);
      crop.width = static_cast<int64_t>(size_[i].data[1]);
    }
    if (crop.height < 1 || crop.width < 1 || height < 1 || width < 1)
      Fail(name_ + ": sample " + std::to_string(i) + " has no pixels");
    crop.crop_height = crop_.empty() ? crop.height : crop_[0];
    crop.crop_width = crop_.empty() ? crop.width : crop_[1];
    if (crop.height > crop.crop_height || crop.width > crop.crop_width)
      Fail(name_ + ": sample " + std::to_string(i) +
           " is larger than the crop: " + std::to_string(crop.height) + "x" +
           std::to_string(crop.width) + ", expected at most " + std::to_string(crop.crop_height) +
           "x" + std::to_string(crop.crop_width) + " (height x width)");
    return crop;
  }

  dali::TensorShape<3> OutputShape(const CropLayout& crop) const {
    if (channels_last_) return {crop.crop_height, crop.crop_width, 3};
    return {3, crop.crop_height, crop.crop_width};
  }

  // What is resized to the picture of this layout.
  ResizedRegion ResizingOf(const CropLayout& crop, int i) const {
    return {roi_start_[i].data[0], roi_start_[i].data[1], roi_end_[i].data[0],
            roi_end_[i].data[1],   crop.height,           crop.width};
  }

  Rotation RotationOf(int i) const { return rotation_[i]; }

  // Makes sample i of the output, which has dtype(); `matrix` may be null.
  void Place(Picture picture, int i, const float* matrix, CropNormalizer* normalizer,
             void* out) const {
    const CropLayout crop = Layout(picture.height, picture.width, i);
    ResizedRegion resizing{};
    if (resizes()) {
      resizing = ResizingOf(crop, i);
      picture.resizing = &resizing;
    }
    const Coloring coloring{colors_, matrix};
    if (dtype_ == DALI_FLOAT)
      normalizer->Run(picture, crop, RotationOf(i), coloring, static_cast<float*>(out));
    else if (dtype_ == DALI_FLOAT16)
      normalizer->Run(picture, crop, RotationOf(i), coloring, static_cast<Half*>(out));
    else if (dtype_ == kBfloat16)
      normalizer->Run(picture, crop, RotationOf(i), coloring, static_cast<Bfloat16*>(out));
    else
      normalizer->Run(picture, crop, RotationOf(i), coloring, static_cast<uint8_t*>(out));
  }

  void CheckColor(const dali::TensorList<dali::CPUBackend>& color) const {
    for (int i = 0; i < color.num_samples(); i++)
      if (color.type() != DALI_FLOAT || color.shape()[i] != dali::TensorShape<>(3, 4))
        Fail(name_ + ": color must be float32 of shape (3, 4)");
  }

 private:
  dali::OpSpec spec_;
  std::string name_;
  std::vector<int> crop_;
  dali::DALIDataType dtype_;
  bool channels_last_;
  SampleArgument<int> flip_;
  SampleArgument<int> vertical_flip_;
  RotationArgument rotation_;
  SampleArgument<float, 1> roi_start_;
  SampleArgument<float, 1> roi_end_;
  SampleArgument<float, 1> size_;
  CropColors colors_{};

  static constexpr float kFarthest = 1 << 30;  // pixels
};

}  // namespace dali_voc
