// Several windows of one picture, decoded in one pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "window_rows.h"

namespace dali_voc {

// Keeps its buffer between pictures. Not thread-safe: one per thread.
class SharedWindows {
 public:
  // Forgets what was decoded: another picture comes.
  void Begin() { state_ = State::kUntried; }
  // Whether nobody has asked for this picture yet.
  bool IsUntried() const { return state_ == State::kUntried; }
  // Puts windows in front that are to be decoded together, if that takes less time than one by one,
  // of a JPEG or PNG file; returns the part of the picture that they lie in, or one without pixels.
  WindowBounds Plan(const uint8_t* file, size_t size, std::vector<WindowBounds> windows);
  // Decodes them, from the rows of that part. Throws ImageError; none is there then.
  void Read(WindowRows* rows);
  // Window k, and how many bytes lie between the beginnings of its rows; null where they are not
  // there.
  struct View {
    const uint8_t* rgb;
    int64_t stride;
  };
  View Find(size_t k) const;

 private:
  enum class State { kUntried, kUseless, kDecoded } state_ = State::kUntried;
  std::vector<WindowBounds> windows_;
  WindowBounds part_{};
  bool keeps_part_ = false;      // as it is: windows that overlap would take more
  std::vector<size_t> offsets_;  // of the windows in rgb_
  std::vector<uint8_t> rgb_;
};

}  // namespace dali_voc
