// Rewrites JPEG files, without loss, so that they can be entered near a window.
#pragma once

#include <cstddef>
#include <cstdint>

namespace dali_voc {

// Writes the same coefficients and metadata as sequential JPEG with a restart marker after every
// `interval` MCUs, into memory that the caller has to free. Returns null where the file is better
// left as it is: it has as many already, is not JPEG of one or three channels of 8 bits, is
// damaged, has more behind the picture, or is larger than anyone means.
uint8_t* AddJpegRestarts(const uint8_t* file, size_t size, unsigned interval, size_t* new_size);

}  // namespace dali_voc
