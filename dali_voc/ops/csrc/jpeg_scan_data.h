// The Huffman-coded bytes of a JPEG scan, one restart interval after another, without the bytes
// that are stuffed in after 0xff (ITU-T T.81, B.1.1.5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dali_voc {

// Keeps its buffer between pictures.
class JpegScanData {
 public:
  // `data` is what follows the scan's header; it has to stay. The first interval is the present
  // one. Zeros, at least as many as `padding`, will follow each.
  void Start(const uint8_t* data, size_t size, size_t padding);

  // Copies the present interval, up to the next marker or the end of the file.
  void Open();
  bool is_open() const { return marker_ != nullptr; }
  const uint8_t* begin() const { return bytes_.data(); }
  const uint8_t* end() const { return bytes_end_; }

  // Makes the next interval the present one, whether this one was opened or not. Returns false
  // where the next marker is not the restart marker that is due.
  bool GoToNext();

 private:
  const uint8_t* data_ = nullptr;      // where the present interval begins
  const uint8_t* data_end_ = nullptr;  // of the file
  const uint8_t* marker_ = nullptr;    // that ends the interval, once it is open
  int next_restart_ = 0;               // 0 to 7
  size_t padding_ = 0;
  std::vector<uint8_t> bytes_;
  const uint8_t* bytes_end_ = nullptr;
};

}  // namespace dali_voc
