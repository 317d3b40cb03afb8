#include "jpeg_window.h"

#include <algorithm>
#include <string>

namespace dali_voc {

// libjpeg reports errors by a function that must not return. It leaves by longjmp, over frames of
// libjpeg alone: between setjmp and the calls there is nothing that would need destruction.

JpegWindow::JpegWindow() {
  decoder_.err = jpeg_std_error(&errors_);
  errors_.error_exit = OnError;
  errors_.emit_message = OnWarning;
  if (setjmp(errors_.jump)) Throw();
  jpeg_create_decompress(&decoder_);
}

JpegWindow::~JpegWindow() { jpeg_destroy_decompress(&decoder_); }

void JpegWindow::OnError(j_common_ptr decoder) {
  longjmp(static_cast<Errors*>(decoder->err)->jump, 1);
}

// Libjpeg goes on after damage that it only warns of, as do Pillow and DALI.
void JpegWindow::OnWarning(j_common_ptr, int) {}

void JpegWindow::Throw() {
  char text[JMSG_LENGTH_MAX] = {};
  errors_.format_message(reinterpret_cast<j_common_ptr>(&decoder_), text);
  if (decoder_.mem) jpeg_abort_decompress(&decoder_);
  throw ImageError(std::string("damaged JPEG: ") + text);
}

void JpegWindow::StartUnprotected(const uint8_t* file, size_t size) {
  jpeg_abort_decompress(&decoder_);
  jpeg_mem_src(&decoder_, file, size);
  jpeg_read_header(&decoder_, TRUE);
  decoder_.out_color_space = JCS_RGB;
  // as DALI's decoder: exact integer arithmetic, chroma interpolated
  decoder_.dct_method = JDCT_ISLOW;
  decoder_.do_fancy_upsampling = TRUE;
  jpeg_start_decompress(&decoder_);
}

void JpegWindow::Start(const uint8_t* file, size_t size, const WindowBounds& window) {
  window_ = window;
  ready_ = at_ = 0;
  if (setjmp(errors_.jump)) Throw();
  StartUnprotected(file, size);
  const bool inside = window.y >= 0 && window.x >= 0 && window.height > 0 && window.width > 0 &&
                      window.y + window.height <= decoder_.output_height &&
                      window.x + window.width <= decoder_.output_width;
  if (!inside) throw ImageError("the window lies outside the picture");
  // Chroma is interpolated: the columns next to the window count too. One would do, but libjpeg
  // repeats chroma instead in pictures of very few columns, and would in so narrow a part.
  const int64_t margin = 8;
  const int64_t right = std::min<int64_t>(window.x + window.width + margin, decoder_.output_width);
  JDIMENSION left = static_cast<JDIMENSION>(std::max<int64_t>(window.x - margin, 0));
  JDIMENSION width = static_cast<JDIMENSION>(right) - left;
  jpeg_crop_scanline(&decoder_, &left, &width);
  left_ = left;
  if (window.y > 0) jpeg_skip_scanlines(&decoder_, static_cast<JDIMENSION>(window.y));
  rows_.resize(static_cast<size_t>(kRows) * decoder_.output_width * 3);
}

const uint8_t* JpegWindow::NextRow() {
  const size_t stride = static_cast<size_t>(decoder_.output_width) * 3;
  if (at_ == ready_) {
    if (setjmp(errors_.jump)) Throw();
    const int64_t remaining = window_.y + window_.height - decoder_.output_scanline;
    const int wanted = static_cast<int>(std::min<int64_t>(kRows, remaining));
    if (wanted <= 0) throw ImageError("no row is left");
    JSAMPROW rows[kRows];
    for (int i = 0; i < wanted; i++) rows[i] = rows_.data() + i * stride;
    at_ = 0;
    ready_ = 0;
    while (ready_ < wanted)
      ready_ +=
          jpeg_read_scanlines(&decoder_, rows + ready_, static_cast<JDIMENSION>(wanted - ready_));
  }
  return rows_.data() + at_++ * stride + (window_.x - left_) * 3;
}

}  // namespace dali_voc
