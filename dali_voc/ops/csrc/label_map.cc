#include "label_map.h"

#include <algorithm>
#include <stdexcept>

namespace dali_voc {

LabelMap::LabelMap(const std::vector<int>& colors, const std::vector<int>& color_classes,
                   const std::vector<int>& values, const std::vector<int>& value_classes,
                   int unknown, bool palette_by_color, int ignore)
    : colors(colors, color_classes, unknown),
      values(65536, static_cast<uint16_t>(unknown)),
      unknown(unknown),
      palette_by_color(palette_by_color && !colors.empty()),
      ignore(ignore),
      num_classes(ignore + 1) {
  if (values.size() != value_classes.size())
    throw std::invalid_argument("there must be one class for each value");
  for (size_t i = 0; i < values.size(); i++) {
    if (values[i] < 0 || values[i] > 65535)
      throw std::invalid_argument("a label value is 0..65535");
    if (value_classes[i] < 0 || value_classes[i] >= kUnknown)
      throw std::invalid_argument("a class is 0..65534");
    this->values[values[i]] = static_cast<uint16_t>(value_classes[i]);
  }
  for (auto* given : {&color_classes, &value_classes})
    for (int value : *given) num_classes = std::max(num_classes, value + 1);
  if (unknown < kUnknown) num_classes = std::max(num_classes, unknown + 1);
}

std::array<uint16_t, 256> LabelMap::ClassesOfValues(const PngChunks& chunks) const {
  std::array<uint16_t, 256> classes;
  if (chunks.header.color != PngColor::kPalette || !palette_by_color) {
    std::copy_n(values.begin(), 256, classes.begin());
    return classes;
  }
  // Indices past the palette's end have no colour; programs leave out that of void.
  for (int i = 0; i < 256; i++)
    classes[i] = values[i] == ignore ? values[i] : static_cast<uint16_t>(colors.view().unknown);
  for (int i = 0; i < chunks.palette_size; i++)
    classes[i] = IsAmbiguous(chunks, i) ? kUnknown : colors.view().Find(chunks.palette[i]);
  return classes;
}

bool LabelMap::IsAmbiguous(const PngChunks& chunks, int index) const {
  if (!colors_guessed || index >= chunks.palette_size) return false;
  const auto none = static_cast<uint16_t>(unknown);
  const uint16_t by_color = colors.view().Find(chunks.palette[index]), by_value = values[index];
  return by_color != by_value && by_color != none && by_value != none;
}

std::vector<uint32_t> LabelMap::KnownValues() const {
  std::vector<uint32_t> known;
  for (uint32_t value = 0; value < values.size(); value++)
    if (values[value] != kUnknown) known.push_back(value);
  return known;
}

}  // namespace dali_voc
