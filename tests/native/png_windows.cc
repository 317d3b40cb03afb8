// Reads lines on standard input. `windows PATH`: decodes many windows of a PNG photograph, compares
// them with the whole picture and prints its values, or why it was refused. `prefixes SIZE STEP
// PATH`: inflates a zlib stream of SIZE bytes to many prefixes and compares them with all of it.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "png_window.h"

using dali_voc::WindowBounds;
using Bytes = std::vector<uint8_t>;

namespace {

// exactly as large as the file, so that the sanitizer sees a read past its end
struct File {
  explicit File(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(file)), {});
    size = text.size();
    bytes.reset(new uint8_t[size]);
    std::copy(text.begin(), text.end(), bytes.get());
  }
  std::unique_ptr<uint8_t[]> bytes;
  size_t size;
};

Bytes Decode(dali_voc::PngWindow* png, const File& file, const WindowBounds& window) {
  png->Start(file.bytes.get(), file.size, window);
  Bytes values;
  for (int64_t y = 0; y < window.height; y++) {
    const uint8_t* row = png->NextRow();
    values.insert(values.end(), row, row + 3 * window.width);
  }
  return values;
}

std::string Windows(const File& file) {
  dali_voc::PngWindow png;
  dali_voc::PngHeader header;
  std::string refusal;
  Bytes whole;
  try {
    dali_voc::PngChunks chunks;
    dali_voc::ParsePng(file.bytes.get(), file.size, &chunks);
    header = chunks.header;
    whole = Decode(&png, file, {0, 0, header.height, header.width});
  } catch (const std::runtime_error& e) {
    refusal = e.what();
    if (header.height == 0) return "refused " + refusal;
  }
  const int64_t height = header.height, width = header.width;
  for (int64_t end = 1; end <= height; end++) {
    for (int64_t y : {int64_t{0}, end / 2, end - 1}) {
      for (int64_t x : {int64_t{0}, width / 3, width - 1}) {
        const int64_t n = std::max<int64_t>(1, (width - x) / (y % 2 + 1));
        try {
          const Bytes part = Decode(&png, file, {y, x, end - y, n});
          if (!refusal.empty()) return "depends " + refusal;
          for (int64_t i = y; i < end; i++)
            if (memcmp(part.data() + (i - y) * n * 3, whole.data() + (i * width + x) * 3, n * 3))
              return "differs";
        } catch (const dali_voc::ImageError& e) {
          if (refusal != e.what()) return std::string("depends ") + e.what();
        }
      }
    }
  }
  if (!refusal.empty()) return "refused " + refusal;
  std::string line = "ok " + std::to_string(height) + " " + std::to_string(width) + " ";
  char digits[3];
  for (uint8_t value : whole) {
    snprintf(digits, sizeof digits, "%02x", value);
    line += digits;
  }
  return line;
}

std::string Prefixes(const File& file, int64_t size, int64_t step) {
  dali_voc::PngChunks chunks;
  chunks.data = file.bytes.get();
  chunks.data_size = file.size;
  dali_voc::PngInflater inflater;
  const uint8_t* all = inflater.Whole(chunks, size);
  for (int64_t n = 0; n <= size; n += step) {
    dali_voc::PngInflater fresh;  // whose buffer does not hold the right bytes from before
    if (memcmp(fresh.Prefix(chunks, n), all, n) != 0) return "differs at " + std::to_string(n);
  }
  return "ok";
}

}  // namespace

int main() {
  std::string mode, path;
  while (std::cin >> mode) {
    int64_t size = 0, step = 0;
    if (mode == "prefixes") std::cin >> size >> step;
    std::cin >> path;
    const File file(path);
    printf("%s\n", (mode == "prefixes" ? Prefixes(file, size, step) : Windows(file)).c_str());
  }
  return 0;
}
