#include "gpu/image_cropper.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "c_interface.h"
#include "gpu/first_chunks.h"
#include "gpu/given_memory.h"
#include "gpu/kernel.h"
#include "gpu/vectors.h"

namespace dali_voc {
namespace {

constexpr int64_t kMostPixels = INT32_MAX - kCropThreads * kCropRounds;  // threads count in 32 bits

void Check(const CropPicture& p, int sample) {
  const bool has_pixels = p.rgb && p.out && p.height > 0 && p.width > 0 && p.shown_y > 0 &&
                          p.shown_x > 0 && p.stride >= 3 * int64_t{p.width};
  const bool as_large = p.resizes || (p.shown_y == p.height && p.shown_x == p.width);
  const bool fits =
      p.shown_y <= p.crop_y && p.shown_x <= p.crop_x && int64_t{p.crop_y} * p.crop_x <= kMostPixels;
  if (!has_pixels || !as_large || !fits)
    throw std::runtime_error("sample " + std::to_string(sample) + " does not fit its crop");
}

// How crops are stored.
struct Storing {
  CropColors colors;
  CropType type;
  bool channels_last;
};

// `blocks` is how many make the crop of a picture.
template <typename Blocks>
void Launch(const std::vector<CropPicture>& pictures, const FilterAxis* axes, const Storing& how,
            Kernel* kernel, LaunchMemory* memory, Blocks blocks) {
  std::vector<int64_t> chunks;
  for (const CropPicture& picture : pictures) chunks.push_back(blocks(picture));
  const std::vector<int32_t> first = FirstChunks(chunks);
  Bundle bundle;
  const size_t at_pictures = bundle.Add(pictures);
  const size_t at_first = bundle.Add(first);
  bundle.Send(memory);
  const CropBatch batch{bundle.At<CropPicture>(at_pictures),
                        bundle.At<int32_t>(at_first),
                        axes,
                        static_cast<int>(pictures.size()),
                        how.colors,
                        how.channels_last};
  kernel->Launch(memory->stream(), first.back(), kCropThreads, batch);
}

constexpr int kChunk = kCropThreads * kCropRounds;

template <typename Out>
int64_t PlainBlocks(const CropPicture& p) {
  const int64_t pixels = int64_t{p.crop_y} * p.crop_x;
  constexpr int n = kCropGroup<Out>;
  return ChunksOf(FitsVectors<Out, n>(p.out, p.crop_x) ? pixels / n : pixels, kChunk);
}

// Neither resized nor turned.
void CropPlain(const std::vector<CropPicture>& pictures, const Storing& how, LaunchMemory* memory) {
  static Kernel kernels[3][2] = {
      {{"crop_plain", "crop_plain_f32_chw"}, {"crop_plain", "crop_plain_f32_hwc"}},
      {{"crop_plain", "crop_plain_f16_chw"}, {"crop_plain", "crop_plain_f16_hwc"}},
      {{"crop_plain", "crop_plain_u8_chw"}, {"crop_plain", "crop_plain_u8_hwc"}}};
  if (pictures.empty()) return;
  Kernel* kernel = &kernels[static_cast<int>(how.type)][how.channels_last];
  Launch(pictures, nullptr, how, kernel, memory, [&](const CropPicture& p) {
    if (how.type == CropType::kFloat) return PlainBlocks<float>(p);
    return how.type == CropType::kHalf ? PlainBlocks<Half>(p) : PlainBlocks<uint8_t>(p);
  });
}

// Turned, but not resized.
void CropTurned(const std::vector<CropPicture>& pictures, const Storing& how,
                LaunchMemory* memory) {
  static Kernel kernels[3] = {{"crop_rotate", "crop_rotate_f32"},
                              {"crop_rotate", "crop_rotate_f16"},
                              {"crop_rotate", "crop_rotate_u8"}};
  if (pictures.empty()) return;
  Launch(pictures, nullptr, how, &kernels[static_cast<int>(how.type)], memory,
         [](const CropPicture& p) { return ChunksOf(int64_t{p.crop_y} * p.crop_x, kChunk); });
}

// The filters of both axes of all samples, computed on the device.
const FilterAxis* MakeFilters(const std::vector<CropPicture>& pictures, LaunchMemory* memory) {
  std::vector<FilterAxis> axes;
  size_t spans = 0, weights = 0;
  for (const CropPicture& p : pictures) {
    const auto y = TriangleFilter::Of(p.height, p.start_y, p.end_y, p.shown_y);
    const auto x = TriangleFilter::Of(p.width, p.start_x, p.end_x, p.shown_x);
    axes.push_back({y, p.shown_y, nullptr, nullptr, 0});
    axes.push_back({x, p.shown_x, nullptr, nullptr, PixelsOfSums(x)});
  }
  std::vector<int64_t> chunks;
  for (const FilterAxis& axis : axes) {
    chunks.push_back(ChunksOf(axis.size, kCropThreads));
    spans += axis.size;
    weights += axis.size * axis.filter.width;
  }
  auto* next_span = static_cast<FilterSpan*>(memory->Device(spans * sizeof(FilterSpan)));
  auto* next_weight = static_cast<float*>(memory->Device(weights * sizeof(float)));
  for (FilterAxis& axis : axes) {
    axis.spans = next_span;
    axis.weights = next_weight;
    next_span += axis.size;
    next_weight += axis.size * axis.filter.width;
  }
  const std::vector<int32_t> first = FirstChunks(chunks);
  Bundle bundle;
  const size_t at_axes = bundle.Add(axes);
  const size_t at_first = bundle.Add(first);
  bundle.Send(memory);
  const FilterBatch batch{bundle.At<FilterAxis>(at_axes), bundle.At<int32_t>(at_first),
                          static_cast<int>(axes.size())};
  static Kernel kernel("crop_filters", "crop_filters");
  kernel.Launch(memory->stream(), first.back(), kCropThreads, batch);
  return batch.axes;
}

// Resized, but not turned.
void CropResized(const std::vector<CropPicture>& pictures, const Storing& how,
                 LaunchMemory* memory) {
  static Kernel kernels[3] = {{"crop_resize", "crop_resize_f32"},
                              {"crop_resize", "crop_resize_f16"},
                              {"crop_resize", "crop_resize_u8"}};
  if (pictures.empty()) return;
  Launch(pictures, MakeFilters(pictures, memory), how, &kernels[static_cast<int>(how.type)], memory,
         [](const CropPicture& p) { return ChunksOf(p.crop_y, kSumRows); });
}

// Makes the crops as they are before they are turned, and returns these as pictures to be turned.
// A pixel between four that are resized, too, would be summed up from four times as many as one.
std::vector<CropPicture> ResizedToTurn(std::vector<CropPicture> pictures, const CropColors& colors,
                                       LaunchMemory* memory) {
  auto bytes = [](const CropPicture& p) { return size_t{3} * p.crop_y * p.crop_x; };
  size_t all = 0;
  for (const CropPicture& p : pictures) all += bytes(p);
  if (!all) return {};
  auto* next = static_cast<uint8_t*>(memory->Device(all));
  std::vector<CropPicture> to_turn;
  for (CropPicture& p : pictures) {
    CropPicture crop{};
    crop.rgb = next;
    crop.out = p.out;
    crop.stride = 3 * int64_t{p.crop_x};
    crop.height = crop.shown_y = crop.crop_y = p.crop_y;
    crop.width = crop.shown_x = crop.crop_x = p.crop_x;
    crop.rotation = p.rotation;
    to_turn.push_back(crop);
    p.out = next;
    next += bytes(p);
  }
  CropColors plain{{{1, 1, 1}, {0, 0, 0}}, {}, {}};
  std::copy_n(colors.plain_fill, 3, plain.fill);
  CropResized(pictures, {plain, CropType::kByte, true}, memory);
  return to_turn;
}

}  // namespace

void CropImages(const std::vector<CropPicture>& pictures, const CropColors& colors, CropType type,
                bool channels_last, LaunchMemory* memory) {
  std::vector<CropPicture> plain, resized, turned, both;
  for (size_t i = 0; i < pictures.size(); i++) {
    const CropPicture& p = pictures[i];
    Check(p, static_cast<int>(i));
    const bool turns = p.rotation.Turns();
    (p.resizes ? (turns ? both : resized) : (turns ? turned : plain)).push_back(p);
  }
  for (const CropPicture& p : ResizedToTurn(std::move(both), colors, memory)) turned.push_back(p);
  const Storing how{colors, type, channels_last};
  CropPlain(plain, how, memory);
  CropResized(resized, how, memory);
  CropTurned(turned, how, memory);
}

}  // namespace dali_voc

// Arguments as of CropImages and CropColors::Of; `type` is a CropType, `scratch` device memory.
DALI_VOC_EXPORT int dali_voc_crop_images(const dali_voc::CropPicture* pictures, int samples,
                                         const float* mean, const float* std, const float* fill,
                                         int type, int channels_last, void* scratch,
                                         size_t scratch_size, CUstream stream, char* error,
                                         size_t error_size) {
  return dali_voc::Guarded(error, error_size, [&] {
    dali_voc::GivenMemory memory(stream, scratch, scratch_size);
    dali_voc::CropImages({pictures, pictures + samples}, dali_voc::CropColors::Of(mean, std, fill),
                         static_cast<dali_voc::CropType>(type), channels_last != 0, &memory);
  });
}
