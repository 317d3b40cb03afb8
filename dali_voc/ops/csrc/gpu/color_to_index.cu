// RGB pictures to class indices, a whole batch at once: 3 bytes read and one element written per
// pixel.
#include "gpu/batch_chunks.h"
#include "gpu/color_to_index.h"
#include "gpu/store_groups.h"
#include "gpu/vectors.h"
#include "gpu/words.h"

namespace dali_voc {

class ChunkMapper {
 public:
  ChunkMapper(const ColorTableView& table, const ColorSlot* slots, uint16_t instead)
      : table_(table), slots_(slots), instead_(instead) {}

  template <typename Out>
  void Run(const ColorPicture& picture, const PixelGroups& grid, uint32_t chunk,
           UnknownColors* unknown) {
    Out* out = static_cast<Out*>(picture.out) + grid.first;
    const uint32_t begin = chunk * (kColorGroups * kColorThreads) + threadIdx.x;
    const uint8_t* from = picture.rgb + 3 * grid.first - grid.shift;
    // all that is to be read first, so that it is under way together
    uint32_t words[kColorGroups][4];
#pragma unroll
    for (int u = 0; u < kColorGroups; u++) {
      const uint32_t group = begin + u * kColorThreads;
      if (group < grid.groups) {
        const uint32_t* word = reinterpret_cast<const uint32_t*>(from + uint64_t{12} * group);
        words[u][0] = __ldg(word);
        words[u][1] = __ldg(word + 1);
        words[u][2] = __ldg(word + 2);
        words[u][3] = grid.shift ? __ldg(word + 3) : 0;
      }
    }
#pragma unroll
    for (int u = 0; u < kColorGroups; u++) {
      const uint32_t group = begin + u * kColorThreads;
      Vector<Out, 4> four{};
      if (group < grid.groups) {
        const uint32_t a = WordAt(words[u][0], words[u][1], grid.shift);
        const uint32_t b = WordAt(words[u][1], words[u][2], grid.shift);
        const uint32_t c = WordAt(words[u][2], words[u][3], grid.shift);
        // bytes r0 g0 b0 r1 | g1 b1 r2 g2 | b2 r3 g3 b3, the first the lowest
        const uint32_t colors[4] = {PickBytes(a, 0, 0x4012), PickBytes(a, b, 0x0345) & 0xffffff,
                                    PickBytes(b, c, 0x0234) & 0xffffff, PickBytes(c, 0, 0x4123)};
        four = FindFour<Out>(colors);
      }
      StoreGroup(four, group, grid.groups, out);
    }
    if (chunk == 0) {
      const int64_t before = grid.first < picture.pixels ? grid.first : picture.pixels;
      const int64_t after = grid.first + int64_t{4} * grid.groups;
      const int64_t single = threadIdx.x;
      const int64_t i =
          single < before ? single - grid.first : after + (single - before) - grid.first;
      if (i + grid.first < picture.pixels && single < 16)
        out[i] = Find<Out>(PackRgb(picture.rgb + 3 * (i + grid.first)));
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
  Vector<Out, 4> FindFour(const uint32_t (&colors)[4]) {
    Vector<Out, 4> four;
    uint32_t different = 0;
#pragma unroll
    for (int k = 0; k < 4; k++) {
      const ColorSlot slot = slots_[table_.Place(colors[k])];
      different |= slot.color ^ colors[k];
      four.value[k] = static_cast<Out>(slot.value);
    }
    // tables of the usual sizes are perfect: only unknown colours lie elsewhere
    if (different) {
#pragma unroll
      for (int k = 0; k < 4; k++) four.value[k] = Find<Out>(colors[k]);
    }
    return four;
  }

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

// Each block has its share of the batch's chunks, one after the other: the sample is looked for
// once.
template <typename Out>
inline void MapChunks(const ColorBatch& batch, const ColorSlot* slots) {
  ChunkMapper mapper(batch.table, slots, batch.instead);
  const uint32_t chunks = batch.first_chunk[batch.samples];
  const uint32_t each = chunks / gridDim.x, more = chunks % gridDim.x;  // blocks with one more
  const int32_t begin = blockIdx.x * each + (blockIdx.x < more ? blockIdx.x : more);
  const int32_t end = begin + each + (blockIdx.x < more ? 1 : 0);
  if (begin == end) return;
  int sample = SampleOfChunk(batch.first_chunk, batch.samples, begin);
  for (int32_t chunk = begin; chunk < end; sample++) {
    const int32_t first = batch.first_chunk[sample], next = batch.first_chunk[sample + 1];
    const int32_t last = next < end ? next : end;
    const ColorPicture picture = batch.pictures[sample];
    const PixelGroups grid = batch.grids[sample];
    for (; chunk < last; chunk++)
      mapper.Run<Out>(picture, grid, chunk - first, batch.unknown + sample);
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

extern "C" __global__ void __launch_bounds__(dali_voc::kColorThreads, 4)
    color_to_index_1(dali_voc::ColorBatch batch) {
  dali_voc::MapBatch<uint8_t>(batch);
}

extern "C" __global__ void __launch_bounds__(dali_voc::kColorThreads, 4)
    color_to_index_4(dali_voc::ColorBatch batch) {
  dali_voc::MapBatch<int32_t>(batch);
}

extern "C" __global__ void __launch_bounds__(dali_voc::kColorThreads, 4)
    color_to_index_8(dali_voc::ColorBatch batch) {
  dali_voc::MapBatch<int64_t>(batch);
}
