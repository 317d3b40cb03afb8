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
  const int n = static_cast<int>(jobs.size());
  if (n == 0) return;
  Kernel& pixel_kernel = PixelKernel(map, element_size);
  std::vector<PngPicture> pictures(n);
  std::vector<uint32_t> tables;
  std::vector<int32_t> first(n + 1);
  std::vector<size_t> raw_sizes(n), raw_at(n + 1), undone_at(n + 1);
  for (int i = 0; i < n; i++) {
    const PngHeader& header = jobs[i].chunks->header;
    PngPicture& picture = pictures[i] = Describe(jobs[i]);
    picture.table = NeedsTable(header) ? static_cast<int32_t>(tables.size() / 256) : -1;
    if (NeedsTable(header)) AddTable(*jobs[i].chunks, map, &tables);
    first[i + 1] = first[i] + PixelChunks(int64_t{picture.height} * picture.width);
    raw_sizes[i] = RawBytes(header);
    raw_at[i + 1] = raw_at[i] + Aligned(raw_sizes[i]) + 16;  // see PngPicture::raw
    undone_at[i + 1] = undone_at[i] + Aligned(size_t{kUnitBytes} * picture.rows * picture.units);
  }
  const Streams streams(jobs, memory, parallel);
  char* const raw = static_cast<char*>(memory->Device(raw_at[n]));
  char* const undone = static_cast<char*>(memory->Device(undone_at[n]));
  std::vector<void*> raw_pointers(n);
  for (int i = 0; i < n; i++) {
    raw_pointers[i] = raw + raw_at[i];
    pictures[i].raw = reinterpret_cast<const uint8_t*>(raw + raw_at[i]);
    pictures[i].undone = reinterpret_cast<uint32_t*>(undone + undone_at[i]);
  }
  Bundle bundle;
  const size_t at_streams = bundle.Add(streams.at);
  const size_t at_sizes = bundle.Add(streams.sizes);
  const size_t at_raw = bundle.Add(raw_pointers);
  const size_t at_raw_sizes = bundle.Add(raw_sizes);
  const size_t at_pictures = bundle.Add(pictures);
  const size_t at_first = bundle.Add(first);
  const size_t at_tables = bundle.Add(tables);
  const size_t at_none =
      bundle.Add(std::vector<PngReport>(n, PngReport{kPngSound, 0xffffffff, 0, kEmptySlot}));
  std::vector<ColorSlot> slots;
  if (map) slots.assign(map->colors.view().slots, map->colors.view().slots + map->colors.size());
  const size_t at_slots = bundle.Add(slots);
  bundle.Send(memory);
  // from device memory, so that the host need not wait
  CheckCuda(CudaDriver::Get().MemcpyDtoDAsync(
                reinterpret_cast<CUdeviceptr>(reports),
                reinterpret_cast<CUdeviceptr>(bundle.At<PngReport>(at_none)), n * sizeof(PngReport),
                memory->stream()),
            "clearing the reports");
  InflateBatch inflate{};
  inflate.streams = bundle.At<const void*>(at_streams);
  inflate.stream_sizes = bundle.At<size_t>(at_sizes);
  inflate.out = bundle.At<void*>(at_raw);
  inflate.out_sizes = bundle.At<size_t>(at_raw_sizes);
  inflate.written = static_cast<size_t*>(memory->Device(n * sizeof(size_t)));
  inflate.statuses = static_cast<nvcompStatus_t*>(memory->Device(n * sizeof(nvcompStatus_t)));
  inflate.n = n;
  for (size_t size : raw_sizes) {
    inflate.largest = std::max(inflate.largest, size);
    inflate.total += size;
  }
  const size_t room = nvcomp_.RoomFor(inflate);
  nvcomp_.Inflate(inflate, room ? memory->Device(room) : nullptr, room, memory->stream());
  static_assert(sizeof(nvcompStatus_t) == sizeof(int32_t) && sizeof(size_t) == sizeof(uint64_t));
  const PngUndoBatch undo{bundle.At<PngPicture>(at_pictures),
                          reinterpret_cast<const int32_t*>(inflate.statuses),
                          reinterpret_cast<const uint64_t*>(inflate.written), reports};
  UndoKernel().Launch(memory->stream(), n, kUndoThreads, undo);
  PngPixelBatch pixels{};
  pixels.pictures = bundle.At<PngPicture>(at_pictures);
  pixels.first_chunk = bundle.At<int32_t>(at_first);
  pixels.samples = n;
  pixels.tables = bundle.At<uint32_t>(at_tables);
  if (map) {
    pixels.colors = map->colors.view();
    pixels.colors.slots = bundle.At<ColorSlot>(at_slots);
  }
  pixels.instead = instead;
  pixels.reports = reports;
  const int blocks = std::min(first[n], Multiprocessors() * kBlocksPerMultiprocessor);
  pixel_kernel.Launch(memory->stream(), blocks, kPixelThreads, pixels);
}

}  // namespace dali_voc
