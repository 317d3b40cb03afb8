#include "gpu/png_decoder.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "gpu/cuda_driver.h"
#include "gpu/kernel.h"
#include "png_colors.h"
#include "png_inflate.h"

namespace dali_voc {
namespace {

constexpr int kBlocksPerMultiprocessor = 8;  // of 256 threads
constexpr size_t kZlibHeader = 2, kAdler = 4;

size_t Aligned(size_t bytes) {
  return (bytes + Nvcomp::kAlignment - 1) / Nvcomp::kAlignment * Nvcomp::kAlignment;
}

Kernel& UndoKernel() {
  static Kernel kernel("png_undo", "png_undo");
  return kernel;
}

Kernel& PixelKernel(const LabelMap* map, int element_size) {
  static Kernel rgb("png_pixels", "png_rgb");
  static Kernel one("png_pixels", "png_classes_1");
  static Kernel four("png_pixels", "png_classes_4");
  static Kernel eight("png_pixels", "png_classes_8");
  if (!map) return rgb;
  if (element_size == 1) return one;
  if (element_size == 4) return four;
  if (element_size == 8) return eight;
  throw std::runtime_error("decode_png: classes have 1, 4 or 8 bytes");
}

size_t RawBytes(const PngHeader& header) {
  return static_cast<size_t>(header.height * (header.RowBytes() + 1));
}

// Pixels of one or two channels are looked up.
bool NeedsTable(const PngHeader& header) { return header.Channels() < 3; }

void AddTable(const PngChunks& chunks, const LabelMap* map, std::vector<uint32_t>* tables) {
  uint32_t table[256] = {};
  if (map) {
    const auto classes = map->ClassesOfValues(chunks);
    std::copy(classes.begin(), classes.end(), table);
  } else {
    FillColors(chunks, table);
  }
  tables->insert(tables->end(), table, table + 256);
}

PngPicture Describe(const PngJob& job) {
  const PngHeader& header = job.chunks->header;
  const WindowBounds& window = job.window;
  window.CheckInside(header.height, header.width);
  PngPicture picture{};
  picture.out = job.out;
  picture.raw_bytes = static_cast<int64_t>(RawBytes(header));
  picture.row_bytes = static_cast<int32_t>(header.RowBytes());
  picture.rows = static_cast<int32_t>(window.y + window.height);
  const int64_t bytes = PngHeader::RowBytes(window.x + window.width, header.BitsPerPixel());
  picture.units = static_cast<int32_t>((bytes + kUnitBytes - 1) / kUnitBytes);
  picture.stride = header.FilterStride();
  picture.bits = std::min(8, header.BitsPerPixel());
  picture.y = static_cast<int32_t>(window.y);
  picture.x = static_cast<int32_t>(window.x);
  picture.height = static_cast<int32_t>(window.height);
  picture.width = static_cast<int32_t>(window.width);
  return picture;
}

// The batch's deflate streams side by side on the device.
struct Streams {
  std::vector<const void*> at;
  std::vector<size_t> sizes;

  Streams(const std::vector<PngJob>& jobs, LaunchMemory* memory, const Parallel& parallel) {
    const int n = static_cast<int>(jobs.size());
    std::vector<size_t> places(n + 1);
    for (int i = 0; i < n; i++) {
      sizes.push_back(jobs[i].chunks->data_size - kZlibHeader - kAdler);
      // as much again as an aligned reader may look at
      places[i + 1] = places[i] + Aligned(sizes[i]) + Nvcomp::kAlignment;
    }
    const LaunchMemory::Staged staged = memory->Stage(places[n]);
    parallel(n, [&](int i) {
      char* to = staged.host + places[i];
      memcpy(to, jobs[i].chunks->data + kZlibHeader, sizes[i]);
      memset(to + sizes[i], 0, places[i + 1] - places[i] - sizes[i]);
    });
    memory->Send(staged);
    for (int i = 0; i < n; i++) at.push_back(staged.device + places[i]);
  }
};

// What goes to the device besides the files, and how much room is needed there.
struct Plan {
  std::vector<PngPicture> pictures;  // without addresses
  std::vector<int32_t> first_chunk;
  std::vector<uint32_t> tables;
  std::vector<size_t> raw_sizes, raw_at, undone_at;

  Plan(const std::vector<PngJob>& jobs, const LabelMap* map)
      : first_chunk(1), raw_at(1), undone_at(1) {
    for (const PngJob& job : jobs) {
      PngPicture picture = Describe(job);
      picture.table = -1;
      if (NeedsTable(job.chunks->header)) {
        picture.table = static_cast<int32_t>(tables.size() / 256);
        AddTable(*job.chunks, map, &tables);
      }
      pictures.push_back(picture);
      const int64_t pixels = int64_t{picture.height} * picture.width;
      first_chunk.push_back(first_chunk.back() + PixelChunks(pixels));
      raw_sizes.push_back(RawBytes(job.chunks->header));
      // see PngPicture::raw
      raw_at.push_back(raw_at.back() + Aligned(raw_sizes.back()) + 16);
      const size_t undone = size_t{kUnitBytes} * picture.rows * picture.units;
      undone_at.push_back(undone_at.back() + Aligned(undone));
    }
  }

  // Returns where each file is to be inflated.
  std::vector<void*> Place(LaunchMemory* memory) {
    char* const raw = static_cast<char*>(memory->Device(raw_at.back()));
    char* const undone = static_cast<char*>(memory->Device(undone_at.back()));
    std::vector<void*> to;
    for (size_t i = 0; i < pictures.size(); i++) {
      to.push_back(raw + raw_at[i]);
      pictures[i].raw = reinterpret_cast<const uint8_t*>(raw + raw_at[i]);
      pictures[i].undone = reinterpret_cast<uint32_t*>(undone + undone_at[i]);
    }
    return to;
  }
};

}  // namespace

void CheckForGpu(const PngChunks& chunks, bool is_label) {
  const PngHeader& header = chunks.header;
  if (header.interlaced || header.bit_depth == 16)
    throw ImageError("this PNG is interlaced or has 16 bits per channel, expected neither");
  if (is_label && header.color == PngColor::kGrayAlpha)
    throw ImageError("a gray label with alpha is not supported, expected gray, palette, RGB, RGBA");
  // the shortest deflate stream has two bytes
  if (chunks.data_size < kZlibHeader + 2 + kAdler || !IsZlibHeader(chunks.data))
    throw ImageError("damaged PNG: its data does not decompress");
}

void PngDecoder::ToRgb(const std::vector<PngJob>& jobs, PngReport* reports, LaunchMemory* memory,
                       const Parallel& parallel) const {
  Run(jobs, nullptr, 0, 3, reports, memory, parallel);
}

void PngDecoder::ToClasses(const std::vector<PngJob>& jobs, const LabelMap& map, uint16_t instead,
                           int element_size, PngReport* reports, LaunchMemory* memory,
                           const Parallel& parallel) const {
  Run(jobs, &map, instead, element_size, reports, memory, parallel);
}

void PngDecoder::Run(const std::vector<PngJob>& jobs, const LabelMap* map, uint16_t instead,
                     int element_size, PngReport* reports, LaunchMemory* memory,
                     const Parallel& parallel) const {
  const size_t n = jobs.size();
  if (n == 0) return;
  Kernel& pixel_kernel = PixelKernel(map, element_size);
  Plan plan(jobs, map);
  const Streams streams(jobs, memory, parallel);
  Bundle bundle;
  const size_t at_streams = bundle.Add(streams.at);
  const size_t at_sizes = bundle.Add(streams.sizes);
  const size_t at_raw = bundle.Add(plan.Place(memory));
  const size_t at_raw_sizes = bundle.Add(plan.raw_sizes);
  const size_t at_pictures = bundle.Add(plan.pictures);
  const size_t at_first = bundle.Add(plan.first_chunk);
  const size_t at_tables = bundle.Add(plan.tables);
  const size_t at_sound =
      bundle.Add(std::vector<PngReport>(n, PngReport{kPngSound, 0xffffffff, 0, kEmptySlot}));
  std::vector<ColorSlot> slots;
  if (map) slots.assign(map->colors.view().slots, map->colors.view().slots + map->colors.size());
  const size_t at_slots = bundle.Add(slots);
  bundle.Send(memory);
  // from device memory, so that the host need not wait
  CheckCuda(CudaDriver::Get().MemcpyDtoDAsync(
                reinterpret_cast<CUdeviceptr>(reports),
                reinterpret_cast<CUdeviceptr>(bundle.At<PngReport>(at_sound)),
                n * sizeof(PngReport), memory->stream()),
            "clearing the reports");

  InflateBatch inflate{};
  inflate.streams = bundle.At<const void*>(at_streams);
  inflate.stream_sizes = bundle.At<size_t>(at_sizes);
  inflate.out = bundle.At<void*>(at_raw);
  inflate.out_sizes = bundle.At<size_t>(at_raw_sizes);
  inflate.written = static_cast<size_t*>(memory->Device(n * sizeof(size_t)));
  inflate.statuses = static_cast<nvcompStatus_t*>(memory->Device(n * sizeof(nvcompStatus_t)));
  inflate.n = n;
  for (size_t size : plan.raw_sizes) {
    inflate.largest = std::max(inflate.largest, size);
    inflate.total += size;
  }
  const size_t room = nvcomp_.RoomFor(inflate);
  nvcomp_.Inflate(inflate, room ? memory->Device(room) : nullptr, room, memory->stream());

  static_assert(sizeof(nvcompStatus_t) == sizeof(int32_t) && sizeof(size_t) == sizeof(uint64_t));
  const PngUndoBatch undo{bundle.At<PngPicture>(at_pictures),
                          reinterpret_cast<const int32_t*>(inflate.statuses),
                          reinterpret_cast<const uint64_t*>(inflate.written), reports};
  UndoKernel().Launch(memory->stream(), static_cast<unsigned>(n), kUndoThreads, undo);

  PngPixelBatch pixels{};
  pixels.pictures = bundle.At<PngPicture>(at_pictures);
  pixels.first_chunk = bundle.At<int32_t>(at_first);
  pixels.samples = static_cast<int>(n);
  pixels.tables = bundle.At<uint32_t>(at_tables);
  if (map) pixels.colors = map->colors.view();
  pixels.colors.slots = bundle.At<ColorSlot>(at_slots);
  pixels.instead = instead;
  pixels.reports = reports;
  const int chunks = plan.first_chunk.back();
  const int blocks = std::min(chunks, Multiprocessors() * kBlocksPerMultiprocessor);
  pixel_kernel.Launch(memory->stream(), blocks, kPixelThreads, pixels);
}

}  // namespace dali_voc
