// How pictures are resized: once for each result pixel of both axes, before the kernel that does
// it. Its blocks would all compute the same weights, by divisions of doubles, which many GPUs are
// slow at.
#include "gpu/batch_chunks.h"
#include "gpu/crop_image.h"

extern "C" __global__ void __launch_bounds__(dali_voc::kCropThreads)
    crop_filters(dali_voc::FilterBatch batch) {
  using namespace dali_voc;
  const int32_t chunk = blockIdx.x;
  const int which = SampleOfChunk(batch.first_chunk, batch.num_axes, chunk);
  const FilterAxis& axis = batch.axes[which];
  const int64_t i =
      static_cast<int64_t>(chunk - batch.first_chunk[which]) * kCropThreads + threadIdx.x;
  if (i >= axis.size) return;
  const TriangleFilter filter = axis.filter;
  const double centre = filter.Centre(i);
  const int64_t first = filter.First(centre), last = filter.Last(centre, first);
  axis.spans[i] = {static_cast<int32_t>(first), static_cast<int32_t>(last + 1 - first)};
  filter.Weights(centre, first, last, axis.weights + i * filter.width);
}
