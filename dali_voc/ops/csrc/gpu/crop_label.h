// Maps of class indices to crops on a GPU: what the kernel is given. Host compilers and NVRTC build
// it.
#pragma once

#include <cstdint>

#include "gpu/vectors.h"
#include "scaling.h"
#include "turned_row.h"

namespace dali_voc {

// One sample. In callers' hands, too: dali_voc/ops/_kernels has the same. Sizes are pixels.
struct LabelPicture {
  const uint8_t* values;  // the whole picture, one byte a pixel
  void* out;
  int32_t height, width;       // of the picture
  int32_t scaled_y, scaled_x;  // height and width that it is scaled to before it is cropped
  int32_t start_y, start_x;    // where in the scaled picture the window begins
  int32_t window_y, window_x;  // its height and width
  int32_t crop_y, crop_x;      // those of the crop; none smaller
  int32_t flip_x, flip_y;      // 0 or 1
  Rotation rotation;           // of the finished crop
};

constexpr int kLabelThreads = 256;
constexpr int kLabelValues = 256;  // what a byte can be

// What one launch does, a block per chunk. An item is a group of pixels, or one of them.
struct LabelBatch {
  const LabelPicture* pictures;
  const int32_t* first_chunk;  // samples + 1
  const uint16_t* table;       // the class of each value; null: the value itself
  int samples;
  int32_t ignore;  // what the crop holds outside the picture
};

// Pixels of a row that a thread stores at once: of pictures as they are, of scaled and turned ones.
template <typename Out>
constexpr int kPlainGroup = sizeof(Out) == 1 ? 16 : 4;
constexpr int kLabelGroup = 4;

// Items of each thread in a chunk.
template <typename Out>
constexpr int kLabelRounds = sizeof(Out) == 1 ? 2 : 4;

inline bool IsPlain(const LabelPicture& picture) {
  return picture.scaled_y == picture.height && picture.scaled_x == picture.width &&
         !picture.rotation.Turns();
}

// The same for this picture, or 1.
template <typename Out>
inline int GroupOf(const LabelPicture& picture) {
  const bool is_plain = IsPlain(picture);
  if (is_plain && FitsVectors<Out, kPlainGroup<Out>>(picture.out, picture.crop_x))
    return kPlainGroup<Out>;
  return !is_plain && FitsVectors<Out, kLabelGroup>(picture.out, picture.crop_x) ? kLabelGroup : 1;
}

}  // namespace dali_voc
