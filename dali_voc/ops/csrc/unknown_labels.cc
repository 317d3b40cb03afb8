// What a label file holds that its map does not know.
#include "label_decoder.h"
#include "label_error.h"
#include "unknown_counts.h"

namespace dali_voc {

// Looks at every pixel of the picture, so that whether a file is refused does not depend on the
// crop.
bool LabelDecoder::HasUnknown() {
  const PngHeader& header = chunks_.header;
  int bytes = PixelBytes();
  if (is_runs_) {
    for (int value = 0; value < 256; value++)
      if (runs_.values()[value] && index_map_[value] == kUnknown) return true;
    return false;
  }
  if (bytes == 2) {
    if (map_->unknown != kUnknown) return false;
    for (int64_t y = 0; y < header.height; y++) {
      const uint8_t* row = Row(y, 0, header.width);
      for (int64_t x = 0; x < header.width; x++)
        if (WideValue(row + 2 * x) == kUnknown) return true;
    }
    return false;
  }
  if (bytes > 1) {
    if (colors_.unknown != kUnknown) return false;
    RunLookup lookup(colors_);
    for (int64_t y = 0; y < header.height; y++) {
      const uint8_t* row = Row(y, 0, header.width);
      for (int64_t x = 0; x < header.width; x++)
        if (lookup(row + x * bytes) == kUnknown) return true;
    }
    return false;
  }
  // Known values are usually 0..k and 255: a comparison that the compiler turns into vector code
  // clears most rows; others are looked up value by value.
  unsigned first = 0;
  while (first < 256 && index_map_[first] != kUnknown) first++;
  if (first == 256) return false;
  const bool last_known = index_map_[255] != kUnknown;
  for (int64_t y = 0; y < header.height; y++) {
    const uint8_t* row = Row(y, 0, header.width);
    uint8_t suspect = 0;
    for (int64_t x = 0; x < header.width; x++)
      suspect |= (row[x] >= first) & !((row[x] == 255) & last_known);
    if (!suspect) continue;
    for (int64_t x = 0; x < header.width; x++)
      if (index_map_[row[x]] == kUnknown) return true;
  }
  return false;
}

// Counts over the whole picture, so that the message does not depend on the crop.
void LabelDecoder::FailUnknown() {
  const PngHeader& header = chunks_.header;
  const int bytes = PixelBytes();
  bool by_value = bytes <= 2;
  UnknownCounts counts;
  for (int64_t y = 0; y < header.height; y++) {
    const uint8_t* row = Row(y, 0, header.width);
    for (int64_t x = 0; x < header.width; x++) {
      const uint8_t* p = row + x * bytes;
      if (bytes == 1 && index_map_[*p] == kUnknown) counts.Add(*p);
      if (bytes == 2 && WideValue(p) == kUnknown) counts.Add(p[0] << 8 | p[1]);
      if (bytes > 2 && colors_.Find(PackRgb(p)) == kUnknown) counts.Add(PackRgb(p));
    }
  }
  const bool is_palette = header.color == PngColor::kPalette;
  auto name = [&](uint32_t key) -> std::string {
    if (!by_value) return "colour " + ColorName(key);
    std::string number = std::to_string(key);
    if (!is_palette) return "value " + number;
    if (!map_->palette_by_color) return "palette index " + number;
    if (static_cast<int>(key) >= chunks_.palette_size)
      return "palette index " + number + ", which has no colour,";
    const std::string color = "colour " + ColorName(chunks_.palette[key]);
    if (map_->IsAmbiguous(chunks_, static_cast<int>(key)))
      return color + ", which is that of class " +
             std::to_string(map_->colors.view().Find(chunks_.palette[key])) +
             ", with palette index " + number;
    return color + ", palette index " + number + ",";
  };
  auto known = [&](uint32_t key) -> std::string {
    if (!by_value) return NameColors((own_colors_ ? *own_colors_ : map_->colors).Colors(), key);
    if (is_palette && map_->palette_by_color) {
      if (map_->IsAmbiguous(chunks_, static_cast<int>(key)))
        return "an index and a colour of one class";
      if (static_cast<int>(key) >= chunks_.palette_size)
        return "an index below " + std::to_string(chunks_.palette_size);
      return NameColors(map_->colors.Colors(), chunks_.palette[key]);
    }
    return NameValues(map_->KnownValues());
  };
  throw LabelError(counts.Describe(name, known));
}

}  // namespace dali_voc
