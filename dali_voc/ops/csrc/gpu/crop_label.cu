// Maps of class indices to crops, a whole batch at once: scale, mirror, pad, turn, map and cast.
//
// A byte is read and an element stored per pixel. A thread takes neighbouring pixels of one row and
// stores them by a vector; where the picture is neither scaled nor turned, it reads them as words,
// too. The table lies in shared memory, where 32 lookups of a warp take about as long as one.
#include "gpu/batch_chunks.h"
#include "gpu/crop_label.h"
#include "gpu/load_words.h"
#include "gpu/store_groups.h"
#include "gpu/vectors.h"

namespace dali_voc {

// As axis.Source, by 32 bits where they are enough: GPUs divide 64 in many steps.
inline int64_t SourcePixel(const Scaling& axis, int64_t pixel) {
  const uint64_t product = static_cast<uint64_t>(2 * pixel + 1) * axis.source;
  if (product >> 32) return axis.Source(pixel);
  return static_cast<uint32_t>(product) / static_cast<uint32_t>(2 * axis.scaled);
}

class LabelCropper {
 public:
  LabelCropper(const LabelPicture& picture, const uint16_t* table, bool maps, int32_t ignore)
      : picture_(picture), table_(table), maps_(maps), ignore_(ignore) {}

  // Pixel (row, column) of the crop.
  int32_t Pixel(int row, int column) const {
    if (!picture_.rotation.Turns()) return Unturned(row, column);
    const TurnedRow turned(picture_.rotation, picture_.crop_y, picture_.crop_x, row);
    const double x = turned.X(column), y = turned.Y(column);
    const bool inside = x >= 0 && y >= 0 && x < static_cast<double>(picture_.crop_x) &&
                        y < static_cast<double>(picture_.crop_y);
    return inside ? Unturned(static_cast<int>(y), static_cast<int>(x)) : ignore_;
  }

  // Bytes of n pixels of a row, from pixel (row, column) of the crop on, of a picture that is
  // neither scaled nor turned.
  template <int n>
  struct PlainBytes {
    uint32_t words[n / 4] = {};
    int inside = 0;  // how many of them the picture has: the first, or mirrored, the last
  };
  template <int n>
  PlainBytes<n> ReadPlain(int row, int column) const {
    PlainBytes<n> bytes;
    const int y = picture_.flip_y ? picture_.crop_y - 1 - row : row;
    const int first = picture_.flip_x ? picture_.crop_x - n - column : column;
    if (y >= picture_.window_y || first >= picture_.window_x) return bytes;
    const int left = picture_.window_x - first;
    bytes.inside = left < n ? left : n;
    const uint64_t begin = reinterpret_cast<uint64_t>(picture_.values);
    const int64_t width = picture_.width;
    LoadWords(begin + (picture_.start_y + y) * width + picture_.start_x + first,
              Readable{begin, begin + picture_.height * width}, bytes.words);
    return bytes;
  }
  // And their classes.
  template <typename Out, int n>
  void PlainGroup(const PlainBytes<n>& bytes, Vector<Out, n>* group) const {
    constexpr int kWords = n / 4;
    uint32_t words[kWords];
#pragma unroll
    for (int i = 0; i < kWords; i++)
      words[i] =
          picture_.flip_x ? PickBytes(bytes.words[kWords - 1 - i], 0, 0x0123) : bytes.words[i];
    if (bytes.inside == n) {
      if (sizeof(Out) == 1 && !maps_) {
#pragma unroll
        for (int k = 0; k < n; k++) group->value[k] = static_cast<Out>(ByteOf(words, k));
        return;
      }
#pragma unroll
      for (int k = 0; k < n; k++) group->value[k] = static_cast<Out>(Class(ByteOf(words, k)));
      return;
    }
#pragma unroll
    for (int k = 0; k < n; k++) {
      const int from = picture_.flip_x ? n - 1 - k : k;
      group->value[k] = static_cast<Out>(from < bytes.inside ? Class(ByteOf(words, k)) : ignore_);
    }
  }

 private:
  int32_t Class(int value) const { return maps_ ? table_[value] : value; }

  int32_t Unturned(int y, int x) const {
    y = picture_.flip_y ? picture_.crop_y - 1 - y : y;
    x = picture_.flip_x ? picture_.crop_x - 1 - x : x;
    if (y >= picture_.window_y || x >= picture_.window_x) return ignore_;
    const int64_t row = SourcePixel({picture_.height, picture_.scaled_y}, picture_.start_y + y);
    const int64_t column = SourcePixel({picture_.width, picture_.scaled_x}, picture_.start_x + x);
    return Class(__ldg(picture_.values + row * picture_.width + column));
  }

  const LabelPicture& picture_;
  // never null, or the compiler would no longer know that it lies in shared memory
  const uint16_t* table_;
  bool maps_;  // else classes are the values
  int32_t ignore_;
};

// Where a thread's groups of n pixels are; kRounds of them, kLabelThreads apart.
template <int n>
struct Places {
  uint32_t groups, items;  // of a row, of the crop

  explicit Places(const LabelPicture& picture)
      : groups(picture.crop_x / n), items(picture.crop_y * groups) {}
  int Row(uint32_t item) const { return static_cast<int>(item / groups); }
  int Column(uint32_t item) const { return static_cast<int>(item % groups) * n; }
};

template <typename Out, int n>
inline void WriteLabels(const LabelPicture& picture, const LabelCropper& cropper, uint32_t item) {
  const Places<n> places(picture);
#pragma unroll 1
  for (int k = 0; k < kLabelRounds<Out>; k++, item += kLabelThreads) {
    if (!kStoresTogether<Out, n> && item >= places.items) return;
    Vector<Out, n> group{};
    if (item < places.items) {
      const int row = places.Row(item), column = places.Column(item);
#pragma unroll
      for (int i = 0; i < n; i++) group.value[i] = static_cast<Out>(cropper.Pixel(row, column + i));
    }
    StoreGroup(group, item, places.items, picture.out);
  }
}

// The same of pictures that are neither scaled nor turned. All that is to be read comes first, so
// that it is under way together.
template <typename Out, int n>
inline void WritePlainLabels(const LabelPicture& picture, const LabelCropper& cropper,
                             uint32_t item) {
  const Places<n> places(picture);
  LabelCropper::PlainBytes<n> bytes[kLabelRounds<Out>];
#pragma unroll
  for (int k = 0; k < kLabelRounds<Out>; k++) {
    const uint32_t its = item + k * kLabelThreads;
    if (its < places.items) bytes[k] = cropper.ReadPlain<n>(places.Row(its), places.Column(its));
  }
#pragma unroll
  for (int k = 0; k < kLabelRounds<Out>; k++) {
    const uint32_t its = item + k * kLabelThreads;
    if (!kStoresTogether<Out, n> && its >= places.items) return;
    Vector<Out, n> group;
    cropper.PlainGroup(bytes[k], &group);  // of none, if it is behind the last
    StoreGroup(group, its, places.items, picture.out);
  }
}

template <typename Out>
inline void CropLabelBatch(const LabelBatch& batch) {
  __shared__ uint16_t table[kLabelValues];
  __shared__ LabelPicture picture;
  static_assert(kLabelThreads == kLabelValues);
  if (batch.table) table[threadIdx.x] = batch.table[threadIdx.x];
  const int32_t chunk = blockIdx.x;
  const int sample = SampleOfChunk(batch.first_chunk, batch.samples, chunk);
  // whatever is needed of it is asked for at once
  if (threadIdx.x < sizeof(LabelPicture) / 4)
    reinterpret_cast<uint32_t*>(&picture)[threadIdx.x] =
        reinterpret_cast<const uint32_t*>(batch.pictures + sample)[threadIdx.x];
  __syncthreads();
  const LabelCropper cropper(picture, table, batch.table != nullptr, batch.ignore);
  const uint32_t first = chunk - batch.first_chunk[sample];
  const uint32_t item = first * (kLabelThreads * kLabelRounds<Out>)+threadIdx.x;
  const int group = GroupOf<Out>(picture);
  if (group == 1)
    WriteLabels<Out, 1>(picture, cropper, item);
  else if (IsPlain(picture))
    WritePlainLabels<Out, kPlainGroup<Out>>(picture, cropper, item);
  else
    WriteLabels<Out, kLabelGroup>(picture, cropper, item);
}

}  // namespace dali_voc

#define LABEL_KERNEL(name, type)                                           \
  extern "C" __global__ void __launch_bounds__(dali_voc::kLabelThreads, 4) \
      name(dali_voc::LabelBatch batch) {                                   \
    dali_voc::CropLabelBatch<type>(batch);                                 \
  }

LABEL_KERNEL(crop_label_1, uint8_t)
LABEL_KERNEL(crop_label_4, int32_t)
LABEL_KERNEL(crop_label_8, int64_t)
