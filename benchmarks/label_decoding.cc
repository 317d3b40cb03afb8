// Times the decoding of whole labels, in the packed form and as PNG, on one thread. Standard input:
// paths, one a line; the two forms are timed apart, in turn. Prints the number of packed ones, the
// median of the rounds in microseconds per label, the slowest label (best of five), and the number
// and the median of the others. benchmarks/label_decoding.py builds and feeds it.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "label_runs.h"
#include "png_pixels.h"

namespace {

using Files = std::vector<std::vector<uint8_t>>;

dali_voc::LabelRuns runs;
dali_voc::PngPixels pixels;
volatile uint64_t sink;

void Decode(const std::vector<uint8_t>& file) {
  uint64_t sum = 0;
  if (dali_voc::IsLabelRuns(file.data(), file.size())) {
    runs.Parse(file.data(), file.size());
    for (int64_t y = 0; y < runs.height(); y++) sum += runs.Row(y, 0)[y % runs.width()];
  } else {
    dali_voc::PngChunks chunks;
    dali_voc::ParsePng(file.data(), file.size(), &chunks);
    pixels.Decode(chunks);
    for (int64_t y = 0; y < chunks.header.height; y++)
      sum += pixels.Row(y, 0, chunks.header.width)[y % chunks.header.width];
  }
  sink = sum;
}

double MicrosecondsEach(const Files& files) {
  auto begin = std::chrono::steady_clock::now();
  for (int k = 0; k < 5; k++)
    for (auto& file : files) Decode(file);
  std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - begin;
  return time.count() / (5.0 * files.size());
}

}  // namespace

int main() {
  Files packed, png;
  std::string path;
  while (std::getline(std::cin, path)) {
    std::ifstream file(path, std::ios::binary);
    std::vector<uint8_t> bytes((std::istreambuf_iterator<char>(file)), {});
    (dali_voc::IsLabelRuns(bytes.data(), bytes.size()) ? packed : png).push_back(bytes);
  }
  std::vector<double> times[2];
  for (int round = 0; round < 21; round++) {
    times[0].push_back(MicrosecondsEach(packed));
    times[1].push_back(MicrosecondsEach(png));
  }
  for (auto& of_one : times) std::sort(of_one.begin(), of_one.end());
  double slowest = 0;
  for (auto& file : packed) {
    double best = 1e9;
    for (int k = 0; k < 5; k++) best = std::min(best, MicrosecondsEach({file}));
    slowest = std::max(slowest, best);
  }
  printf("%zu %.3f %.3f %zu %.3f\n", packed.size(), times[0][10], slowest, png.size(),
         times[1][10]);
  return 0;
}
