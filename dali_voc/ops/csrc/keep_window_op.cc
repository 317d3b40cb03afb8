// The DALI operator `dali_voc.keep_window`: keeps whole pictures in memory, and gives windows.
#include <cstring>
#include <string>
#include <vector>

#include "cache_arguments.h"
#include "crop_window.h"
#include "dali/pipeline/data/views.h"
#include "dali/pipeline/operator/checkpointing/stateless_operator.h"
#include "dali/pipeline/operator/operator.h"
#include "gpu/dali_memory.h"
#include "gpu/row_copier.h"
#include "kept_windows.h"
#include "operator_error.h"
#include "sample_argument.h"

namespace dali_voc {

using dali::CPUBackend;
using dali::GPUBackend;
using dali::OpSpec;
using dali::OutputDesc;
using dali::Workspace;

template <typename Backend>
class KeepWindow : public dali::StatelessOperator<Backend> {
 public:
  explicit KeepWindow(const OpSpec& spec)
      : dali::StatelessOperator<Backend>(spec),
        cache_(spec),
        memory_(reinterpret_cast<uint8_t*>(spec.GetArgument<int64_t>("memory"))),
        is_kept_("is_kept", spec),
        start_("start", spec),
        shape_("shape", spec) {
    if (!cache_) Fail("keep_window: there is no cache");
  }

 protected:
  bool SetupImpl(std::vector<OutputDesc>& outputs, const Workspace& ws) override {
    const auto& input = ws.Input<Backend>(0);
    const int n = input.num_samples();
    if (input.type() != DALI_UINT8 || input.sample_dim() != 3)
      Fail("keep_window: the input must be uint8 pictures of shape (height, width, 3)");
    cache_.Acquire(ws, n);
    is_kept_.Acquire(this->spec_, ws, n);
    start_.Acquire(this->spec_, ws, n, dali::TensorShape<1>(2));
    shape_.Acquire(this->spec_, ws, n, dali::TensorShape<1>(2));
    outputs.resize(1);
    outputs[0].type = DALI_UINT8;
    outputs[0].shape.resize(n, 3);
    for (int i = 0; i < n; i++) {
      if (input.shape()[i][2] != 3)
        Fail("keep_window: sample " + std::to_string(i) + " is not RGB");
      if (shape_[i].data[0] < 1 || shape_[i].data[1] < 1)
        Fail("keep_window: the window of sample " + std::to_string(i) + " has no pixels");
      outputs[0].shape.set_tensor_shape(
          i, dali::TensorShape<3>(shape_[i].data[0], shape_[i].data[1], 3));
    }
    return true;
  }

  void RunImpl(Workspace& ws) override {
    const auto& input = ws.Input<Backend>(0);
    auto& output = ws.Output<Backend>(0);
    output.SetLayout("HWC");
    KeptWindows windows(*cache_.get(), memory_);
    for (int i = 0; i < input.num_samples(); i++) {
      const auto shape = input.shape()[i];
      const WantedWindow wanted{*is_kept_[i].data ? nullptr : input.template tensor<uint8_t>(i),
                                shape[0],
                                shape[1],
                                start_[i].data[0],
                                start_[i].data[1],
                                shape_[i].data[0],
                                shape_[i].data[1],
                                output.template mutable_tensor<uint8_t>(i)};
      try {
        windows.Add(wanted, cache_.Image(i));
      } catch (const std::runtime_error& e) {
        FailSample(i, "sample " + std::to_string(i) + " of the batch", e.what());
      }
    }
    try {
      Copy(windows, ws);
      windows.Publish();
    } catch (const std::runtime_error& e) {
      Fail(std::string("keep_window: ") + e.what());
    }
  }

 private:
  static void Copy(const KeptWindows& windows, const Workspace& ws) {
    if constexpr (std::is_same_v<Backend, GPUBackend>) {
      DaliMemory memory(ws.stream());
      for (const BlockCopy& block : windows.blocks())
        CheckCuda(CudaDriver::Get().MemcpyDtoDAsync(reinterpret_cast<CUdeviceptr>(block.to),
                                                    reinterpret_cast<CUdeviceptr>(block.from),
                                                    block.size, ws.stream()),
                  "keeping a picture");
      CopyRows(windows.rows(), &memory);
    } else {
      for (const BlockCopy& block : windows.blocks()) memcpy(block.to, block.from, block.size);
      for (const RowsCopy& copy : windows.rows())
        for (int64_t y = 0; y < copy.rows; y++)
          memcpy(copy.to + y * copy.width, copy.from + y * copy.stride, copy.width);
    }
  }

  CacheArguments cache_;
  uint8_t* memory_;
  SampleArgument<int> is_kept_;
  SampleArgument<int, 1> start_, shape_;
};

}  // namespace dali_voc

DALI_REGISTER_OPERATOR(dali_voc__KeepWindow, dali_voc::KeepWindow<dali::CPUBackend>, dali::CPU);
DALI_REGISTER_OPERATOR(dali_voc__KeepWindow, dali_voc::KeepWindow<dali::GPUBackend>, dali::GPU);

DALI_SCHEMA(dali_voc__KeepWindow)
    .DocStr("Keeps whole pictures in memory, and gives windows of them.")
    .NumInput(1)
    .InputDox(0, "pictures", "TensorList of uint8, HWC",
              "Decoded RGB; anything where the picture is kept already.")
    .NumOutput(1)
    .InputLayout(0, {"HWC", ""})
    .AddArg("memory", "Address of the memory, on the operator's device.", DALI_INT64)
    .AddArg("is_kept", "1: the picture is kept already.", DALI_INT32, true)
    .AddArg("start", "First row and column of the window.", DALI_INT_VEC, true)
    .AddArg("shape", "Its height and width.", DALI_INT_VEC, true)
    .AddParent("dali_voc__CacheArguments");
