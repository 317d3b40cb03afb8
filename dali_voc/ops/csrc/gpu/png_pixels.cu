// From undone rows of PNG pictures to windows of RGB, or of class indices, a whole batch at once.
// Neighbouring threads have neighbouring groups of four pixels, which are stored as words.
#include "gpu/batch_chunks.h"
#include "gpu/png_batch.h"
#include "gpu/words.h"
#include "png_unpack.h"

namespace dali_voc {

struct Rgb {
  uint8_t red, green, blue;
};

// The first pixel at which a group begins that can be stored at once.
template <typename Out>
inline uint32_t FirstGroup(const void* out) {
  const uint64_t at = reinterpret_cast<uint64_t>(out);
  if (sizeof(Out) == 3) return static_cast<uint32_t>(at % 4);  // at + 3 * (at % 4) is 4 * ...
  return static_cast<uint32_t>((4 - at / sizeof(Out) % 4) % 4);
}

template <typename Out>
class PixelWriter {
 public:
  PixelWriter(const PngPixelBatch& batch, int sample)
      : batch_(batch),
        picture_(batch.pictures[sample]),
        report_(batch.reports + sample),
        table_(picture_.table < 0 ? nullptr : batch.tables + 256 * picture_.table),
        sound_(report_->what == kPngSound) {}

  void Run(int32_t chunk) {
    Out* out = static_cast<Out*>(picture_.out);
    const uint32_t pixels =
        static_cast<uint32_t>(picture_.height) * static_cast<uint32_t>(picture_.width);
    const uint32_t first = min(FirstGroup<Out>(out), pixels);
    const uint32_t groups = (pixels - first) / 4;
    for (int u = 0; u < kPixelGroups; u++) {
      const uint32_t group = (chunk * kPixelGroups + u) * kPixelThreads + threadIdx.x;
      if (group >= groups) break;
      const uint32_t i = first + 4 * group;
      FourPixels<Out> four;
      uint32_t y = i / picture_.width, x = i % picture_.width;
#pragma unroll
      for (int k = 0; k < 4; k++) {
        Set(y, x, &four.value[k]);
        if (++x == static_cast<uint32_t>(picture_.width)) x = 0, y++;
      }
      *reinterpret_cast<FourPixels<Out>*>(out + i) = four;
    }
    // those before the first group and behind the last, at most three each
    if (chunk == 0 && threadIdx.x < 8) {
      const uint32_t i = threadIdx.x < first ? threadIdx.x : threadIdx.x + 4 * groups;
      if (i < pixels) Set(i / picture_.width, i % picture_.width, out + i);
    }
    if (count_) {
      atomicAdd(&report_->pixels, count_);
      atomicMin(&report_->smallest, smallest_);
    }
  }

 private:
  // What the file has there: a byte's value, or 0xRRGGBB.
  uint32_t Value(uint32_t y, uint32_t x) const {
    const uint8_t* row = reinterpret_cast<const uint8_t*>(
        picture_.undone + static_cast<int64_t>(picture_.y + y) * picture_.units * kUnitWords);
    x += picture_.x;
    if (picture_.bits < 8) {
      uint8_t value;
      Unpack(row, picture_.bits, x, 1, &value);
      return value;
    }
    const uint8_t* pixel = row + static_cast<int64_t>(x) * picture_.stride;
    return table_
               ? __ldg(pixel)
               : uint32_t{__ldg(pixel)} << 16 | uint32_t{__ldg(pixel + 1)} << 8 | __ldg(pixel + 2);
  }

  void Set(uint32_t y, uint32_t x, Rgb* to) {
    uint32_t color = sound_ ? Value(y, x) : 0;
    if (table_ && sound_)
      color = __ldg(table_ + color);
    else
      color = color >> 16 | (color & 0xff00) | (color & 255) << 16;
    *to = {static_cast<uint8_t>(color), static_cast<uint8_t>(color >> 8),
           static_cast<uint8_t>(color >> 16)};
  }

  template <typename Index>
  void Set(uint32_t y, uint32_t x, Index* to) {
    *to = 0;
    if (!sound_) return;
    const uint32_t value = Value(y, x);
    const uint32_t found = table_ ? __ldg(table_ + value) : batch_.colors.Find(value);
    *to = static_cast<Index>(found == kUnknown ? batch_.instead : found);
    if (found != kUnknown) return;
    count_++;
    smallest_ = min(smallest_, table_ ? value : value | kPngColor);
  }

  const PngPixelBatch& batch_;
  const PngPicture& picture_;
  PngReport* report_;
  const uint32_t* table_;
  bool sound_;
  uint32_t count_ = 0, smallest_ = kEmptySlot;
};

template <typename Out>
inline void WritePixels(const PngPixelBatch& batch) {
  const int32_t chunks = batch.first_chunk[batch.samples];
  for (int32_t chunk = blockIdx.x; chunk < chunks; chunk += gridDim.x) {
    const int sample = SampleOfChunk(batch.first_chunk, batch.samples, chunk);
    PixelWriter<Out>(batch, sample).Run(chunk - batch.first_chunk[sample]);
  }
}

}  // namespace dali_voc

extern "C" __global__ void __launch_bounds__(dali_voc::kPixelThreads)
    png_rgb(dali_voc::PngPixelBatch batch) {
  dali_voc::WritePixels<dali_voc::Rgb>(batch);
}

extern "C" __global__ void __launch_bounds__(dali_voc::kPixelThreads)
    png_classes_1(dali_voc::PngPixelBatch batch) {
  dali_voc::WritePixels<uint8_t>(batch);
}

extern "C" __global__ void __launch_bounds__(dali_voc::kPixelThreads)
    png_classes_4(dali_voc::PngPixelBatch batch) {
  dali_voc::WritePixels<int32_t>(batch);
}

extern "C" __global__ void __launch_bounds__(dali_voc::kPixelThreads)
    png_classes_8(dali_voc::PngPixelBatch batch) {
  dali_voc::WritePixels<int64_t>(batch);
}
