// The DALI operator `dali_voc.decode_crop`: what `normalize_crop` does, from a JPEG or PNG file on.
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cache_arguments.h"
#include "crop_arguments.h"
#include "dali/pipeline/operator/checkpointing/stateless_operator.h"
#include "jpeg_markers.h"
#include "jpeg_window.h"
#include "picture_arguments.h"
#include "picture_size.h"
#include "png_window.h"
#include "shared_windows.h"
#include "text_argument.h"

namespace dali_voc {
namespace {

// Height and width of a file of a kind that is decoded here, from its header.
bool FindCommonSize(const uint8_t* file, size_t size, int64_t* height, int64_t* width) {
  if (IsCommonPng(file, size)) {
    auto number = [file](int at) {
      return int64_t{file[at]} << 24 | file[at + 1] << 16 | file[at + 2] << 8 | file[at + 3];
    };
    *width = number(16);
    *height = number(20);
    return true;
  }
  const size_t frame = FindCommonFrame(file, size);
  if (!frame) return false;
  *height = FrameHeight(file + frame);
  *width = FrameWidth(file + frame);
  return true;
}

}  // namespace

using dali::CPUBackend;
using dali::OpSpec;
using dali::OutputDesc;
using dali::Workspace;

class DecodeCropOp : public dali::StatelessOperator<CPUBackend> {
 public:
  explicit DecodeCropOp(const OpSpec& spec)
      : StatelessOperator<CPUBackend>(spec),
        arguments_(spec),
        start_("start", spec),
        shape_("shape", spec),
        is_decoded_("is_decoded", spec),
        strict_(spec.GetArgument<bool>("strict")),
        about_(spec.GetArgument<std::string>("about")),
        picture_(spec),
        cache_(spec) {
    if (!about_.empty()) about_ += ": ";
  }

 protected:
  bool SetupImpl(std::vector<OutputDesc>& outputs, const Workspace& ws) override {
    const int n = ws.GetInputBatchSize(0);
    CheckBytes(ws, 0, "decode_crop: encoded");
    CheckBytes(ws, 2, "decode_crop: path");
    if (ws.Input<CPUBackend>(1).type() != DALI_UINT8 || ws.Input<CPUBackend>(1).sample_dim() != 3)
      Fail("decode_crop: decoded windows must be uint8 of shape (height, width, 3)");
    arguments_.Acquire(ws, n);
    start_.Acquire(spec_, ws, n, dali::TensorShape<1>(2));
    shape_.Acquire(spec_, ws, n, dali::TensorShape<1>(2));
    is_decoded_.Acquire(spec_, ws, n);
    picture_.Acquire(ws, n);
    cache_.Acquire(ws, n);
    outputs.resize(1);
    outputs[0].type = arguments_.dtype();
    outputs[0].shape.resize(n, 3);
    for (int i = 0; i < n; i++) {
      const auto decoded = ws.Input<CPUBackend>(1).shape()[i];
      const bool fits = decoded[0] == shape_[i].data[0] && decoded[1] == shape_[i].data[1];
      if (IsDecoded(i) && !(fits && decoded[2] == 3))
        Fail("decode_crop: sample " + std::to_string(i) + " is not RGB of the window's shape");
      const CropLayout crop = arguments_.Layout(shape_[i].data[0], shape_[i].data[1], i);
      outputs[0].shape.set_tensor_shape(i, arguments_.OutputShape(crop));
    }
    if (ws.NumInput() > 3) arguments_.CheckColor(ws.Input<CPUBackend>(3));
    return true;
  }

  void RunImpl(Workspace& ws) override {
    auto& pool = ws.GetThreadPool();
    while (static_cast<int>(workers_.size()) < pool.NumThreads())
      workers_.push_back(std::make_unique<Worker>());
    ws.Output<CPUBackend>(0).SetLayout(arguments_.layout());
    picture_.ForEachGroupLongestFirst(
        pool, ws.Input<CPUBackend>(0).shape(), [&](int begin, int end, int thread) {
          Worker* const worker = workers_[thread].get();
          worker->shared.Begin();
          for (int i = begin; i < end; i++) {
            try {
              RunSample(ws, i, begin, end, worker);
            } catch (const ImageError& e) {
              FailSample(i, Printable(TextOf(ws.Input<CPUBackend>(2), i)), about_ + e.what());
            }
          }
        });
  }

 private:
  struct Worker {
    SharedWindows shared;
    JpegWindow jpeg;
    PngWindow png;
    CropNormalizer normalizer;

    WindowRows* Start(const uint8_t* file, size_t size, const WindowBounds& window, bool strict) {
      if (LooksLikePng(file, size)) {
        png.Start(file, size, window);
        return &png;
      }
      if (size < 2 || file[0] != 0xff || file[1] != 0xd8)
        throw ImageError("this is neither JPEG nor PNG");
      jpeg.Start(file, size, window, strict);
      return &jpeg;
    }
  };

  bool IsDecoded(int i) const { return *is_decoded_[i].data != 0; }

  static std::pair<const uint8_t*, size_t> FileOf(const Workspace& ws, int i) {
    const auto& files = ws.Input<CPUBackend>(0);
    return {static_cast<const uint8_t*>(files.raw_tensor(i)),
            static_cast<size_t>(files.shape()[i].num_elements())};
  }

  WindowBounds WindowOf(int i) const {
    return {start_[i].data[0], start_[i].data[1], shape_[i].data[0], shape_[i].data[1]};
  }

  // Of samples first to end - 1, which have the same file.
  void RunSample(Workspace& ws, int i, int first, int end, Worker* worker) {
    const WindowBounds window = WindowOf(i);
    Picture picture{nullptr, 0, nullptr, window.height, window.width, nullptr};
    SampleCache::Entry whole;
    if (IsDecoded(i)) {
      picture.rgb = ws.Input<CPUBackend>(1).tensor<uint8_t>(i);
      picture.stride = window.width * 3;
    } else if (FindWhole(ws, i, worker, &whole)) {
      window.CheckInside(whole.height, whole.width);
      picture.stride = int64_t{whole.width} * 3;
      picture.rgb = whole.data + window.y * picture.stride + window.x * 3;
    } else if (const auto view = FindShared(ws, i, first, end, worker); view.rgb) {
      picture.stride = view.stride;
      picture.rgb = view.rgb;
    } else {
      const auto [file, size] = FileOf(ws, i);
      // what `read_record` gives in place of a file that was kept; whoever asks again gets the file
      if (cache_ && size >= 2 && file[0] == 'P' && file[1] == '6')
        throw ImageError("cannot be read (it is not in the cache any more)");
      picture.rows = worker->Start(file, size, window, strict_);
    }
    const float* matrix = ws.NumInput() > 3 ? ws.Input<CPUBackend>(3).tensor<float>(i) : nullptr;
    arguments_.Place(picture, i, matrix, &worker->normalizer,
                     ws.Output<CPUBackend>(0).raw_mutable_tensor(i));
  }

  // The window of sample k, decoded together with those of `first` to `end` - 1, which have the
  // same file; null where each is better decoded alone, or is to be judged alone.
  SharedWindows::View FindShared(const Workspace& ws, int k, int first, int end,
                                 Worker* worker) const {
    if (end - first < 2) return {nullptr, 0};
    SharedWindows& shared = worker->shared;
    if (shared.IsUntried()) {
      const auto [file, size] = FileOf(ws, k);
      std::vector<WindowBounds> windows;
      for (int i = first; i < end; i++) windows.push_back(WindowOf(i));
      const WindowBounds part = shared.Plan(file, size, std::move(windows));
      try {
        if (part.height > 0) shared.Read(worker->Start(file, size, part, strict_));
      } catch (const ImageError&) {
        // one of them may yet be sound
      }
    }
    return shared.Find(k - first);
  }

  // The whole picture from the cache, where it is put if there is room.
  bool FindWhole(const Workspace& ws, int i, Worker* worker, SampleCache::Entry* whole) const {
    const CachePlace place = cache_.Image(i);
    if (place.Find(whole)) return true;
    int64_t height, width;
    const auto [file, size] = FileOf(ws, i);
    if (!cache_ || !FindCommonSize(file, size, &height, &width) || height < 1 || width < 1 ||
        IsTooLarge(height, width))
      return false;
    uint8_t* const rgb = place.Reserve(height * width * 3);
    if (!rgb) return false;
    try {
      WindowRows* rows = worker->Start(file, size, {0, 0, height, width}, strict_);
      for (int64_t y = 0; y < height; y++)
        memcpy(rgb + y * width * 3, rows->NextRow(), static_cast<size_t>(width) * 3);
    } catch (const ImageError&) {
      place.Refuse();  // the window may yet be sound, and is to be judged as without a cache
      return false;
    } catch (...) {
      place.Release();
      throw;
    }
    place.Publish(height, width);
    return place.Find(whole);
  }

  CropArguments arguments_;
  SampleArgument<int, 1> start_;
  SampleArgument<int, 1> shape_;
  SampleArgument<int> is_decoded_;
  bool strict_;
  std::string about_;
  PictureArguments picture_;
  CacheArguments cache_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace dali_voc

DALI_REGISTER_OPERATOR(dali_voc__DecodeCrop, dali_voc::DecodeCropOp, dali::CPU);

DALI_SCHEMA(dali_voc__DecodeCrop)
    .DocStr("Decodes windows of JPEG and PNG files and does with them what normalize_crop does.")
    .NumInput(3, 4)
    .InputDox(0, "encoded", "1D TensorList of uint8", "The bytes of JPEG and PNG files.")
    .InputDox(1, "decoded", "TensorList of uint8, HWC", "Windows that are decoded already.")
    .InputDox(2, "path", "1D TensorList of uint8", "The files' names, for error messages.")
    .InputDox(3, "color", "TensorList of float, 3 x 4", "What (r, g, b, 1) is multiplied by.")
    .NumOutput(1)
    .AddArg("start", "First row and column of the window.", DALI_INT_VEC, true)
    .AddArg("shape", "Height and width of the window.", DALI_INT_VEC, true)
    .AddOptionalArg("is_decoded", "Take the window from `decoded`.", 0, true)
    .AddOptionalArg("strict", "Fail where libjpeg warns of damage and goes on.", false)
    .AddOptionalArg("about", "What errors begin with, after the file's name.", "")
    .AddParent("dali_voc__CacheArguments")
    .AddParent("dali_voc__PictureArguments")
    .AddParent("dali_voc__CropArguments");
