#include "gpu/row_copier.h"

#include <algorithm>

#include "c_interface.h"
#include "gpu/first_chunks.h"
#include "gpu/given_memory.h"
#include "gpu/kernel.h"

namespace dali_voc {

void CopyRows(const std::vector<RowsCopy>& copies, LaunchMemory* memory) {
  static Kernel kernel("copy_rows", "copy_rows");
  const int n = static_cast<int>(copies.size());
  std::vector<int64_t> chunks(n);
  for (int i = 0; i < n; i++) chunks[i] = RowChunks(copies[i].rows);
  const std::vector<int32_t> first = FirstChunks(chunks);
  if (first[n] == 0) return;
  Bundle bundle;
  const size_t at_copies = bundle.Add(copies);
  const size_t at_first = bundle.Add(first);
  bundle.Send(memory);
  const int blocks = std::min(first[n], kernel.MostBlocks(32 * kCopyWarps));
  kernel.Launch(memory->stream(), blocks, 32 * kCopyWarps, bundle.At<const RowsCopy>(at_copies),
                bundle.At<const int32_t>(at_first), n);
}

}  // namespace dali_voc

// `scratch` is device memory.
DALI_VOC_EXPORT int dali_voc_copy_rows(const dali_voc::RowsCopy* copies, int samples, void* scratch,
                                       size_t scratch_size, CUstream stream, char* error,
                                       size_t error_size) {
  return dali_voc::Guarded(error, error_size, [&] {
    dali_voc::GivenMemory memory(stream, scratch, scratch_size);
    dali_voc::CopyRows({copies, copies + samples}, &memory);
  });
}
