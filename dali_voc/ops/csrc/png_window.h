// Decodes a window of a PNG picture row by row: inflates no further than its last row, and undoes
// filters no further than its last column.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "png_chunks.h"
#include "png_filters.h"
#include "png_inflate.h"
#include "window_rows.h"

namespace dali_voc {

// Whether a file is PNG of the common kind, as far as its header tells: not interlaced, of at most
// 8 bits per channel.
bool IsCommonPng(const uint8_t* file, size_t size);

// Whether it begins as PNG files do.
bool LooksLikePng(const uint8_t* file, size_t size);

// Colours as libpng, Pillow and DALI give them: gray values stretched to 0..255, palette indices
// without a colour black, transparency of all kinds left out, gamma and profiles not applied. Keeps
// its buffers between pictures. Not thread-safe: one per thread.
class PngWindow : public WindowRows {
 public:
  // Throws ImageError where the file is not a sound PNG file of the common kind, or the window is
  // not inside the picture. Chunks are checked over the whole file; of damage that their checksums
  // do not tell of, such as pixel data that a faulty program has written, only what lies before the
  // window's end is found. The file has to stay until the last row is read.
  void Start(const uint8_t* file, size_t size, const WindowBounds& window);
  const uint8_t* NextRow() override;

 private:
  void StartUnnamed(const uint8_t* file, size_t size);
  void UndoNext(int64_t rows);

  PngChunks chunks_;
  PngInflater inflater_;
  WindowBounds window_{};
  FilteredRows coded_{};            // rows whose filters are still there, up to the window's last
  const uint8_t* above_ = nullptr;  // the row before them
  const uint8_t* next_ = nullptr;   // the window's next row
  int64_t left_ = 0;                // rows that have not been handed out
  uint32_t colors_[256] = {};       // of gray values and palette indices
  std::vector<uint8_t> unpacked_, rgb_;
};

}  // namespace dali_voc
