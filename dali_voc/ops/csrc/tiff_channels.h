// Looks for what DALI's decoder takes in silence, and makes something else of, in a TIFF file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace dali_voc {

// Reads the first directory of a TIFF file (TIFF 6.0, section 2, or BigTIFF) and says whether
// - a pixel has two samples: DALI takes gray and alpha for red and green, and what lies behind the
//   picture for blue;
// - samples lie in planes, one after another, and are not three of 8 bits: DALI takes a plane of
//   red for pixels.
// Empty for others, and for files that are not TIFF.
inline std::string FindTiffTrouble(const uint8_t* file, size_t size) {
  constexpr uint64_t kBitsPerSample = 258, kSamplesPerPixel = 277, kPlanarConfiguration = 284;
  constexpr uint64_t kLong = 4, kPlanes = 2;
  if (size < 16) return "";
  const bool little = file[0] == 'I' && file[1] == 'I';
  if (!little && !(file[0] == 'M' && file[1] == 'M')) return "";
  auto number = [&](size_t at, int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) value = value << 8 | file[at + (little ? bytes - 1 - i : i)];
    return value;
  };
  const bool big = number(2, 2) == 43;
  if (!big && number(2, 2) != 42) return "";
  const uint64_t directory = big ? number(8, 8) : number(4, 4);
  const int count_bytes = big ? 8 : 2, entry_bytes = big ? 20 : 12;
  if (directory > size || size - directory < size_t{8}) return "";
  const uint64_t entries = number(directory, count_bytes);
  const size_t first = directory + count_bytes;
  uint64_t bits = 1, samples = 1, layout = 1;
  for (uint64_t i = 0; i < entries && i < (size - first) / entry_bytes; i++) {
    const size_t entry = first + i * entry_bytes;
    const int value_bytes = number(entry + 2, 2) == kLong ? 4 : 2;
    const size_t field_bytes = big ? 8 : 4;
    size_t value = entry + entry_bytes - field_bytes;
    const uint64_t tag = number(entry, 2);
    if (tag == kSamplesPerPixel) samples = number(value, value_bytes);
    if (tag == kPlanarConfiguration) layout = number(value, value_bytes);
    if (tag != kBitsPerSample) continue;
    // one for each sample: elsewhere, where there is no room for them
    const uint64_t count = number(entry + 4, big ? 8 : 4);
    if (count > field_bytes / value_bytes) value = number(value, static_cast<int>(field_bytes));
    if (value <= size - value_bytes) bits = number(value, value_bytes);
  }
  if (samples == 2)
    return "TIFF of two channels, gray and alpha, expected one, three or four: save it without "
           "alpha, or as PNG";
  if (layout == kPlanes && samples > 1 && !(samples == 3 && bits == 8))
    return "TIFF of " + std::to_string(samples) + " planes of " + std::to_string(bits) +
           " bits, expected the channels of a pixel side by side: gdal_translate -co "
           "INTERLEAVE=PIXEL, or save it as PNG";
  return "";
}

}  // namespace dali_voc
