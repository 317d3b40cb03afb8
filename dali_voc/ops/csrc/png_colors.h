// The colours of gray values and palette indices.
#pragma once

#include <cstdint>

#include "png_chunks.h"

namespace dali_voc {

// Colours as libpng, Pillow and DALI give them, R in the lowest byte: gray values stretched to
// 0..255, palette indices without a colour black. Of 256 colours those that a file of at most 8
// bits per channel can ask for are set. For files with one or two channels.
inline void FillColors(const PngChunks& chunks, uint32_t* colors) {
  const PngHeader& header = chunks.header;
  if (header.color == PngColor::kPalette) {
    for (int i = 0; i < 256; i++) {
      const uint32_t color = i < chunks.palette_size ? chunks.palette[i] : 0;
      colors[i] = (color >> 16 & 255) | (color & 0xff00) | (color & 255) << 16;
    }
    return;
  }
  const int highest = (1 << header.bit_depth) - 1;
  for (int i = 0; i <= highest; i++)
    colors[i] = static_cast<uint32_t>(i * (255 / highest)) * 0x010101u;
}

}  // namespace dali_voc
