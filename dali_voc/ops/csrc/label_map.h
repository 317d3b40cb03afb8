// What the values in label files mean.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "color_table.h"
#include "png_chunks.h"

namespace dali_voc {

// Built once, then only read, by any number of threads.
struct LabelMap {
  LabelMap(const std::vector<int>& colors, const std::vector<int>& color_classes,
           const std::vector<int>& values, const std::vector<int>& value_classes, int unknown,
           bool palette_by_color, int ignore);

  // The class of each byte that a file of one channel can hold.
  std::array<uint16_t, 256> ClassesOfValues(const PngChunks& chunks) const;
  // Whether colour and value of a palette index are of two classes, where that counts.
  bool IsAmbiguous(const PngChunks& chunks, int index) const;

  // The gray values that have a class, ascending.
  std::vector<uint32_t> KnownValues() const;

  ColorTable colors;  // for RGB, RGBA and, by default, palette colours
  // Of all 65,536 gray values; those up to 255 for palette indices too, if so configured or if
  // there are no colours.
  std::vector<uint16_t> values;
  int unknown;  // class of what is not in the tables, or kUnknown
  bool palette_by_color;
  int ignore;
  int unlabeled;                     // class that is written where there is no label
  int num_classes;                   // one more than the largest value that is given
  std::vector<float> class_weights;  // for crops around a class
  // Nobody has said what the colours mean: a palette index whose colour and whose value are of two
  // classes counts as unknown.
  bool colors_guessed = false;
};

}  // namespace dali_voc
