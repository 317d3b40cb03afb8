// Prints each message of our error manager beside libjpeg's own, of all codes and some past them.
#include "jpeg_errors.h"

void Print(jpeg_error_mgr* errors, int code, char end) {
  jpeg_common_struct decoder{};
  decoder.err = errors;
  errors->msg_code = code;
  // numbers and text lie in the same place: these bytes are both
  for (char& letter : errors->msg_parm.s) letter = 'x';
  errors->msg_parm.s[JMSG_STR_PARM_MAX - 1] = 0;
  char text[JMSG_LENGTH_MAX];
  errors->format_message(&decoder, text);
  printf("%s%c", text, end);
}

int main() {
  jpeg_error_mgr theirs{}, ours{};
  jpeg_std_error(&theirs);
  dali_voc::QuietJpegErrors(&ours);
  for (int code = -1; code < theirs.last_jpeg_message + 3; code++) {
    Print(&theirs, code, '\t');
    Print(&ours, code, '\n');
  }
}
