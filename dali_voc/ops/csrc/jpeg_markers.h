// Looks for damage in a JPEG file that libjpeg meets only when it is done, and DALI then forgets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace dali_voc {

// Returns the first marker in the entropy-coded data that no decoder knows there, or 0. Marker
// codes: ITU-T T.81, table B.1. Files that are not JPEG, and damage elsewhere, are left to the
// decoder.
inline int FindForeignMarker(const uint8_t* file, size_t size) {
  auto belongs = [](uint8_t code) {
    bool restart = code >= 0xd0 && code <= 0xd7;
    bool table_or_text = code == 0xc4 || (code >= 0xda && code <= 0xdd) || code >= 0xe0;
    return code == 0x00 || code == 0x01 || code == 0xff || restart || table_or_text;
  };
  if (size < 4 || file[0] != 0xff || file[1] != 0xd8) return 0;
  size_t pos = 2;
  while (pos + 4 <= size && file[pos] == 0xff) {
    uint8_t code = file[pos + 1];
    if (code == 0xff) {
      pos++;
      continue;
    }
    if (code == 0xd9) return 0;
    size_t length = static_cast<size_t>(file[pos + 2]) << 8 | file[pos + 3];
    pos += 2 + length;
    if (code != 0xda) continue;
    // the data of a scan, up to the next marker that ends it
    while (pos + 1 < size) {
      auto* next = static_cast<const uint8_t*>(memchr(file + pos, 0xff, size - pos - 1));
      if (!next) return 0;
      pos = next - file;
      uint8_t inside = file[pos + 1];
      if (inside == 0xd9) return 0;
      if (!belongs(inside)) return inside;
      if (inside == 0xc4 || inside >= 0xda) {
        if (inside != 0xff) break;
        pos++;  // a fill byte
      } else {
        pos += 2;
      }
    }
  }
  return 0;
}

}  // namespace dali_voc
