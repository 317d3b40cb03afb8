// The operator `dali_voc.normalize_crop` on a GPU.
#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "gpu/dali_memory.h"
#include "gpu/image_cropper.h"
#include "normalize_crop_base.h"

namespace dali_voc {

using dali::GPUBackend;

class NormalizeCropGpu : public NormalizeCropBase<GPUBackend> {
 public:
  explicit NormalizeCropGpu(const dali::OpSpec& spec) : NormalizeCropBase<GPUBackend>(spec) {
    if (arguments_.dtype() == CropArguments::kBfloat16)
      Fail("normalize_crop: bfloat16 is for the CPU, on a GPU expected float32, float16 or uint8");
  }

 protected:
  void RunImpl(dali::Workspace& ws) override {
    const auto& input = ws.Input<GPUBackend>(0);
    auto& output = ws.Output<GPUBackend>(0);
    output.SetLayout(arguments_.layout());
    std::vector<CropPicture> pictures;
    for (int i = 0; i < input.num_samples(); i++)
      pictures.push_back(PictureOf(ws, i, input.tensor<uint8_t>(i), output.raw_mutable_tensor(i)));
    const auto type = arguments_.dtype() == DALI_FLOAT     ? CropType::kFloat
                      : arguments_.dtype() == DALI_FLOAT16 ? CropType::kHalf
                                                           : CropType::kByte;
    try {
      DaliMemory memory(ws.stream());
      CropImages(pictures, arguments_.colors(), type, arguments_.channels_last(), &memory);
    } catch (const std::runtime_error& e) {
      Fail(std::string("normalize_crop: ") + e.what());
    }
  }

 private:
  CropPicture PictureOf(const dali::Workspace& ws, int i, const uint8_t* rgb, void* out) const {
    const auto shape = ws.Input<GPUBackend>(0).shape()[i];
    const CropLayout crop = arguments_.Layout(shape[0], shape[1], i);
    auto number = [](int64_t value) { return static_cast<int32_t>(value); };
    CropPicture picture{};
    picture.rgb = rgb;
    picture.out = out;
    picture.stride = shape[1] * 3;
    picture.height = number(shape[0]);
    picture.width = number(shape[1]);
    picture.shown_y = number(crop.height);
    picture.shown_x = number(crop.width);
    picture.crop_y = number(crop.crop_height);
    picture.crop_x = number(crop.crop_width);
    picture.flip_x = crop.flip_x;
    picture.flip_y = crop.flip_y;
    picture.resizes = arguments_.resizes();
    if (picture.resizes) {
      const ResizedRegion resizing = arguments_.ResizingOf(crop, i);
      picture.start_y = resizing.start_y;
      picture.start_x = resizing.start_x;
      picture.end_y = resizing.end_y;
      picture.end_x = resizing.end_x;
    }
    picture.rotation = arguments_.RotationOf(i);
    if (const float* matrix = Matrix(ws, i)) {
      picture.recolors = 1;
      std::copy_n(matrix, 12, picture.matrix);
    }
    return picture;
  }
};

}  // namespace dali_voc

DALI_REGISTER_OPERATOR(dali_voc__NormalizeCrop, dali_voc::NormalizeCropGpu, dali::GPU);
