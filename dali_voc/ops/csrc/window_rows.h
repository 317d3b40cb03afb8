// What the decoders of windows have in common: rows of RGB, one after the other.
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>

namespace dali_voc {

// Its text is a clause that completes "<file>: ...".
class ImageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct WindowBounds {
  int64_t y, x, height, width;  // in pixels of the picture

  int64_t area() const { return height * width; }
  // The smallest that holds both.
  WindowBounds With(const WindowBounds& other) const {
    const int64_t top = std::min(y, other.y), left = std::min(x, other.x);
    return {top, left, std::max(y + height, other.y + other.height) - top,
            std::max(x + width, other.x + other.width) - left};
  }

  // Throws ImageError unless it has pixels, and a picture of this size holds them all.
  void CheckInside(int64_t picture_height, int64_t picture_width) const {
    const bool inside = y >= 0 && x >= 0 && height > 0 && width > 0 &&
                        y + height <= picture_height && x + width <= picture_width;
    if (!inside) throw ImageError("the window lies outside the picture");
  }
};

class WindowRows {
 public:
  // The next row of the window, 3 bytes per pixel; valid until the next call. Throws ImageError.
  virtual const uint8_t* NextRow() = 0;
  // As many rows that nobody wants; others follow. Throws ImageError.
  virtual void SkipRows(int64_t n) {
    while (n-- > 0) NextRow();
  }

 protected:
  ~WindowRows() = default;
};

}  // namespace dali_voc
