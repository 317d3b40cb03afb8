// The DALI operator `dali_voc.crop_label`, which is there on a GPU alone: on the CPU `decode_label`
// crops while it decodes.
#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "dali/pipeline/data/views.h"
#include "dali/pipeline/operator/checkpointing/stateless_operator.h"
#include "dali/pipeline/operator/operator.h"
#include "gpu/dali_memory.h"
#include "gpu/label_cropper.h"
#include "operator_error.h"
#include "sample_argument.h"

namespace dali_voc {

using dali::GPUBackend;

class CropLabelGpu : public dali::StatelessOperator<GPUBackend> {
 public:
  explicit CropLabelGpu(const dali::OpSpec& spec)
      : dali::StatelessOperator<GPUBackend>(spec),
        crop_(spec.GetRepeatedArgument<int>("crop_size")),
        dtype_(spec.GetArgument<dali::DALIDataType>("dtype")),
        ignore_(spec.GetArgument<int>("ignore_index")),
        start_("start", spec),
        scaled_("scaled", spec),
        flip_("flip", spec),
        vertical_flip_("vertical_flip", spec),
        rotation_(spec) {
    if (!crop_.empty() && crop_.size() != 2)
      Fail("crop_label: expected crop_size of 2 numbers or none");
    if (dtype_ != DALI_UINT8 && dtype_ != DALI_INT32 && dtype_ != DALI_INT64)
      Fail("crop_label: dtype must be uint8, int32 or int64");
    for (int number : spec.GetRepeatedArgument<int>("classes"))
      classes_.push_back(static_cast<uint16_t>(number));
  }

 protected:
  bool SetupImpl(std::vector<dali::OutputDesc>& outputs, const dali::Workspace& ws) override {
    const auto& input = ws.Input<GPUBackend>(0);
    const int n = input.num_samples();
    if (input.type() != DALI_UINT8 || input.sample_dim() != 2)
      Fail("crop_label: the input must be uint8 maps of shape (height, width)");
    start_.Acquire(spec_, ws, n, dali::TensorShape<1>(2));
    if (scaled_.HasExplicitValue()) scaled_.Acquire(spec_, ws, n, dali::TensorShape<1>(2));
    flip_.Acquire(spec_, ws, n);
    vertical_flip_.Acquire(spec_, ws, n);
    rotation_.Acquire(spec_, ws, n);
    outputs.resize(1);
    outputs[0].type = dtype_;
    outputs[0].shape.resize(n, 2);
    pictures_.resize(n);
    for (int i = 0; i < n; i++) {
      const auto shape = input.shape()[i];
      const LabelPicture& p = pictures_[i] = PictureOf(shape[0], shape[1], i);
      outputs[0].shape.set_tensor_shape(i, dali::TensorShape<2>(p.crop_y, p.crop_x));
    }
    return true;
  }

  void RunImpl(dali::Workspace& ws) override {
    const auto& input = ws.Input<GPUBackend>(0);
    auto& output = ws.Output<GPUBackend>(0);
    output.SetLayout("HW");
    for (int i = 0; i < input.num_samples(); i++) {
      pictures_[i].values = input.tensor<uint8_t>(i);
      pictures_[i].out = output.raw_mutable_tensor(i);
    }
    try {
      DaliMemory memory(ws.stream());
      CropLabels(pictures_, classes_, ignore_,
                 static_cast<int>(dali::TypeTable::GetTypeInfo(dtype_).size()), &memory);
    } catch (const std::runtime_error& e) {
      Fail(std::string("crop_label: ") + e.what());
    }
  }

 private:
  // All but where it lies; sizes that do not fit are found by the launcher.
  LabelPicture PictureOf(int64_t height, int64_t width, int i) const {
    LabelPicture p{};
    p.height = static_cast<int32_t>(height);
    p.width = static_cast<int32_t>(width);
    p.scaled_y = scaled_.HasExplicitValue() ? scaled_[i].data[0] : p.height;
    p.scaled_x = scaled_.HasExplicitValue() ? scaled_[i].data[1] : p.width;
    p.start_y = start_[i].data[0];
    p.start_x = start_[i].data[1];
    if (p.start_y < 0 || p.start_x < 0 || p.scaled_y < 1 || p.scaled_x < 1)
      Fail("crop_label: the window of sample " + std::to_string(i) + " does not fit its picture");
    p.crop_y = crop_.empty() ? p.scaled_y - p.start_y : crop_[0];
    p.crop_x = crop_.empty() ? p.scaled_x - p.start_x : crop_[1];
    if (p.crop_y < 1 || p.crop_x < 1)
      Fail("crop_label: sample " + std::to_string(i) + " has no pixels");
    p.window_y = std::min(p.crop_y, p.scaled_y - p.start_y);
    p.window_x = std::min(p.crop_x, p.scaled_x - p.start_x);
    p.flip_x = *flip_[i].data != 0;
    p.flip_y = *vertical_flip_[i].data != 0;
    p.rotation = rotation_[i];
    return p;
  }

  std::vector<int> crop_;
  std::vector<uint16_t> classes_;
  dali::DALIDataType dtype_;
  int ignore_;
  SampleArgument<int, 1> start_;
  SampleArgument<int, 1> scaled_;
  SampleArgument<int> flip_;
  SampleArgument<int> vertical_flip_;
  RotationArgument rotation_;
  std::vector<LabelPicture> pictures_;
};

}  // namespace dali_voc

DALI_REGISTER_OPERATOR(dali_voc__CropLabel, dali_voc::CropLabelGpu, dali::GPU);

DALI_SCHEMA(dali_voc__CropLabel)
    .DocStr("Scales maps of class indices, mirrors, pads, turns, maps and casts them to the crop.")
    .NumInput(1)
    .InputDox(0, "values", "TensorList of uint8, HW", "Whole pictures.")
    .NumOutput(1)
    .InputLayout(0, {"HW", ""})
    .AddArg("crop_size",
            "Height and width of the crop, pixels; none: what the picture shows from `start` on.",
            DALI_INT_VEC)
    .AddOptionalArg("classes", "The class of each of the 256 values; none: the value itself.",
                    std::vector<int>{})
    .AddOptionalArg("ignore_index", "What fills the crop outside the picture.", 255)
    .AddOptionalTypeArg("dtype", "UINT8, INT32 or INT64.", DALI_UINT8)
    .AddOptionalArg("start", "First row and column, pixels of the scaled picture.",
                    std::vector<int>{0, 0}, true)
    .AddOptionalArg("scaled",
                    "Height and width that the picture is scaled to before it is cropped.",
                    DALI_INT_VEC, nullptr, true)
    .AddOptionalArg("flip", "Mirror the crop left to right.", 0, true)
    .AddOptionalArg("vertical_flip", "Mirror the crop top to bottom.", 0, true)
    .AddOptionalArg("rotation",
                    "Cosine and sine of the angle by which the crop is then turned about its "
                    "centre, counter-clockwise.",
                    DALI_FLOAT_VEC, nullptr, true);
