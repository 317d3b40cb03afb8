// Undoes the filters of inflated PNG pictures, one block for each.
//
// A pixel needs those to the left, above, and above to the left. A warp works on a band of 32 rows,
// each lane a unit of 12 bytes behind the lane above it, from which the unit above comes by a
// shuffle. The bands follow each other in the same way: a warp waits until the one above has
// finished the units that it needs next. All warps of a block are resident, so waiting is safe.
//
// Undone rows go to memory of their own, aligned, since those that were inflated begin at odd
// addresses, where words cannot be stored.
//
// A photograph of 2048 pixels has 512 units in a row, and a band is 39 units behind the one above,
// so that 14 warps are at work at once; two blocks of 16 fit on a multiprocessor.
#include "gpu/png_batch.h"
#include "gpu/progress.h"
#include "gpu/words.h"

namespace dali_voc {

constexpr int kUndoWarps = kUndoThreads / 32;
constexpr int kExchange = 8;  // units that a band hands to the next at once

struct UndoShared {
  Progress done[kUndoWarps];  // units that a warp has finished in the last rows of its bands
  uint32_t above[kUndoWarps][kExchange * kUnitWords];
};

// A lane's row as units; their bytes begin at any address.
class CodedRow {
 public:
  void Start(const uint8_t* row) {
    shift_ = static_cast<int>(reinterpret_cast<uint64_t>(row) % 4);
    next_ = reinterpret_cast<const uint32_t*>(row - shift_);
    first_ = __ldg(next_++);
    Fetch();
  }
  PngUnit Take(bool more) {
    PngUnit unit;
    unit.word[0] = WordAt(first_, fetched_.word[0], shift_);
    unit.word[1] = WordAt(fetched_.word[0], fetched_.word[1], shift_);
    unit.word[2] = WordAt(fetched_.word[1], fetched_.word[2], shift_);
    first_ = fetched_.word[2];
    // on its way while this unit is undone
    if (more) Fetch();
    return unit;
  }

 private:
  void Fetch() {
#pragma unroll
    for (int j = 0; j < kUnitWords; j++) fetched_.word[j] = __ldg(next_++);
  }

  const uint32_t* next_ = nullptr;
  uint32_t first_ = 0;
  PngUnit fetched_{};
  int shift_ = 0;
};

template <int kStride>
inline void UndoPicture(const PngPicture& picture, UndoShared* shared, PngReport* report) {
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  const int units = picture.units;
  uint32_t* const above = shared->above[warp];
  int32_t finished = 0;  // units of earlier bands
  for (int first = 32 * warp; first < picture.rows; first += 32 * kUndoWarps, finished += units) {
    const int row = first + lane;
    const bool has_row = row < picture.rows;
    const int64_t pitch = static_cast<int64_t>(picture.row_bytes) + 1;
    CodedRow coded;
    PngSight sight{};
    uint32_t* out = picture.undone + static_cast<int64_t>(row) * units * kUnitWords;
    if (has_row) {
      const uint8_t* from = picture.raw + row * pitch;
      const int filter = __ldg(from);
      if (filter > 4) {
        atomicExch(&report->what, kPngUnknownFilter);
        atomicMin(&report->number, static_cast<uint32_t>(row));
      }
      sight = PngSight::Of(filter);
      coded.Start(from + 1);
    }
    const Progress& done_above = shared->done[warp ? warp - 1 : kUndoWarps - 1];
    const int32_t finished_above = warp ? finished : finished - units;
    volatile const uint32_t* row_above =
        picture.undone + (static_cast<int64_t>(first) - 1) * units * kUnitWords;
    PngUnit undone{}, up{};
    uint32_t up_left = 0;
    for (int step = 0; step < units + 31; step++) {
      if (first > 0 && step < units && step % kExchange == 0) {
        const int n = units - step < kExchange ? units - step : kExchange;
        done_above.WaitFor(finished_above + step + n);
        __syncwarp();
        if (lane < n * kUnitWords) above[lane] = row_above[step * kUnitWords + lane];
        __syncwarp();
      }
      up_left = up.word[kUnitWords - 1];
#pragma unroll
      for (int j = 0; j < kUnitWords; j++) {
        const uint32_t passed = __shfl_up_sync(0xffffffff, undone.word[j], 1);
        const uint32_t given = first > 0 ? above[step % kExchange * kUnitWords + j] : 0;
        up.word[j] = lane > 0 ? passed : given;
      }
      const int unit = step - lane;
      if (unit < 0 || unit >= units || !has_row) continue;
      undone = UndoUnit<kStride>(coded.Take(unit + 1 < units), undone.word[kUnitWords - 1], up,
                                 up_left, sight);
#pragma unroll
      for (int j = 0; j < kUnitWords; j++) *out++ = undone.word[j];
      if (lane == 31 && ((unit + 1) % kExchange == 0 || unit + 1 == units))
        shared->done[warp].Set(finished + unit + 1);
    }
  }
}

inline void UndoSample(const PngUndoBatch& batch, UndoShared* shared) {
  const PngPicture& picture = batch.pictures[blockIdx.x];
  PngReport* report = batch.reports + blockIdx.x;
  const int32_t status = batch.statuses[blockIdx.x];
  const uint64_t inflated = batch.inflated[blockIdx.x];
  if (status != 0 || inflated != static_cast<uint64_t>(picture.raw_bytes)) {
    if (threadIdx.x == 0) {
      report->what = status != 0 ? kPngNotInflated : kPngWrongSize;
      report->number = static_cast<uint32_t>(status != 0 ? status : inflated);
    }
    return;
  }
  if (threadIdx.x < kUndoWarps) shared->done[threadIdx.x].Reset();
  __syncthreads();
  if (picture.stride == 3)
    UndoPicture<3>(picture, shared, report);
  else if (picture.stride == 4)
    UndoPicture<4>(picture, shared, report);
  else if (picture.stride == 2)
    UndoPicture<2>(picture, shared, report);
  else
    UndoPicture<1>(picture, shared, report);
}

}  // namespace dali_voc

extern "C" __global__ void __launch_bounds__(dali_voc::kUndoThreads)
    png_undo(dali_voc::PngUndoBatch batch) {
  __shared__ dali_voc::UndoShared shared;
  dali_voc::UndoSample(batch, &shared);
}
