// Rewrites JPEG files, without loss, so that they can be entered near a window.
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "c_interface.h"
#include "jpeg_errors.h"
#include "picture_size.h"

namespace dali_voc {
namespace {

constexpr int kMarkers = 16;  // APP0 to APP15
constexpr unsigned kWhole = 0xffff;

// As `jpegtran` does it. libjpeg reports errors by a function that must not return; it leaves by
// longjmp, over frames of libjpeg alone.
class Rewriter {
 public:
  Rewriter() {
    decoder_.err = encoder_.err = JumpAtJpegErrors(&errors_);
    errors_.emit_message = [](j_common_ptr common, int level) {
      if (level < 0) static_cast<Errors*>(common->err)->damaged = true;
    };
  }
  ~Rewriter() {
    jpeg_destroy_compress(&encoder_);
    jpeg_destroy_decompress(&decoder_);
    free(written_);
  }
  Rewriter(const Rewriter&) = delete;
  Rewriter& operator=(const Rewriter&) = delete;

  bool Run(const uint8_t* file, size_t size, unsigned interval) {
    if (setjmp(errors_.jump)) {
      // so that `written_` is where libjpeg has been writing
      if (encoder_.dest) encoder_.dest->term_destination(&encoder_);
      return false;
    }
    jpeg_create_decompress(&decoder_);
    jpeg_create_compress(&encoder_);
    jpeg_mem_src(&decoder_, file, size);
    jpeg_save_markers(&decoder_, JPEG_COM, kWhole);
    for (int i = 0; i < kMarkers; i++) jpeg_save_markers(&decoder_, JPEG_APP0 + i, kWhole);
    jpeg_read_header(&decoder_, TRUE);
    if (!IsMeant()) return false;
    const int markers = CountMarkers();
    jvirt_barray_ptr* coefficients = jpeg_read_coefficients(&decoder_);
    // what stood behind the data would be written before it, where it may say what colours are
    if (!IsComplete() || CountMarkers() != markers) return false;
    const bool enough = !decoder_.progressive_mode && !decoder_.arith_code &&
                        decoder_.restart_interval > 0 && decoder_.restart_interval <= interval;
    if (enough || !AreInRange(coefficients)) return false;
    jpeg_copy_critical_parameters(&decoder_, &encoder_);
    encoder_.restart_interval = interval;
    // decoders keep the tables that most files have
    encoder_.optimize_coding = !HasUsualTables();
    jpeg_mem_dest(&encoder_, &written_, &written_size_);
    jpeg_write_coefficients(&encoder_, coefficients);
    CopyMarkers();
    jpeg_finish_compress(&encoder_);
    jpeg_finish_decompress(&decoder_);
    const bool is_all = decoder_.src->bytes_in_buffer == 0;  // else another picture may follow
    return is_all && !errors_.damaged;
  }
  // Gives away what was written, to be freed.
  uint8_t* Release(size_t* size) {
    *size = written_size_;
    return std::exchange(written_, nullptr);
  }

 private:
  struct Errors : JpegJump {
    bool damaged;
  };

  bool IsMeant() const {
    const J_COLOR_SPACE space = decoder_.jpeg_color_space;
    return decoder_.data_precision == 8 &&
           (space == JCS_GRAYSCALE || space == JCS_YCbCr || space == JCS_RGB) &&
           // coefficients of all blocks are in memory at once, up to six bytes per pixel
           !IsTooLarge(decoder_.image_height, decoder_.image_width);
  }

  // Whether all can be written again: damage may have added up to more (T.81, F.1.2.1).
  bool AreInRange(jvirt_barray_ptr* coefficients) {
    auto* const common = reinterpret_cast<j_common_ptr>(&decoder_);
    for (int c = 0; c < decoder_.num_components; c++) {
      const jpeg_component_info& component = decoder_.comp_info[c];
      for (JDIMENSION y = 0; y < component.height_in_blocks; y++) {
        const JBLOCKROW row =
            decoder_.mem->access_virt_barray(common, coefficients[c], y, 1, FALSE)[0];
        for (JDIMENSION x = 0; x < component.width_in_blocks; x++) {
          if (row[x][0] < -1024 || row[x][0] > 1023) return false;
          for (int k = 1; k < DCTSIZE2; k++)
            if (row[x][k] < -1023 || row[x][k] > 1023) return false;
        }
      }
    }
    return true;
  }

  // Whether all of the picture is there: of components that no scan names nothing is known, and
  // where a progressive file ends early, decoders make up for it, which they do not for sequential
  // files.
  bool IsComplete() const {
    for (int c = 0; c < decoder_.num_components; c++) {
      if (!decoder_.comp_info[c].quant_table) return false;
      for (int k = 0; decoder_.coef_bits && k < DCTSIZE2; k++)
        if (decoder_.coef_bits[c][k] != 0) return false;
    }
    return true;
  }

  bool HasUsualTables() const {
    if (decoder_.progressive_mode || decoder_.arith_code) return false;
    auto same = [](const JHUFF_TBL* a, const JHUFF_TBL* b) {
      return a && b && !memcmp(a->bits + 1, b->bits + 1, sizeof(a->bits) - 1) &&
             !memcmp(a->huffval, b->huffval, sizeof(a->huffval));
    };
    for (int c = 0; c < decoder_.num_components; c++) {
      const jpeg_component_info &from = decoder_.comp_info[c], &to = encoder_.comp_info[c];
      const bool usual =
          same(decoder_.dc_huff_tbl_ptrs[from.dc_tbl_no],
               encoder_.dc_huff_tbl_ptrs[to.dc_tbl_no]) &&
          same(decoder_.ac_huff_tbl_ptrs[from.ac_tbl_no], encoder_.ac_huff_tbl_ptrs[to.ac_tbl_no]);
      if (!usual) return false;
    }
    return true;
  }

  int CountMarkers() const {
    int count = 0;
    for (auto* marker = decoder_.marker_list; marker; marker = marker->next) count++;
    return count;
  }

  // Those that libjpeg does not write by itself: Exif, colour profiles, comments.
  void CopyMarkers() {
    auto begins = [](const jpeg_marker_struct& marker, const char* name, size_t n) {
      return marker.data_length >= n && !memcmp(marker.data, name, n);
    };
    for (auto* marker = decoder_.marker_list; marker; marker = marker->next) {
      const bool jfif =
          encoder_.write_JFIF_header && marker->marker == JPEG_APP0 && begins(*marker, "JFIF", 5);
      const bool adobe = encoder_.write_Adobe_marker && marker->marker == JPEG_APP0 + 14 &&
                         begins(*marker, "Adobe", 5);
      if (!jfif && !adobe)
        jpeg_write_marker(&encoder_, marker->marker, marker->data, marker->data_length);
    }
  }

  jpeg_decompress_struct decoder_{};
  jpeg_compress_struct encoder_{};
  Errors errors_{};
  unsigned char* written_ = nullptr;
  unsigned long written_size_ = 0;  // NOLINT: libjpeg's type
};

}  // namespace
}  // namespace dali_voc

// Writes the same coefficients and metadata as sequential JPEG with a restart marker after every
// `interval` MCUs, into memory for `dali_voc_free`. Returns null where the file is better left as
// it is: it has as many already, is not JPEG of one or three channels of 8 bits, is damaged or not
// complete, has more behind the picture's data, or is larger than anyone means.
DALI_VOC_EXPORT uint8_t* dali_voc_add_jpeg_restarts(const uint8_t* file, size_t size,
                                                    unsigned interval, size_t* new_size) {
  dali_voc::Rewriter rewriter;
  return rewriter.Run(file, size, interval) ? rewriter.Release(new_size) : nullptr;
}

DALI_VOC_EXPORT void dali_voc_free(void* memory) { free(memory); }
