// The DALI operator `dali_voc.normalize_crop`; the arithmetic is in normalize_crop.h.
#include <vector>

#include "for_each_sample.h"
#include "normalize_crop_base.h"

namespace dali_voc {

using dali::CPUBackend;

class NormalizeCropOp : public NormalizeCropBase<CPUBackend> {
 public:
  using NormalizeCropBase<CPUBackend>::NormalizeCropBase;

 protected:
  void RunImpl(dali::Workspace& ws) override {
    auto& pool = ws.GetThreadPool();
    normalizers_.resize(pool.NumThreads());
    auto& output = ws.Output<CPUBackend>(0);
    output.SetLayout(arguments_.layout());
    const auto& input = ws.Input<CPUBackend>(0);
    ForEachSample(pool, ws.GetInputBatchSize(0), [&](int i, int thread) {
      const auto shape = input.shape()[i];
      const Picture picture{
          input.tensor<uint8_t>(i), shape[1] * 3, nullptr, shape[0], shape[1], nullptr};
      arguments_.Place(picture, i, Matrix(ws, i), &normalizers_[thread],
                       output.raw_mutable_tensor(i));
    });
  }

 private:
  std::vector<CropNormalizer> normalizers_;
};

}  // namespace dali_voc

DALI_REGISTER_OPERATOR(dali_voc__NormalizeCrop, dali_voc::NormalizeCropOp, dali::CPU);

DALI_SCHEMA(dali_voc__NormalizeCrop)
    .DocStr("Resizes decoded windows, recolours, normalises, mirrors and pads them to the crop.")
    .NumInput(1, 2)
    .InputDox(0, "windows", "TensorList of uint8, HWC", "Decoded RGB.")
    .InputDox(1, "color", "TensorList of float, 3 x 4", "What (r, g, b, 1) is multiplied by.")
    // on a GPU, too: the matrices travel with the kernel's other arguments
    .InputDevice(1, dali::InputDevice::CPU)
    .NumOutput(1)
    .InputLayout(0, {"HWC", ""})
    .AddParent("dali_voc__CropArguments");
