// Windows of pictures, packed, a whole batch at once. Source and result may begin at any byte.
#include "gpu/batch_chunks.h"
#include "gpu/copy_rows.h"

namespace dali_voc {

// One row by one warp: words of the result, each out of the two words of the source that it lies
// in. The first and last bytes go singly.
inline void CopyRow(const uint8_t* from, uint8_t* to, int64_t n, int lane) {
  const int64_t before = static_cast<int64_t>(-reinterpret_cast<uint64_t>(to) & 3);
  const int shift = static_cast<int>((reinterpret_cast<uint64_t>(from) + before) & 3);
  const uint32_t* words = reinterpret_cast<const uint32_t*>(from + before - shift);
  uint32_t* out = reinterpret_cast<uint32_t*>(to + before);
  // words that lie inside the row, also those that are read: neither the byte before it nor the
  // one behind it is touched
  const int64_t first = before >= shift ? 0 : 1;
  const int64_t bytes = n - before - (shift ? 4 - shift : 0);
  const int64_t last = bytes < 4 ? 0 : bytes / 4;
  for (int64_t i = first + lane; i < last; i += 32) {
    const uint32_t low = __ldg(words + i), high = shift ? __ldg(words + i + 1) : 0;
    out[i] = static_cast<uint32_t>(((static_cast<uint64_t>(high) << 32) | low) >> (8 * shift));
  }
  const bool any = first < last;
  const int64_t head = any ? before + 4 * first : n;  // less than 8, or all of a short row
  for (int64_t i = lane; i < head; i += 32) to[i] = from[i];
  if (!any) return;
  for (int64_t i = before + 4 * last + lane; i < n; i += 32) to[i] = from[i];
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
