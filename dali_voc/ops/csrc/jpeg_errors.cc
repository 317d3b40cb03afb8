#include "jpeg_errors.h"

#include <jerror.h>

#include <cstring>

namespace dali_voc {
namespace {

// jerror.h writes its messages out where it is included again. Two are of the library's own version
// and are never shown.
#define JCOPYRIGHT_SHORT ""
#define JVERSION ""
#define JMESSAGE(code, text) text,
const char* const kMessages[] = {
#include <jerror.h>
    nullptr};

void Ignore(j_common_ptr, int) {}
void IgnoreText(j_common_ptr) {}
void Reset(j_common_ptr decoder) {
  decoder->err->num_warnings = 0;
  decoder->err->msg_code = 0;
}

void Format(j_common_ptr decoder, char* text) {
  const jpeg_error_mgr& errors = *decoder->err;
  const int code = errors.msg_code;
  const bool known = code > 0 && code <= errors.last_jpeg_message;
  const char* message = kMessages[known ? code : 0];
  if (!known) {
    snprintf(text, JMSG_LENGTH_MAX, message, code);
  } else if (strstr(message, "%s")) {
    snprintf(text, JMSG_LENGTH_MAX, message, errors.msg_parm.s);
  } else {
    const int* i = errors.msg_parm.i;
    snprintf(text, JMSG_LENGTH_MAX, message, i[0], i[1], i[2], i[3], i[4], i[5], i[6], i[7]);
  }
}

}  // namespace

jpeg_error_mgr* QuietJpegErrors(jpeg_error_mgr* errors) {
  errors->emit_message = Ignore;
  errors->output_message = IgnoreText;
  errors->format_message = Format;
  errors->reset_error_mgr = Reset;
  errors->jpeg_message_table = kMessages;
  errors->last_jpeg_message = static_cast<int>(sizeof kMessages / sizeof *kMessages) - 2;
  return errors;
}

jpeg_error_mgr* JumpAtJpegErrors(JpegJump* errors) {
  QuietJpegErrors(errors);
  errors->error_exit = [](j_common_ptr common) {
    longjmp(static_cast<JpegJump*>(common->err)->jump, 1);
  };
  return errors;
}

}  // namespace dali_voc
