// Decodes a batch of PNG files on a GPU: nvCOMP inflates, kernels of ours do the rest.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gpu/launch_memory.h"
#include "gpu/nvcomp.h"
#include "gpu/png_batch.h"
#include "label_decoder.h"
#include "png_chunks.h"
#include "window_rows.h"

namespace dali_voc {

// A file that ParsePng has accepted, which has to stay, and where a window of it is to go: device
// memory for height x width pixels.
struct PngJob {
  const PngChunks* chunks;
  WindowBounds window;
  void* out;
};

// What is known of a file without inflating it: throws ImageError where it is of a kind that is not
// decoded here (interlaced, 16 bits, for labels gray with alpha) or its data cannot be a zlib
// stream.
void CheckForGpu(const PngChunks& chunks, bool is_label);

// Runs function(i) for i in [0, n), in any order, on any threads.
using Parallel = std::function<void(int n, const std::function<void(int)>& function)>;

class PngDecoder {
 public:
  // `nvcomp`: the library's path.
  explicit PngDecoder(const std::string& nvcomp) : nvcomp_(Nvcomp::At(nvcomp)) {}

  // To RGB as PngWindow gives it, 3 bytes per pixel. Queues all work on memory's stream, does not
  // wait for it, and sets `reports`, device memory for one per file. The files have to be checked
  // by CheckForGpu. Throws ImageError where a window is not inside its picture, otherwise
  // std::runtime_error.
  void ToRgb(const std::vector<PngJob>& jobs, PngReport* reports, LaunchMemory* memory,
             const Parallel& parallel) const;

  // To classes as LabelDecoder gives them, of 1, 4 or 8 bytes. `map` has kUnknown for what has no
  // class, which becomes `instead` and is counted.
  void ToClasses(const std::vector<PngJob>& jobs, const LabelMap& map, uint16_t instead,
                 int element_size, PngReport* reports, LaunchMemory* memory,
                 const Parallel& parallel) const;

 private:
  void Run(const std::vector<PngJob>& jobs, const LabelMap* map, uint16_t instead, int element_size,
           PngReport* reports, LaunchMemory* memory, const Parallel& parallel) const;

  const Nvcomp& nvcomp_;
};

}  // namespace dali_voc
