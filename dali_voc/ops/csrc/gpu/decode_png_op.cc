// The operator `dali_voc.decode_png`: from files in host memory to pictures in GPU memory.
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "dali/pipeline/data/views.h"
#include "dali/pipeline/operator/checkpointing/stateless_operator.h"
#include "dali/pipeline/operator/operator.h"
#include "dali/pipeline/util/thread_pool.h"
#include "for_each_sample.h"
#include "gpu/dali_memory.h"
#include "gpu/png_decoder.h"
#include "label_error.h"
#include "operator_error.h"
#include "sample_argument.h"
#include "text_argument.h"

namespace dali_voc {

using dali::CPUBackend;
using dali::GPUBackend;
using dali::MixedBackend;
using dali::OpSpec;
using dali::OutputDesc;
using dali::Workspace;

class DecodePng : public dali::StatelessOperator<MixedBackend> {
 public:
  explicit DecodePng(const OpSpec& spec)
      : StatelessOperator<MixedBackend>(spec),
        is_label_(spec.GetArgument<bool>("label")),
        dtype_(spec.GetArgument<dali::DALIDataType>("dtype")),
        unknown_(spec.GetArgument<int>("unknown")),
        start_("start", spec),
        shape_("shape", spec),
        map_(
            spec.GetRepeatedArgument<int>("colors"), spec.GetRepeatedArgument<int>("color_classes"),
            spec.GetRepeatedArgument<int>("values"), spec.GetRepeatedArgument<int>("value_classes"),
            kUnknown, spec.GetArgument<bool>("palette_by_color"), 0),
        // mixed operators are given none
        pool_(spec.GetArgument<int>("num_threads"), spec.GetArgument<int>("device_id"), false,
              "decode_png") {
    if (dtype_ != DALI_UINT8 && (!is_label_ || (dtype_ != DALI_INT32 && dtype_ != DALI_INT64)))
      Fail("decode_png: dtype must be uint8, for labels also int32 or int64");
    if (start_.HasExplicitValue() != shape_.HasExplicitValue())
      Fail("decode_png: a window has both start and shape");
    try {
      decoder_ = std::make_unique<PngDecoder>(spec.GetArgument<std::string>("nvcomp"));
    } catch (const std::runtime_error& e) {
      Fail(std::string("decode_png: ") + e.what());
    }
  }

 protected:
  bool SetupImpl(std::vector<OutputDesc>& outputs, const Workspace& ws) override {
    const int n = ws.GetInputBatchSize(0);
    if (start_.HasExplicitValue()) {
      start_.Acquire(spec_, ws, n, dali::TensorShape<1>(2));
      shape_.Acquire(spec_, ws, n, dali::TensorShape<1>(2));
    }
    if (static_cast<int>(chunks_.size()) < n) chunks_.resize(n);
    jobs_.assign(n, PngJob{});
    const auto& files = ws.Input<CPUBackend>(0);
    ForEachSampleLongestFirst(
        pool_, files.num_samples(), [&](int i) { return files.shape()[i].num_elements(); },
        [&](int i, int) { Read(ws, i); });
    outputs.resize(2);
    outputs[0].type = dtype_;
    outputs[0].shape.resize(n, is_label_ ? 2 : 3);
    for (int i = 0; i < n; i++) {
      const WindowBounds& window = jobs_[i].window;
      if (is_label_)
        outputs[0].shape.set_tensor_shape(i, dali::TensorShape<2>(window.height, window.width));
      else
        outputs[0].shape.set_tensor_shape(i, dali::TensorShape<3>(window.height, window.width, 3));
    }
    // the bits are uint32: PyTorch's tensors are made of signed types alone
    outputs[1] = {dali::uniform_list_shape(n, dali::TensorShape<1>(4)), DALI_INT32};
    return true;
  }

  void RunImpl(Workspace& ws) override {
    auto& output = ws.Output<GPUBackend>(0);
    auto& reports = ws.Output<GPUBackend>(1);
    output.SetLayout(is_label_ ? "HW" : "HWC");
    const int n = static_cast<int>(jobs_.size());
    if (n == 0) return;
    for (int i = 0; i < n; i++) jobs_[i].out = output.raw_mutable_tensor(i);
    // as they are allocated, unless somebody has wished otherwise
    if (!reports.IsContiguous()) Fail("decode_png: the reports do not lie side by side");
    auto* found = static_cast<PngReport*>(reports.raw_mutable_tensor(0));
    const Parallel parallel = [this](int count, const std::function<void(int)>& function) {
      ForEachSample(pool_, count, [&](int i, int) { function(i); });
    };
    try {
      DaliMemory memory(ws.stream());
      if (is_label_)
        decoder_->ToClasses(jobs_, map_, static_cast<uint16_t>(unknown_),
                            static_cast<int>(dali::TypeTable::GetTypeInfo(dtype_).size()), found,
                            &memory, parallel);
      else
        decoder_->ToRgb(jobs_, found, &memory, parallel);
    } catch (const std::runtime_error& e) {
      Fail(std::string("decode_png: ") + e.what());
    }
  }

 private:
  void Read(const Workspace& ws, int i) {
    const auto& files = ws.Input<CPUBackend>(0);
    PngChunks* chunks = &chunks_[i];
    try {
      ParsePng(static_cast<const uint8_t*>(files.raw_tensor(i)), files.shape()[i].num_elements(),
               chunks);
      CheckForGpu(*chunks, is_label_);
      WindowBounds window{0, 0, chunks->header.height, chunks->header.width};
      if (start_.HasExplicitValue())
        window = {start_[i].data[0], start_[i].data[1], shape_[i].data[0], shape_[i].data[1]};
      window.CheckInside(chunks->header.height, chunks->header.width);
      jobs_[i] = {chunks, window, nullptr};
    } catch (const std::runtime_error& e) {  // LabelError, ImageError
      FailSample(i, Printable(TextOf(ws.Input<CPUBackend>(1), i)),
                 (is_label_ ? "" : "its image: ") + std::string(e.what()));
    }
  }

  bool is_label_;
  dali::DALIDataType dtype_;
  int unknown_;
  SampleArgument<int, 1> start_;
  SampleArgument<int, 1> shape_;
  LabelMap map_;
  std::unique_ptr<const PngDecoder> decoder_;
  std::vector<PngChunks> chunks_;
  std::vector<PngJob> jobs_;
  dali::OldThreadPool pool_;
};

}  // namespace dali_voc

DALI_REGISTER_OPERATOR(dali_voc__DecodePng, dali_voc::DecodePng, dali::Mixed);

DALI_SCHEMA(dali_voc__DecodePng)
    .DocStr(R"(Decodes windows of PNG files on a GPU: nvCOMP inflates them.

Outputs: RGB pictures [height, width, 3], or maps of class indices [height, width]; and per sample
four int32 on what was found, for `check_png`. What is damaged so that it shows before the
inflating is an error.)")
    .NumInput(2)
    .InputDox(0, "encoded", "1D TensorList of uint8", "The bytes of PNG files.")
    .InputDox(1, "path", "1D TensorList of uint8", "The files' names, for error messages.")
    .NumOutput(2)
    .AddArg("nvcomp", "The path of nvCOMP's library.", DALI_STRING)
    .AddOptionalArg("label", "To class indices; otherwise to RGB.", false)
    .AddOptionalArg("start", "First row and column of the window.", DALI_INT_VEC, nullptr, true)
    .AddOptionalArg("shape", "Height and width of the window.", DALI_INT_VEC, nullptr, true)
    .AddOptionalArg("colors", "Known colours, 0xRRGGBB.", std::vector<int>{})
    .AddOptionalArg("color_classes", "The class of each of `colors`.", std::vector<int>{})
    .AddOptionalArg("values", "Known gray values or palette indices, 0..255.", std::vector<int>{})
    .AddOptionalArg("value_classes", "The class of each of `values`.", std::vector<int>{})
    .AddOptionalArg("palette_by_color", "Map palette files by colour; else by index.", true)
    .AddOptionalArg("unknown", "Class of colours and values not listed; they are counted.", 0)
    .AddOptionalTypeArg("dtype", "UINT8, for labels also INT32 or INT64.", DALI_UINT8);
