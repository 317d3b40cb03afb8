// Decodes a window of a JPEG picture row by row, and no more of it than that takes, by
// libjpeg-turbo.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "jpeg_errors.h"
#include "jpeg_huffman.h"
#include "window_rows.h"

namespace dali_voc {

// Keeps its decoder between pictures. Not thread-safe: one per thread.
class JpegWindow : public WindowRows {
 public:
  JpegWindow();
  ~JpegWindow();
  JpegWindow(const JpegWindow&) = delete;
  JpegWindow& operator=(const JpegWindow&) = delete;

  // Throws ImageError where the file is not a JPEG file that libjpeg-turbo turns into RGB, or the
  // window is not inside the picture; where `strict`, also for damage anywhere in the file that
  // libjpeg warns of and goes on after, at the latest with the window's last row. The file has to
  // stay until the last row is read.
  void Start(const uint8_t* file, size_t size, const WindowBounds& window, bool strict = false);
  const uint8_t* NextRow() override;
  void SkipRows(int64_t n) override;

 private:
  static constexpr int kRows = 8;  // decoded at once

  struct Errors : JpegJump {
    bool strict, warned;
  };

  [[noreturn]] void Throw();
  void Begin(bool by_libjpeg_alone);
  void ReadRows(int count);
  void Finish();

  jpeg_decompress_struct decoder_{};
  Errors errors_{};
  std::unique_ptr<HuffmanDecoder> huffman_;
  const uint8_t* file_ = nullptr;
  size_t size_ = 0;
  WindowBounds window_{};
  int64_t left_ = 0;            // first column that is decoded; at most that of the window
  int64_t begun_ = 0;           // rows of the window before those in `rows_`
  int64_t ready_ = 0, at_ = 0;  // rows in `rows_`, and which of them is next
  std::vector<uint8_t> rows_;
  std::vector<uint8_t> below_;  // one row that is not asked for
};

}  // namespace dali_voc
