// Windows of pictures, packed, a whole batch at once. Source and result may begin at any byte.
#include "gpu/batch_chunks.h"
#include "gpu/copy_rows.h"
#include "gpu/vectors.h"
#include "gpu/words.h"

namespace dali_voc {

using Bytes16 = Vector<uint32_t, 4>;

// Vectors first..last of a row, by a warp: vector i lies at out + i, its bytes in two vectors of
// the source, `kWord` words and `shift` bytes behind the beginning of from[i].
template <int kWord>
inline void CopyVectors(const Bytes16* from, Bytes16* out, int64_t first, int64_t last, int shift,
                        int lane) {
  constexpr int kAtOnce = 3;  // rows of crops take about as many
  const bool both = kWord || shift;
  for (int64_t begin = first + lane; begin < last; begin += 32 * kAtOnce) {
    // all that is to be read first, so that it is under way together
    uint32_t words[kAtOnce][8];
#pragma unroll
    for (int u = 0; u < kAtOnce; u++) {
      const int64_t i = begin + 32 * u;
      if (i < last) {
        const Bytes16 low = LoadVector(from + i),
                      high = both ? LoadVector(from + i + 1) : Bytes16{};
#pragma unroll
        for (int k = 0; k < 4; k++) words[u][k] = low.value[k], words[u][4 + k] = high.value[k];
      }
    }
#pragma unroll
    for (int u = 0; u < kAtOnce; u++) {
      const int64_t i = begin + 32 * u;
      if (i < last) {
        Bytes16 result;
#pragma unroll
        for (int k = 0; k < 4; k++)
          result.value[k] = WordAt(words[u][kWord + k], words[u][kWord + k + 1], shift);
        out[i] = result;
      }
    }
  }
}

// One row by one warp. The first and last bytes go singly.
inline void CopyRow(const uint8_t* from, uint8_t* to, int64_t n, int lane) {
  const int64_t before = static_cast<int64_t>(-reinterpret_cast<uint64_t>(to) & 15);
  const int behind = static_cast<int>((reinterpret_cast<uint64_t>(from) + before) & 15);
  const auto* vectors = reinterpret_cast<const Bytes16*>(from + before - behind);
  auto* out = reinterpret_cast<Bytes16*>(to + before);
  // vectors that lie inside the row, also those that are read: neither the byte before it nor the
  // one behind it is touched
  const int64_t first = before >= behind ? 0 : 1;
  const int64_t bytes = n - before - (behind ? 16 - behind : 0);
  const int64_t last = bytes < 16 ? 0 : bytes / 16;
  const int shift = behind % 4;
  if (behind < 4)
    CopyVectors<0>(vectors, out, first, last, shift, lane);
  else if (behind < 8)
    CopyVectors<1>(vectors, out, first, last, shift, lane);
  else if (behind < 12)
    CopyVectors<2>(vectors, out, first, last, shift, lane);
  else
    CopyVectors<3>(vectors, out, first, last, shift, lane);
  const bool any = first < last;
  const int64_t head = any ? before + 16 * first : n;  // less than 32, or all of a short row
  for (int64_t i = lane; i < head; i += 32) to[i] = from[i];
  if (!any) return;
  for (int64_t i = before + 16 * last + lane; i < n; i += 32) to[i] = from[i];
}

}  // namespace dali_voc

extern "C" __global__ void __launch_bounds__(32 * dali_voc::kCopyWarps)
    copy_rows(const dali_voc::RowsCopy* copies, const int32_t* first_chunk, int samples) {
  const int32_t chunks = first_chunk[samples];
  for (int32_t chunk = blockIdx.x; chunk < chunks; chunk += gridDim.x) {
    const int sample = dali_voc::SampleOfChunk(first_chunk, samples, chunk);
    const dali_voc::RowsCopy copy = copies[sample];
    const int64_t row =
        int64_t{chunk - first_chunk[sample]} * dali_voc::kCopyWarps + threadIdx.x / 32;
    if (row < copy.rows)
      dali_voc::CopyRow(copy.from + row * copy.stride, copy.to + row * copy.width, copy.width,
                        threadIdx.x % 32);
  }
}
