// The DALI operator `dali_voc.decode_label`; what it does with one file is in label_decoder.h, its
// arguments are in decode_label_schema.cc.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "cache_arguments.h"
#include "dali/pipeline/data/views.h"
#include "dali/pipeline/operator/checkpointing/stateless_operator.h"
#include "dali/pipeline/operator/operator.h"
#include "jpeg_markers.h"
#include "label_decoder.h"
#include "label_error.h"
#include "operator_error.h"
#include "picture_arguments.h"
#include "png_window.h"
#include "sample_argument.h"
#include "text_argument.h"
#include "tiff_channels.h"

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
        resample_(spec.GetArgument<bool>("resample")),
        max_ratio_(spec.GetArgument<float>("max_ratio")),
        class_probability_(spec.GetArgument<float>("class_probability")),
        dtype_(spec.GetArgument<dali::DALIDataType>("dtype")),
        position_("position", spec),
        scale_("scale", spec),
        class_draw_("class_draw", spec),
        flip_("flip", spec),
        vertical_flip_("vertical_flip", spec),
        rotation_(spec),
        image_shape_("image_shape", spec),
        map_("map", spec),
        segments_("segments", spec),
        picture_(spec),
        cache_(spec) {
    int unknown = spec.GetArgument<int>("unknown");
    if (unknown >= kUnknown) Fail("decode_label: unknown must be a class, 0 to 65534");
    const auto resized = spec.GetRepeatedArgument<int>("resize_to");
    const int shorter = spec.GetArgument<int>("resize_shorter");
    const int longer = spec.GetArgument<int>("resize_longer");
    if (!(resized.empty() || (resized.size() == 2 && resized[0] > 0 && resized[1] > 0)) ||
        shorter < 0 || longer < 0)
      Fail("decode_label: sides to resize to must be positive");
    resizing_ = {shorter, longer, 0, 0};
    if (!resized.empty()) resizing_ = {0, 0, resized[0], resized[1]};
    if (!crop_.empty() && (crop_.size() != 2 || crop_[0] < 1 || crop_[1] < 1))
      Fail("decode_label: crop_size must be two positive numbers, height and width, or none");
    if (crop_.empty()) crop_ = {0, 0};
    if (dtype_ != DALI_UINT8 && dtype_ != DALI_INT32 && dtype_ != DALI_INT64)
      Fail("decode_label: dtype must be uint8, int32 or int64");
    int ignore = spec.GetArgument<int>("ignore_index");
    if (ignore < 0) Fail("decode_label: ignore_index must be a class");
    MakeMaps(spec, unknown < 0 ? kUnknown : unknown, ignore);
    for (const auto& map : maps_)
      if (map->num_classes - 1 > (dtype_ == DALI_UINT8 ? 255 : kUnknown - 1))
        Fail("decode_label: class " + std::to_string(map->num_classes - 1) +
             " does not fit the dtype");
  }

 protected:
  bool SetupImpl(std::vector<OutputDesc>& outputs, const Workspace& ws) override {
    int n = ws.GetInputBatchSize(0);
    CheckBytes(ws, 0, "decode_label: encoded");
    CheckBytes(ws, 1, "decode_label: path");
    if (ws.NumInput() > 2) CheckBytes(ws, 2, "decode_label: image");
    position_.Acquire(spec_, ws, n, dali::ArgValue_EnforceUniform);
    if (n > 0 && (position_[0].shape[0] < 2 || position_[0].shape[0] % 2 != 0))
      Fail("decode_label: position must hold one or more pairs (y, x)");
    flip_.Acquire(spec_, ws, n);
    vertical_flip_.Acquire(spec_, ws, n);
    if (scale_.HasExplicitValue()) scale_.Acquire(spec_, ws, n, dali::TensorShape<1>(2));
    if (class_draw_.HasExplicitValue()) {
      class_draw_.Acquire(spec_, ws, n, dali::ArgValue_EnforceUniform);
      if (n > 0 && class_draw_[0].shape[0] != 3 && class_draw_[0].shape[0] != 5)
        Fail("decode_label: class_draw must hold three numbers, or five");
    }
    rotation_.Acquire(spec_, ws, n);
    if (image_shape_.HasExplicitValue()) image_shape_.Acquire(spec_, ws, n);
    map_.Acquire(spec_, ws, n);
    if (segments_.HasExplicitValue()) segments_.Acquire(spec_, ws, n);
    picture_.Acquire(ws, n);
    cache_.Acquire(ws, n);
    outputs.resize(resample_ ? 7 : 4);
    outputs[0] = {dali::uniform_list_shape(n, {crop_[0], crop_[1]}), dtype_};
    if (crop_[0] == 0) SetWholeShapes(ws, &outputs[0].shape);
    outputs[1] = outputs[2] = {dali::uniform_list_shape(n, {2}), DALI_INT32};
    outputs[3] = {dali::uniform_list_shape<0>(n, dali::TensorShape<0>()), DALI_INT32};
    for (size_t k = 4; k < outputs.size(); k++)
      outputs[k] = {dali::uniform_list_shape(n, {2}), DALI_FLOAT};
    return true;
  }

  void RunImpl(Workspace& ws) override {
    auto& pool = ws.GetThreadPool();
    while (static_cast<int>(decoders_.size()) < pool.NumThreads())
      decoders_.push_back(std::make_unique<LabelDecoder>(maps_));
    ws.Output<CPUBackend>(0).SetLayout("HW");
    picture_.ForEachGroup(pool, [&](int begin, int end, int thread) {
      for (int i = begin; i < end; i++) RunSample(ws, i, i > begin, decoders_[thread].get());
    });
  }

 private:
  // One map, or as many as `color_counts` says, whose tables lie one after another.
  void MakeMaps(const OpSpec& spec, int unknown, int ignore) {
    auto colors = spec.GetRepeatedArgument<int>("colors");
    auto color_classes = spec.GetRepeatedArgument<int>("color_classes");
    auto values = spec.GetRepeatedArgument<int>("values");
    auto value_classes = spec.GetRepeatedArgument<int>("value_classes");
    auto color_counts = spec.GetRepeatedArgument<int>("color_counts");
    auto value_counts = spec.GetRepeatedArgument<int>("value_counts");
    auto guessed = spec.GetRepeatedArgument<int>("colors_guessed");
    const int unlabeled = spec.GetArgument<int>("unlabeled");
    guessed.resize(std::max(guessed.size(), color_counts.size()));
    if (colors.size() != color_classes.size() || values.size() != value_classes.size() ||
        color_counts.size() != value_counts.size())
      Fail("decode_label: the label tables do not fit each other");
    size_t color = 0, value = 0;
    auto part = [](const std::vector<int>& all, size_t begin, int count) {
      if (count < 0 || begin + count > all.size())
        Fail("decode_label: the label tables are shorter than their counts");
      return std::vector<int>(all.begin() + begin, all.begin() + begin + count);
    };
    for (size_t k = 0; k < color_counts.size(); k++) {
      auto map = std::make_shared<LabelMap>(
          part(colors, color, color_counts[k]), part(color_classes, color, color_counts[k]),
          part(values, value, value_counts[k]), part(value_classes, value, value_counts[k]),
          unknown, spec.GetArgument<bool>("palette_by_color"), ignore);
      map->unlabeled = unlabeled < 0 ? ignore : unlabeled;
      map->num_classes =
          std::max({map->num_classes, map->unlabeled + 1, spec.GetArgument<int>("num_classes")});
      map->colors_guessed = guessed[k] != 0;
      map->class_weights = spec.GetRepeatedArgument<float>("class_weights");
      maps_.push_back(map);
      color += color_counts[k];
      value += value_counts[k];
    }
    if (color != colors.size() || value != values.size())
      Fail("decode_label: the label tables are longer than their counts");
  }

  void SetWholeShapes(const Workspace& ws, dali::TensorListShape<>* shapes) {
    const auto& encoded = ws.Input<CPUBackend>(0);
    for (int i = 0; i < encoded.num_samples(); i++) {
      try {
        const auto* file = static_cast<const uint8_t*>(encoded.raw_tensor(i));
        SampleCache::Entry kept;
        CropRequest crop = Request(i);
        PngHeader header;
        if (crop.map == kNoLabel)
          header = BlankHeader(crop);
        else if (cache_.Label(i).Find(&kept))
          header = KeptHeader(kept);
        else
          header = ReadLabelHeader(file, encoded.shape()[i].num_elements());
        crop.SizeFor(crop.Axes(header));
        shapes->set_tensor_shape(i, dali::TensorShape<2>(crop.crop_height, crop.crop_width));
      } catch (const LabelError& e) {
        FailSample(i, Name(ws, i), e.what());
      }
    }
  }

  // `again`: of the same files as the sample before.
  void RunSample(Workspace& ws, int i, bool again, LabelDecoder* decoder) {
    try {
      if (dtype_ == DALI_UINT8)
        Decode<uint8_t>(ws, i, again, decoder);
      else if (dtype_ == DALI_INT32)
        Decode<int32_t>(ws, i, again, decoder);
      else
        Decode<int64_t>(ws, i, again, decoder);
    } catch (const LabelError& e) {
      FailSample(i, Name(ws, i), e.what());
    }
    auto& common = ws.Output<CPUBackend>(3);
    *common.mutable_tensor<int32_t>(i) =
        again ? *common.tensor<int32_t>(i - 1) : ws.NumInput() > 2 && CheckImage(ws, i);
  }

  // Returns whether it is of a kind that `decode_crop` reads, or has been read.
  bool CheckImage(const Workspace& ws, int i) const {
    SampleCache::Entry kept;
    if (cache_.Image(i).Find(&kept)) return true;
    const auto& images = ws.Input<CPUBackend>(2);
    const auto* file = static_cast<const uint8_t*>(images.raw_tensor(i));
    const size_t size = images.shape()[i].num_elements();
    std::string damage = FindJpegDamage(file, size);
    if (damage.empty()) damage = FindTiffTrouble(file, size);
    if (!damage.empty()) FailSample(i, Name(ws, i), "its image: " + damage);
    return IsCommonJpeg(file, size) || IsCommonPng(file, size);
  }

  CropRequest Request(int i) {
    CropRequest crop{crop_[0], crop_[1], *flip_[i].data != 0, *vertical_flip_[i].data != 0, -1, -1};
    crop.positions = position_[i].data;
    crop.num_positions = static_cast<int>(position_[i].shape[0] / 2);
    crop.max_ratio = max_ratio_;
    if (scale_.HasExplicitValue()) {
      crop.scale_y = scale_[i].data[0];
      crop.scale_x = scale_[i].data[1];
    }
    crop.resizing = resizing_;
    if (class_draw_.HasExplicitValue()) {
      crop.centre_on_class = class_draw_[i].data[0] < class_probability_;
      crop.class_number = class_draw_[i].data[1];
      crop.pixel_number = class_draw_[i].data[2];
      if (class_draw_[i].shape[0] == 5) crop.class_place = class_draw_[i].data + 3;
    }
    crop.rotation = rotation_[i];
    crop.map = *map_[i].data;
    if (segments_.HasExplicitValue()) {
      if (segments_[i].shape[1] != 2) Fail("decode_label: segments must be pairs");
      crop.has_segments = true;
      crop.segments = segments_[i].data;
      crop.num_segments = segments_[i].shape[0];
    }
    if (image_shape_.HasExplicitValue()) {
      if (image_shape_[i].shape[0] < 2) Fail("decode_label: image_shape needs height and width");
      crop.image_height = std::max<int64_t>(0, image_shape_[i].data[0]);
      crop.image_width = std::max<int64_t>(0, image_shape_[i].data[1]);
    } else if (crop.map == kNoLabel) {
      Fail("decode_label: where there is no label, image_shape is needed");
    }
    return crop;
  }

  template <typename T>
  void Decode(Workspace& ws, int i, bool again, LabelDecoder* decoder) {
    const auto& encoded = ws.Input<CPUBackend>(0);
    CropResult result = decoder->Decode<T>(
        static_cast<const uint8_t*>(encoded.raw_tensor(i)), encoded.shape()[i].num_elements(),
        Request(i), ws.Output<CPUBackend>(0).mutable_tensor<T>(i), cache_.Label(i), again);
    int32_t* start = ws.Output<CPUBackend>(1).mutable_tensor<int32_t>(i);
    int32_t* shape = ws.Output<CPUBackend>(2).mutable_tensor<int32_t>(i);
    const Span& y = resample_ ? result.y.span : result.window.y;
    const Span& x = resample_ ? result.x.span : result.window.x;
    start[0] = static_cast<int32_t>(y.start);
    start[1] = static_cast<int32_t>(x.start);
    shape[0] = static_cast<int32_t>(y.size);
    shape[1] = static_cast<int32_t>(x.size);
    if (!resample_) return;
    auto write = [&](int output, double first, double second) {
      float* to = ws.Output<CPUBackend>(output).mutable_tensor<float>(i);
      to[0] = static_cast<float>(first);
      to[1] = static_cast<float>(second);
    };
    write(4, result.y.roi_start, result.x.roi_start);
    write(5, result.y.roi_end, result.x.roi_end);
    write(6, static_cast<double>(result.window.y.size), static_cast<double>(result.window.x.size));
  }

  static std::string Name(const Workspace& ws, int i) {
    return Printable(TextOf(ws.Input<CPUBackend>(1), i));
  }

  std::vector<int> crop_;
  bool resample_;
  Resizing resizing_;
  float max_ratio_;
  float class_probability_;
  dali::DALIDataType dtype_;
  SampleArgument<float, 1> position_;
  SampleArgument<float, 1> scale_;
  SampleArgument<float, 1> class_draw_;
  SampleArgument<int> flip_;
  SampleArgument<int> vertical_flip_;
  RotationArgument rotation_;
  SampleArgument<int64_t, 1> image_shape_;
  SampleArgument<int> map_;
  SampleArgument<int64_t, 2> segments_;
  PictureArguments picture_;
  CacheArguments cache_;
  std::vector<std::shared_ptr<const LabelMap>> maps_;
  std::vector<std::unique_ptr<LabelDecoder>> decoders_;
};

}  // namespace dali_voc

DALI_REGISTER_OPERATOR(dali_voc__DecodeLabel, dali_voc::DecodeLabel, dali::CPU);
