// libjpeg's error manager, without its output.
#pragma once

// clang-format off: jpeglib.h needs cstdio before it
#include <csetjmp>
#include <cstdio>
#include <jpeglib.h>
// clang-format on

namespace dali_voc {

// Fills in `errors` so that warnings and traces pass in silence; `error_exit` is left to the
// caller. In place of jpeg_std_error, which prints to stderr. Its access to stderr is also the one
// thing that keeps Debian's static libjpeg, compiled for programs, out of a shared library.
jpeg_error_mgr* QuietJpegErrors(jpeg_error_mgr* errors);

// Libjpeg reports errors by a function that must not return: it leaves by longjmp, with 1, over
// frames of libjpeg alone.
struct JpegJump : jpeg_error_mgr {
  jmp_buf jump;
};
jpeg_error_mgr* JumpAtJpegErrors(JpegJump* errors);

}  // namespace dali_voc
