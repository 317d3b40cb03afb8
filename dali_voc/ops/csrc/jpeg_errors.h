// libjpeg's error manager, without its output.
#pragma once

// clang-format off: jpeglib.h needs cstdio before it
#include <cstdio>
#include <jpeglib.h>
// clang-format on

namespace dali_voc {

// Fills in `errors` so that warnings and traces pass in silence; `error_exit` is left to the
// caller. In place of jpeg_std_error, which prints to stderr. Its access to stderr is also the one
// thing that keeps Debian's static libjpeg, compiled for programs, out of a shared library.
jpeg_error_mgr* QuietJpegErrors(jpeg_error_mgr* errors);

}  // namespace dali_voc
