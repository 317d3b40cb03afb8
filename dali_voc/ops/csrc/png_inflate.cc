#include "png_inflate.h"

#include <new>

#include "label_error.h"

namespace dali_voc {
namespace {

// libdeflate does not say how far it came when the room is too small. It writes front to back, a
// symbol at a time: a literal, a match of at most 258 bytes, or a stored block of at most 65,535.
// It gives up at the first symbol that does not fit whole, so all but the last 65,534 bytes of the
// room have their final values then.
constexpr int64_t kLongestSymbol = 65535;

constexpr const char* kTooShort = "damaged PNG: its data is too short for its width and height";
constexpr const char* kBroken = "damaged PNG: its data does not decompress";

}  // namespace

PngInflater::PngInflater() : inflater_(libdeflate_alloc_decompressor()) {
  if (!inflater_) throw std::bad_alloc();
}

uint8_t* PngInflater::Room(int64_t size) {
  if (static_cast<int64_t>(raw_.size()) < size) raw_.resize(size);
  return raw_.data();
}

uint8_t* PngInflater::Whole(const PngChunks& chunks, int64_t size) {
  uint8_t* raw = Room(size + kReach);
  // With no place to put a smaller size, libdeflate demands exactly this many bytes; it checks the
  // stream's Adler-32 itself.
  auto result = libdeflate_zlib_decompress(inflater_.get(), chunks.data, chunks.data_size, raw,
                                           size, nullptr);
  if (result == LIBDEFLATE_SHORT_OUTPUT) throw LabelError(kTooShort);
  if (result == LIBDEFLATE_INSUFFICIENT_SPACE)
    throw LabelError("damaged PNG: its data is too long for its width and height");
  if (result != LIBDEFLATE_SUCCESS) throw LabelError(kBroken);
  return raw;
}

uint8_t* PngInflater::Prefix(const PngChunks& chunks, int64_t size) {
  const int64_t room = size + kLongestSymbol;
  uint8_t* raw = Room(room + kReach);
  if (chunks.data_size < 2 || !IsZlibHeader(chunks.data)) throw LabelError(kBroken);
  size_t written = 0;
  auto result = libdeflate_deflate_decompress(inflater_.get(), chunks.data + 2,
                                              chunks.data_size - 2, raw, room, &written);
  if (result == LIBDEFLATE_INSUFFICIENT_SPACE) return raw;
  if (result != LIBDEFLATE_SUCCESS) throw LabelError(kBroken);
  if (static_cast<int64_t>(written) < size) throw LabelError(kTooShort);
  return raw;
}

}  // namespace dali_voc
