#include "jpeg_window.h"

#include <jerror.h>

#include <algorithm>
#include <string>

#include "jpeg_errors.h"
#include "picture_size.h"

namespace dali_voc {

// libjpeg reports errors by a function that must not return. It leaves by longjmp, over frames of
// libjpeg alone: between setjmp and the calls there is nothing that would need destruction.
// `HuffmanDecoder` leaves in the same way where it meets damage; the picture is then begun anew,
// and libjpeg decodes it alone, which makes of damage what Pillow and DALI make of it.

JpegWindow::JpegWindow() : huffman_(std::make_unique<HuffmanDecoder>()) {
  // Libjpeg goes on after damage that it only warns of, as do Pillow and DALI.
  decoder_.err = JumpAtJpegErrors(&errors_);
  errors_.emit_message = [](j_common_ptr common, int level) {
    auto* errors = static_cast<Errors*>(common->err);
    // a revision of JFIF that it does not know is no damage
    if (!errors->strict || level >= 0 || errors->msg_code == JWRN_JFIF_MAJOR) return;
    errors->warned = true;
    errors->error_exit(common);
  };
  if (setjmp(errors_.jump)) Throw();
  jpeg_create_decompress(&decoder_);
}

JpegWindow::~JpegWindow() { jpeg_destroy_decompress(&decoder_); }

void JpegWindow::Throw() {
  char text[JMSG_LENGTH_MAX] = {};
  errors_.format_message(reinterpret_cast<j_common_ptr>(&decoder_), text);
  if (decoder_.mem) jpeg_abort_decompress(&decoder_);
  const char* const more = errors_.warned ? "; loaders read it all the same" : "";
  throw ImageError(std::string("damaged JPEG: ") + text + more);
}

// Everything before the first row of `rows_`.
void JpegWindow::Begin(bool by_libjpeg_alone) {
  // anew, or a file without tables of its own would be decoded by those of the one before
  jpeg_destroy_decompress(&decoder_);
  jpeg_create_decompress(&decoder_);
  jpeg_mem_src(&decoder_, file_, size_);
  jpeg_read_header(&decoder_, TRUE);
  // as of labels, which have their images' size; what is in front of a file may not be this header
  if (IsTooLarge(decoder_.image_height, decoder_.image_width))
    throw ImageError("a picture of " + std::to_string(decoder_.image_width) + "x" +
                     std::to_string(decoder_.image_height) + " pixels, expected at most " +
                     std::to_string(kMaxPixels));
  if (decoder_.num_components != 1 && decoder_.num_components != 3)
    throw ImageError("a JPEG of " + std::to_string(decoder_.num_components) +
                     " channels, expected 1 or 3");
  decoder_.out_color_space = JCS_RGB;
  // as DALI's decoder: exact integer arithmetic, chroma interpolated
  decoder_.dct_method = JDCT_ISLOW;
  decoder_.do_fancy_upsampling = TRUE;
  jpeg_start_decompress(&decoder_);
  window_.CheckInside(decoder_.output_height, decoder_.output_width);
  // Chroma is interpolated: the columns next to the window count too. One would do, but libjpeg
  // repeats chroma instead in pictures of very few columns, and would in so narrow a part.
  // Of progressive files that are not complete libjpeg smooths blocks, by two on either side.
  const int64_t margin = decoder_.progressive_mode ? 3 * DCTSIZE * decoder_.max_h_samp_factor : 8;
  const int64_t right =
      std::min<int64_t>(window_.x + window_.width + margin, decoder_.output_width);
  JDIMENSION left = static_cast<JDIMENSION>(std::max<int64_t>(window_.x - margin, 0));
  JDIMENSION width = static_cast<JDIMENSION>(right) - left;
  jpeg_crop_scanline(&decoder_, &left, &width);
  left_ = left;
  // as that function rounds: to MCUs, which have one block where there is one component
  const JDIMENSION column =
      DCTSIZE * (decoder_.num_components == 1 ? 1 : decoder_.max_h_samp_factor);
  if (!by_libjpeg_alone)
    huffman_->TakeOver(&decoder_, left / column, (left + width - 1) / column, &errors_.jump);
  const int64_t skipped = window_.y + begun_;
  if (skipped > 0) jpeg_skip_scanlines(&decoder_, static_cast<JDIMENSION>(skipped));
}

void JpegWindow::Start(const uint8_t* file, size_t size, const WindowBounds& window, bool strict) {
  errors_.strict = strict;
  errors_.warned = false;
  file_ = file;
  size_ = size;
  window_ = window;
  begun_ = ready_ = at_ = 0;
  const int error = setjmp(errors_.jump);
  if (error == 0)
    Begin(strict);
  else if (error == HuffmanDecoder::kTrouble)
    Begin(true);
  else
    Throw();
  const size_t stride = static_cast<size_t>(decoder_.output_width) * 3;
  rows_.resize(kRows * stride);
  if (strict) below_.resize(stride);
}

void JpegWindow::ReadRows(int count) {
  const size_t stride = static_cast<size_t>(decoder_.output_width) * 3;
  JSAMPROW rows[kRows];
  for (int i = 0; i < count; i++) rows[i] = rows_.data() + i * stride;
  for (int n = 0; n < count;)
    n += jpeg_read_scanlines(&decoder_, rows + n, static_cast<JDIMENSION>(count - n));
}

// What lies below the window, and between the data and the end marker. Rows are read, as
// jpeg_skip_scanlines would not go on to the marker.
void JpegWindow::Finish() {
  JSAMPROW row = below_.data();
  while (decoder_.output_scanline < decoder_.output_height) jpeg_read_scanlines(&decoder_, &row, 1);
  jpeg_finish_decompress(&decoder_);
}

void JpegWindow::SkipRows(int64_t n) {
  const int64_t decoded = std::min(n, ready_ - at_);
  at_ += decoded;
  if (decoded == n) return;
  begun_ += ready_ + n - decoded;
  ready_ = at_ = 0;
  if (begun_ >= window_.height) throw ImageError("no row is left");
  const int error = setjmp(errors_.jump);
  if (error == 0)
    jpeg_skip_scanlines(&decoder_,
                        static_cast<JDIMENSION>(window_.y + begun_) - decoder_.output_scanline);
  else if (error == HuffmanDecoder::kTrouble)
    Begin(true);
  else
    Throw();
}

const uint8_t* JpegWindow::NextRow() {
  if (at_ == ready_) {
    begun_ += ready_;
    ready_ = at_ = 0;
    const int count = static_cast<int>(std::min<int64_t>(kRows, window_.height - begun_));
    if (count <= 0) throw ImageError("no row is left");
    const int error = setjmp(errors_.jump);
    if (error == 0) {
      ReadRows(count);
      if (errors_.strict && begun_ + count == window_.height) Finish();
    } else if (error == HuffmanDecoder::kTrouble) {
      Begin(true);
      ReadRows(count);
    } else {
      Throw();
    }
    ready_ = count;
  }
  const size_t stride = static_cast<size_t>(decoder_.output_width) * 3;
  return rows_.data() + at_++ * stride + (window_.x - left_) * 3;
}

}  // namespace dali_voc
