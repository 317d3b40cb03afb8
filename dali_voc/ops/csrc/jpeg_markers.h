// Looks for damage in a JPEG file that DALI's decoder takes in silence, or meets only in some
// crops.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace dali_voc {

// Where the frame header begins in a file that is JPEG of the common kind: Huffman-coded,
// sequential or progressive, with 8 bits in one or three channels. 0 for others.
inline size_t FindCommonFrame(const uint8_t* file, size_t size) {
  if (size < 2 || file[0] != 0xff || file[1] != 0xd8) return 0;
  for (size_t pos = 2; pos + 10 <= size;) {
    if (file[pos] != 0xff) return 0;
    const uint8_t code = file[pos + 1];
    if (code == 0xff) {
      pos++;
      continue;
    }
    if (code >= 0xc0 && code <= 0xc2)
      return file[pos + 4] == 8 && (file[pos + 9] == 1 || file[pos + 9] == 3) ? pos : 0;
    // markers without a length, which decoders differ about
    if (code == 0x01 || (code >= 0xd0 && code <= 0xd9)) return 0;
    // another kind of frame, or data without one
    if ((code >= 0xc3 && code <= 0xcf && code != 0xc4 && code != 0xc8) || code == 0xda) return 0;
    pos += 2 + (static_cast<size_t>(file[pos + 2]) << 8 | file[pos + 3]);
  }
  return 0;
}
inline bool IsCommonJpeg(const uint8_t* file, size_t size) {
  return FindCommonFrame(file, size) != 0;
}

// Height and width that a frame header, from its marker on, tells of.
inline int64_t FrameHeight(const uint8_t* frame) { return frame[5] << 8 | frame[6]; }
inline int64_t FrameWidth(const uint8_t* frame) { return frame[7] << 8 | frame[8]; }

// Whether a JPEG file of the common kind has restart markers, as its header tells.
inline bool HasRestarts(const uint8_t* file, size_t size) {
  for (size_t pos = 2; pos + 6 <= size && file[pos] == 0xff;) {
    const uint8_t code = file[pos + 1];
    if (code == 0xff) {
      pos++;
      continue;
    }
    if (code == 0xda) return false;
    if (code == 0xdd) return file[pos + 4] != 0 || file[pos + 5] != 0;
    pos += 2 + (static_cast<size_t>(file[pos + 2]) << 8 | file[pos + 3]);
  }
  return false;
}

// How few bits the data of a Huffman-coded picture can have: one for the DC coefficient of each
// block of its largest component. `frame` is the segment of SOF0 to SOF2 from its marker on.
inline uint64_t FewestBits(const uint8_t* frame, size_t length) {
  if (length < 8 || length < 8 + size_t{3} * frame[9]) return 0;
  const uint64_t height = FrameHeight(frame), width = FrameWidth(frame);
  uint64_t most_h = 1, most_v = 1, bits = 0;
  for (int c = 0; c < frame[9]; c++) {
    const uint8_t sampling = frame[11 + 3 * c];
    most_h = std::max<uint64_t>(most_h, sampling >> 4);
    most_v = std::max<uint64_t>(most_v, sampling & 15);
  }
  auto blocks = [](uint64_t side, uint64_t factor, uint64_t most) {
    return ((side * factor + most - 1) / most + 7) / 8;
  };
  for (int c = 0; c < frame[9]; c++) {
    const uint8_t sampling = frame[11 + 3 * c];
    bits = std::max(bits,
                    blocks(height, sampling & 15, most_v) * blocks(width, sampling >> 4, most_h));
  }
  return bits;
}

// Walks the markers of a JPEG file (ITU-T T.81, annex B) and says what is wrong: a marker that no
// decoder knows in the entropy-coded data, no end-of-image marker, too few bytes for the size that
// it claims, or more scans than anyone means: each costs a decoder a pass over the picture, however
// few bytes it has. Empty where nothing is, and for files that are not JPEG. Other damage is left
// to the decoder.
inline std::string FindJpegDamage(const uint8_t* file, size_t size) {
  const std::string truncated = "truncated JPEG: the file ends before its end marker";
  if (size < 2 || file[0] != 0xff || file[1] != 0xd8) return "";
  bool sequential = false;  // baseline or extended: SOF0 or SOF1
  int components = 0, scans = 0;
  constexpr int kMostScans = 500;
  uint64_t fewest_bits = 0;
  auto ended = [&]() -> std::string {
    if (uint64_t{size} * 8 >= fewest_bits) return "";
    return "truncated JPEG: too little data for the size that its header claims";
  };
  size_t pos = 2;
  while (pos + 2 <= size) {
    if (file[pos] != 0xff) return "";  // the decoder says what it makes of that
    uint8_t code = file[pos + 1];
    if (code == 0xff) {
      pos++;
      continue;
    }
    if (code == 0xd9) return ended();
    if (pos + 4 > size) return truncated;
    size_t length = static_cast<size_t>(file[pos + 2]) << 8 | file[pos + 3];
    if (pos + 2 + length > size) return truncated;
    if ((code == 0xc0 || code == 0xc1) && length >= 8) {
      sequential = true;
      components = file[pos + 9];
    }
    if (code >= 0xc0 && code <= 0xc2) fewest_bits = FewestBits(file + pos, length);
    bool only_scan = sequential && length >= 3 && file[pos + 4] == components;
    pos += 2 + length;
    if (code != 0xda) continue;
    if (++scans > kMostScans)
      return "damaged JPEG: more than " + std::to_string(kMostScans) + " scans";
    // the data of a scan, up to the marker that ends it
    while (true) {
      if (pos + 2 > size) return truncated;
      auto* next = static_cast<const uint8_t*>(memchr(file + pos, 0xff, size - pos - 1));
      if (!next) return truncated;
      pos = next - file;
      uint8_t inside = file[pos + 1];
      if (inside == 0xd9) return ended();
      if (inside == 0xff) {
        pos++;  // a fill byte
      } else if (inside <= 0x01 || (inside >= 0xd0 && inside <= 0xd7)) {
        pos += 2;  // a stuffed 0xff or a restart
      } else if ((inside >= 0xe0 && inside <= 0xef) || inside == 0xfe) {
        break;  // application data or a comment
      } else if (!only_scan && (inside == 0xc4 || (inside >= 0xda && inside <= 0xdd))) {
        break;  // tables, or the next scan
      } else {
        return "damaged JPEG: marker " + std::to_string(inside) + " in the middle of the data";
      }
    }
  }
  return truncated;
}

}  // namespace dali_voc
