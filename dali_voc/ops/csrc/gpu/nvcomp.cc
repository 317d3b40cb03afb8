#include "gpu/nvcomp.h"

#include <dlfcn.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>

namespace dali_voc {
namespace {

constexpr uint32_t kMajor = NVCOMP_VER_MAJOR;  // of the headers; interfaces differ between these

// The engines of newer GPUs refuse pictures (4 MB is their most) and want memory of a special kind.
nvcompBatchedDeflateDecompressOpts_t Options() {
  nvcompBatchedDeflateDecompressOpts_t options = nvcompBatchedDeflateDecompressDefaultOpts;
  options.backend = NVCOMP_DECOMPRESS_BACKEND_CUDA;
  return options;
}

template <typename Function>
void Find(void* library, const std::string& path, const char* name, Function* function) {
  *function = reinterpret_cast<Function>(dlsym(library, name));
  if (!*function)
    throw std::runtime_error(path + " has no " + name + ", expected nvCOMP " +
                             std::to_string(kMajor));
}

}  // namespace

Nvcomp::Nvcomp(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) throw std::runtime_error(std::string("nvCOMP cannot be loaded: ") + dlerror());
  Find(library, path, "nvcompGetProperties", &get_properties_);
  Find(library, path, "nvcompGetStatusString", &get_status_string_);
  Find(library, path, "nvcompBatchedDeflateDecompressGetRequiredAlignments", &get_alignments_);
  Find(library, path, "nvcompBatchedDeflateDecompressGetTempSizeAsync", &get_room_);
  Find(library, path, "nvcompBatchedDeflateDecompressAsync", &inflate_);
  nvcompProperties_t properties{};
  Check(get_properties_(&properties), "nvcompGetProperties");
  if (NVCOMP_MAJOR_FROM_SEMVER(properties.version) != kMajor)
    throw std::runtime_error(path + " is version " + std::to_string(properties.version) +
                             " of nvCOMP, expected " + std::to_string(kMajor) + "xxx");
  nvcompAlignmentRequirements_t needed{};
  Check(get_alignments_(Options(), &needed), "asking for nvCOMP's alignments");
  if (std::max({needed.input, needed.output, needed.temp}) > kAlignment)
    throw std::runtime_error(path + " wants more than the 16 bytes' alignment that it gets");
}

const Nvcomp& Nvcomp::At(const std::string& path) {
  // for as long as threads of a pipeline may run
  static auto& mutex = *new std::mutex;
  static auto& loaded = *new std::map<std::string, std::unique_ptr<const Nvcomp>>;
  std::lock_guard<std::mutex> lock(mutex);
  std::unique_ptr<const Nvcomp>& library = loaded[path];
  if (!library) library.reset(new Nvcomp(path));
  return *library;
}

void Nvcomp::Check(nvcompStatus_t status, const char* what) const {
  if (status == nvcompSuccess) return;
  const char* text = get_status_string_(status);
  throw std::runtime_error(std::string(what) + " failed with status " + std::to_string(status) +
                           " (" + (text ? text : "unknown to nvCOMP") + ")");
}

size_t Nvcomp::RoomFor(const InflateBatch& batch) const {
  if (batch.largest > nvcompDeflateDecompressionMaxAllowedChunkSize)
    throw std::runtime_error("nvCOMP inflates at most 4 GiB at once");
  size_t bytes = 0;
  Check(get_room_(batch.n, batch.largest, Options(), &bytes, batch.total),
        "asking for nvCOMP's memory");
  return bytes;
}

void Nvcomp::Inflate(const InflateBatch& batch, void* room, size_t room_size,
                     CUstream stream) const {
  Check(inflate_(batch.streams, batch.stream_sizes, batch.out_sizes, batch.written, batch.n, room,
                 room_size, batch.out, Options(), batch.statuses, stream),
        "nvCOMP's inflating");
}

}  // namespace dali_voc
