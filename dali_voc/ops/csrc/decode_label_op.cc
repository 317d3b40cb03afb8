// The DALI operator `dali_voc.decode_label`; what it does with one file is in label_decoder.h.
#include <memory>
#include <string>
#include <vector>

#include "dali/pipeline/data/views.h"
#include "dali/pipeline/operator/arg_helper.h"
#include "dali/pipeline/operator/checkpointing/stateless_operator.h"
#include "dali/pipeline/operator/operator.h"
#include "jpeg_markers.h"
#include "label_decoder.h"
#include "label_error.h"
#include "operator_error.h"

namespace dali_voc {

using dali::CPUBackend;
using dali::OpSpec;
using dali::OutputDesc;
using dali::Workspace;

class DecodeLabel : public dali::StatelessOperator<CPUBackend> {
 public:
  explicit DecodeLabel(const OpSpec& spec)
      : StatelessOperator<CPUBackend>(spec),
        crop_(spec.GetRepeatedArgument<int>("crop_size")),
        ignore_(spec.GetArgument<int>("ignore_index")),
        dtype_(spec.GetArgument<dali::DALIDataType>("dtype")),
        position_("position", spec),
        flip_("flip", spec),
        image_shape_("image_shape", spec) {
    int unknown = spec.GetArgument<int>("unknown");
    if (crop_.size() != 2 || crop_[0] < 1 || crop_[1] < 1)
      Fail("decode_label: crop_size must be two positive numbers, height and width");
    if (dtype_ != DALI_UINT8 && dtype_ != DALI_INT32 && dtype_ != DALI_INT64)
      Fail("decode_label: dtype must be UINT8, INT32 or INT64");
    for (int value : {unknown, ignore_})
      if (value > (dtype_ == DALI_UINT8 ? 255 : kUnknown - 1))
        Fail("decode_label: class " + std::to_string(value) + " does not fit the dtype");
    map_ = std::make_shared<LabelMap>(
        spec.GetRepeatedArgument<int>("colors"), spec.GetRepeatedArgument<int>("color_classes"),
        spec.GetRepeatedArgument<int>("values"), spec.GetRepeatedArgument<int>("value_classes"),
        unknown < 0 ? kUnknown : unknown, spec.GetArgument<bool>("palette_by_color"));
  }

 protected:
  bool SetupImpl(std::vector<OutputDesc>& outputs, const Workspace& ws) override {
    int n = ws.GetInputBatchSize(0);
    position_.Acquire(spec_, ws, n, dali::TensorShape<1>(2));
    flip_.Acquire(spec_, ws, n);
    if (image_shape_.HasExplicitValue()) image_shape_.Acquire(spec_, ws, n);
    outputs.resize(3);
    outputs[0] = {dali::uniform_list_shape(n, {crop_[0], crop_[1]}), dtype_};
    outputs[1] = {dali::uniform_list_shape(n, {2}), DALI_INT32};
    outputs[2] = outputs[1];
    return true;
  }

  void RunImpl(Workspace& ws) override {
    auto& pool = ws.GetThreadPool();
    while (static_cast<int>(decoders_.size()) < pool.NumThreads())
      decoders_.push_back(std::make_unique<LabelDecoder>(map_));
    int n = ws.GetInputBatchSize(0);
    ws.Output<CPUBackend>(0).SetLayout("HW");
    for (int i = 0; i < n; i++)
      pool.AddWork([this, &ws, i](int thread) { RunSample(ws, i, decoders_[thread].get()); }, -i);
    pool.RunAll();
  }

 private:
  void RunSample(Workspace& ws, int i, LabelDecoder* decoder) {
    try {
      if (dtype_ == DALI_UINT8)
        Decode<uint8_t>(ws, i, decoder);
      else if (dtype_ == DALI_INT32)
        Decode<int32_t>(ws, i, decoder);
      else
        Decode<int64_t>(ws, i, decoder);
    } catch (const LabelError& e) {
      FailSample(i, Name(ws, i), e.what());
    }
    if (ws.NumInput() > 2) CheckImage(ws, i);
  }

  static void CheckImage(const Workspace& ws, int i) {
    const auto& images = ws.Input<CPUBackend>(2);
    std::string damage = FindJpegDamage(static_cast<const uint8_t*>(images.raw_tensor(i)),
                                        images.shape()[i].num_elements());
    if (!damage.empty()) FailSample(i, Name(ws, i), "its image: " + damage);
  }

  template <typename T>
  void Decode(Workspace& ws, int i, LabelDecoder* decoder) {
    const auto& encoded = ws.Input<CPUBackend>(0);
    CropRequest crop{
        crop_[0], crop_[1], position_[i].data[0], position_[i].data[1], *flip_[i].data != 0, 0, 0};
    if (image_shape_.HasExplicitValue()) {
      if (image_shape_[i].shape[0] < 2) Fail("decode_label: image_shape needs height and width");
      crop.image_height = image_shape_[i].data[0];
      crop.image_width = image_shape_[i].data[1];
    }
    Window window = decoder->Decode<T>(
        static_cast<const uint8_t*>(encoded.raw_tensor(i)), encoded.shape()[i].num_elements(), crop,
        static_cast<T>(ignore_), ws.Output<CPUBackend>(0).mutable_tensor<T>(i));
    int32_t* start = ws.Output<CPUBackend>(1).mutable_tensor<int32_t>(i);
    int32_t* shape = ws.Output<CPUBackend>(2).mutable_tensor<int32_t>(i);
    start[0] = static_cast<int32_t>(window.y.start);
    start[1] = static_cast<int32_t>(window.x.start);
    shape[0] = static_cast<int32_t>(window.y.size);
    shape[1] = static_cast<int32_t>(window.x.size);
  }

  static std::string Name(const Workspace& ws, int i) {
    if (ws.NumInput() < 2) return "sample " + std::to_string(i) + " of the batch";
    const auto& names = ws.Input<CPUBackend>(1);
    return Printable(static_cast<const char*>(names.raw_tensor(i)),
                     names.shape()[i].num_elements());
  }

  std::vector<int> crop_;
  int ignore_;
  dali::DALIDataType dtype_;
  dali::ArgValue<float, 1> position_;
  dali::ArgValue<int> flip_;
  dali::ArgValue<int64_t, 1> image_shape_;
  std::shared_ptr<const LabelMap> map_;
  std::vector<std::unique_ptr<LabelDecoder>> decoders_;
};

}  // namespace dali_voc

DALI_REGISTER_OPERATOR(dali_voc__DecodeLabel, dali_voc::DecodeLabel, dali::CPU);

DALI_SCHEMA(dali_voc__DecodeLabel)
    .DocStr(R"(Decodes PNG labels to cropped class-index maps, without an RGB picture in between.

Outputs: the map [crop height, crop width], and the window it shows in source pixels: its start
(y, x) and its shape (height, width), int32; the window is smaller than the crop where the picture
is, and the rest of the map, at the bottom and at the right, is `ignore_index`.)")
    .NumInput(1, 3)
    .InputDox(0, "encoded", "1D TensorList of uint8", "The bytes of PNG files.")
    .InputDox(1, "path", "1D TensorList of uint8", "The files' names, for error messages.")
    .InputDox(2, "image", "1D TensorList of uint8",
              "The bytes of the images that belong to the labels; JPEG is checked for damage.")
    .NumOutput(3)
    .AddArg("crop_size", "Height and width of the crop, pixels.", DALI_INT_VEC)
    .AddOptionalArg("colors", "Known colours, 0xRRGGBB.", std::vector<int>{})
    .AddOptionalArg("color_classes", "The class of each of `colors`.", std::vector<int>{})
    .AddOptionalArg("values", "Known gray values or palette indices, 0..255.", std::vector<int>{})
    .AddOptionalArg("value_classes", "The class of each of `values`.", std::vector<int>{})
    .AddOptionalArg("palette_by_color", "Map palette files by colour; else by index.", true)
    .AddOptionalArg("unknown", "Class of colours and values not listed; -1: an error.", -1)
    .AddOptionalArg("ignore_index", "What fills the crop outside the picture.", 255)
    .AddOptionalTypeArg("dtype", "UINT8, INT32 or INT64.", DALI_UINT8)
    .AddOptionalArg("position", "Crop position (y, x), each in [0, 1); 0.5 is the centre.",
                    std::vector<float>{0.5f, 0.5f}, true)
    .AddOptionalArg("flip", "Mirror the crop left to right.", 0, true)
    .AddOptionalArg("image_shape", "Shape (height, width, ...) that the label must have, int64.",
                    DALI_INT_VEC, nullptr, true);
