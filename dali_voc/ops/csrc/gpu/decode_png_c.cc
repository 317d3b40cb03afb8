// Decoding PNG on a GPU for callers outside DALI: dali_voc/ops/_kernels.
#include <atomic>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "c_interface.h"
#include "gpu/given_memory.h"
#include "gpu/png_decoder.h"

namespace dali_voc {
namespace {

struct File {
  const uint8_t* bytes;
  int64_t size;
  int64_t y, x, height, width;  // of the window; height 0: all
  void* out;
  int64_t pixels;  // that `out` has room for
};

// How bytes of labels are read; with `element_size` 0, pictures are.
struct Classes {
  const int *colors, *color_classes;
  int num_colors;
  const int *values, *value_classes;
  int num_values;
  int palette_by_color, instead, element_size;
};

struct Memory {
  void* scratch;
  size_t scratch_size;
  void* host;
  size_t host_size;
  CUstream stream;
};

// On threads that are made for it.
class Threads {
 public:
  explicit Threads(int n) : n_(n) {}
  void operator()(int n, const std::function<void(int)>& function) const {
    std::atomic<int> next{0};
    std::exception_ptr error;
    std::mutex mutex;
    auto work = [&] {
      try {
        for (int i; (i = next++) < n;) function(i);
      } catch (...) {
        std::lock_guard<std::mutex> lock(mutex);
        error = std::current_exception();
      }
    };
    std::vector<std::thread> threads;
    try {
      for (int i = 1; i < n_; i++) threads.emplace_back(work);
    } catch (const std::system_error&) {
      // those that could be made share the work
    }
    work();
    for (std::thread& thread : threads) thread.join();
    if (error) std::rethrow_exception(error);
  }

 private:
  int n_;
};

void Decode(const File* files, int n, const Classes& classes, const char* nvcomp,
            PngReport* reports, const Memory& given, const Threads& threads) {
  std::vector<PngChunks> chunks(n);
  std::vector<PngJob> jobs(n);
  threads(n, [&](int i) {
    try {
      ParsePng(files[i].bytes, files[i].size, &chunks[i]);
      CheckForGpu(chunks[i], classes.element_size != 0);
      const PngHeader& header = chunks[i].header;
      WindowBounds window{files[i].y, files[i].x, files[i].height, files[i].width};
      if (window.height == 0) window = {0, 0, header.height, header.width};
      window.CheckInside(header.height, header.width);
      if (window.height * window.width != files[i].pixels)
        throw std::runtime_error("the window has " + std::to_string(window.height * window.width) +
                                 " pixels, the result " + std::to_string(files[i].pixels));
      jobs[i] = {&chunks[i], window, files[i].out};
    } catch (const std::runtime_error& e) {
      throw std::runtime_error("sample " + std::to_string(i) + ": " + e.what());
    }
  });
  GivenMemory memory(given.stream, given.scratch, given.scratch_size, given.host, given.host_size);
  const PngDecoder decoder(nvcomp);
  if (classes.element_size == 0) return decoder.ToRgb(jobs, reports, &memory, threads);
  const LabelMap map({classes.colors, classes.colors + classes.num_colors},
                     {classes.color_classes, classes.color_classes + classes.num_colors},
                     {classes.values, classes.values + classes.num_values},
                     {classes.value_classes, classes.value_classes + classes.num_values}, kUnknown,
                     classes.palette_by_color != 0, 0);
  decoder.ToClasses(jobs, map, static_cast<uint16_t>(classes.instead), classes.element_size,
                    reports, &memory, threads);
}

}  // namespace
}  // namespace dali_voc

DALI_VOC_EXPORT int dali_voc_decode_png(const dali_voc::File* files, int n,
                                        const dali_voc::Classes* classes, const char* nvcomp,
                                        dali_voc::PngReport* reports,
                                        const dali_voc::Memory* memory, int threads, char* error,
                                        size_t error_size) {
  return dali_voc::Guarded(error, error_size, [&] {
    dali_voc::Decode(files, n, *classes, nvcomp, reports, *memory, dali_voc::Threads(threads));
  });
}
