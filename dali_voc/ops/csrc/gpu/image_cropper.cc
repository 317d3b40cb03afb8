#include "gpu/image_cropper.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "gpu/c_interface.h"
#include "gpu/first_chunks.h"
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

template <typename Out>
int64_t GroupsOf(const CropPicture& p) {
  const int64_t pixels = int64_t{p.crop_y} * p.crop_x;
  constexpr int n = kCropGroup<Out>;
  return FitsVectors<Out, n>(p.out, p.crop_x) ? pixels / n : pixels;
}

// Of the kernel for this batch: rows where it resizes, pixels where it turns, groups of pixels
// else.
int64_t BlocksOf(const CropPicture& p, CropType type, bool turns, bool resizes) {
  constexpr int kChunk = kCropThreads * kCropRounds;
  if (turns) return ChunksOf(int64_t{p.crop_y} * p.crop_x, kChunk);
  if (resizes) return ChunksOf(p.crop_y, kSumRows);
  if (type == CropType::kFloat) return ChunksOf(GroupsOf<float>(p), kChunk);
  return ChunksOf(type == CropType::kHalf ? GroupsOf<Half>(p) : GroupsOf<uint8_t>(p), kChunk);
}

Kernel& CropKernel(CropType type, bool turns, bool resizes, bool channels_last) {
  static Kernel plain[3][2] = {
      {{"crop_plain", "crop_plain_f32_chw"}, {"crop_plain", "crop_plain_f32_hwc"}},
      {{"crop_plain", "crop_plain_f16_chw"}, {"crop_plain", "crop_plain_f16_hwc"}},
      {{"crop_plain", "crop_plain_u8_chw"}, {"crop_plain", "crop_plain_u8_hwc"}}};
  static Kernel resize[3] = {{"crop_resize", "crop_resize_f32"},
                             {"crop_resize", "crop_resize_f16"},
                             {"crop_resize", "crop_resize_u8"}};
  static Kernel rotate[3] = {{"crop_rotate", "crop_rotate_f32"},
                             {"crop_rotate", "crop_rotate_f16"},
                             {"crop_rotate", "crop_rotate_u8"}};
  const int i = static_cast<int>(type);
  return turns ? rotate[i] : resizes ? resize[i] : plain[i][channels_last];
}

// The filters of both axes of all samples, computed on the device.
const FilterAxis* MakeFilters(const std::vector<CropPicture>& pictures, LaunchMemory* memory) {
  std::vector<FilterAxis> axes;
  size_t spans = 0, weights = 0;
  for (const CropPicture& p : pictures) {
    const auto y = TriangleFilter::Of(p.height, p.start_y, p.end_y, p.shown_y);
    const auto x = TriangleFilter::Of(p.width, p.start_x, p.end_x, p.shown_x);
    axes.push_back({y, p.resizes ? p.shown_y : 0, nullptr, nullptr, 0});
    axes.push_back({x, p.resizes ? p.shown_x : 0, nullptr, nullptr, PixelsOfSums(x)});
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

}  // namespace

void CropImages(const std::vector<CropPicture>& pictures, const CropColors& colors, CropType type,
                bool channels_last, LaunchMemory* memory) {
  if (pictures.empty()) return;
  bool resizes = false, turns = false;
  for (size_t i = 0; i < pictures.size(); i++) {
    Check(pictures[i], static_cast<int>(i));
    resizes |= pictures[i].resizes != 0;
    turns |= pictures[i].rotation.Turns();
  }
  std::vector<int64_t> chunks;
  for (const CropPicture& picture : pictures)
    chunks.push_back(BlocksOf(picture, type, turns, resizes));
  const std::vector<int32_t> first = FirstChunks(chunks);
  Bundle bundle;
  const size_t at_pictures = bundle.Add(pictures);
  const size_t at_first = bundle.Add(first);
  bundle.Send(memory);
  const CropBatch batch{bundle.At<CropPicture>(at_pictures),
                        bundle.At<int32_t>(at_first),
                        resizes ? MakeFilters(pictures, memory) : nullptr,
                        static_cast<int>(pictures.size()),
                        colors,
                        channels_last};
  CropKernel(type, turns, resizes, channels_last)
      .Launch(memory->stream(), first.back(), kCropThreads, batch);
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
