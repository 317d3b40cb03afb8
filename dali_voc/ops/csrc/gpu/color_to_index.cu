// RGB pictures to class indices, a whole batch at once: 3 bytes read and one element written per
// pixel.
#include "gpu/batch_chunks.h"
#include "gpu/color_to_index.h"
#include "gpu/load_words.h"

namespace dali_voc {

template <typename Out>
struct alignas(4 * sizeof(Out) > 16 ? 16 : 4 * sizeof(Out)) FourPixels {
  Out value[4];
};

class ChunkMapper {
 public:
  ChunkMapper(const ColorTableView& table, const ColorSlot* slots, uint16_t instead)
      : table_(table), slots_(slots), instead_(instead) {}

  template <typename Out>
  void Run(const ColorPicture& picture, int64_t chunk, UnknownColors* unknown) {
    const PixelGroups grid = PixelGroups::Of<Out>(picture);
    Out* out = static_cast<Out*>(picture.out);
    const int64_t begin = chunk * (kColorChunk / 4) + threadIdx.x;
    const uint8_t* from = picture.rgb + 3 * grid.first - grid.shift;
    // all that is to be read first, so that it is under way together
    uint32_t words[kColorGroups][4];
#pragma unroll
    for (int u = 0; u < kColorGroups; u++) {
      const int64_t group = begin + u * kColorThreads;
      if (group < grid.groups) {
        const uint32_t* word = reinterpret_cast<const uint32_t*>(from + 12 * group);
        words[u][0] = __ldg(word);
        words[u][1] = __ldg(word + 1);
        words[u][2] = __ldg(word + 2);
        words[u][3] = grid.shift ? __ldg(word + 3) : 0;
      }
    }
#pragma unroll
    for (int u = 0; u < kColorGroups; u++) {
      const int64_t group = begin + u * kColorThreads;
      if (group < grid.groups) {
        const uint32_t a = WordAt(words[u][0], words[u][1], grid.shift);
        const uint32_t b = WordAt(words[u][1], words[u][2], grid.shift);
        const uint32_t c = WordAt(words[u][2], words[u][3], grid.shift);
        // bytes r0 g0 b0 r1 | g1 b1 r2 g2 | b2 r3 g3 b3, the first the lowest
        FourPixels<Out> four;
        four.value[0] = Find<Out>((a & 255) << 16 | (a & 0xff00) | (a >> 16 & 255));
        four.value[1] = Find<Out>((a >> 24) << 16 | (b & 255) << 8 | (b >> 8 & 255));
        four.value[2] = Find<Out>((b >> 16 & 255) << 16 | (b >> 24) << 8 | (c & 255));
        four.value[3] = Find<Out>((c >> 8 & 255) << 16 | (c >> 16 & 255) << 8 | c >> 24);
        *reinterpret_cast<FourPixels<Out>*>(out + grid.first + 4 * group) = four;
      }
    }
    if (chunk == 0) {
      const int64_t after = grid.first + 4 * grid.groups;
      const int64_t before = grid.first < picture.pixels ? grid.first : picture.pixels;
      const int64_t single = threadIdx.x;
      const int64_t i = single < before ? single : after + (single - before);
      if (i < picture.pixels && single < 16) out[i] = Find<Out>(PackRgb(picture.rgb + 3 * i));
    }
    if (count_) {
      atomicAdd(&unknown->pixels, count_);
      atomicMin(&unknown->color, smallest_);
      count_ = 0;
      smallest_ = kEmptySlot;
    }
  }

 private:
  template <typename Out>
  Out Find(uint32_t color) {
    const uint16_t value = table_.FindIn(slots_, color);
    if (value != kUnknown) return static_cast<Out>(value);
    count_++;
    smallest_ = color < smallest_ ? color : smallest_;
    return static_cast<Out>(instead_);
  }

  const ColorTableView& table_;
  const ColorSlot* slots_;
  uint16_t instead_;
  uint32_t count_ = 0, smallest_ = kEmptySlot;
};

template <typename Out>
inline void MapChunks(const ColorBatch& batch, const ColorSlot* slots) {
  ChunkMapper mapper(batch.table, slots, batch.instead);
  const int32_t chunks = batch.first_chunk[batch.samples];
  for (int32_t chunk = blockIdx.x; chunk < chunks; chunk += gridDim.x) {
    const int sample = SampleOfChunk(batch.first_chunk, batch.samples, chunk);
    mapper.Run<Out>(batch.pictures[sample], chunk - batch.first_chunk[sample],
                    batch.unknown + sample);
  }
}

template <typename Out>
inline void MapBatch(const ColorBatch& batch) {
  __shared__ ColorSlot shared[kSharedSlots];
  if (batch.table.mask >= kSharedSlots) return MapChunks<Out>(batch, batch.table.slots);
  for (uint32_t i = threadIdx.x; i <= batch.table.mask; i += kColorThreads)
    shared[i] = batch.table.slots[i];
  __syncthreads();
  MapChunks<Out>(batch, shared);
}

}  // namespace dali_voc

extern "C" __global__ void __launch_bounds__(dali_voc::kColorThreads)
    color_to_index_1(dali_voc::ColorBatch batch) {
  dali_voc::MapBatch<uint8_t>(batch);
}

extern "C" __global__ void __launch_bounds__(dali_voc::kColorThreads)
    color_to_index_4(dali_voc::ColorBatch batch) {
  dali_voc::MapBatch<int32_t>(batch);
}

extern "C" __global__ void __launch_bounds__(dali_voc::kColorThreads)
    color_to_index_8(dali_voc::ColorBatch batch) {
  dali_voc::MapBatch<int64_t>(batch);
}
