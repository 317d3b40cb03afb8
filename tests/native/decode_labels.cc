// Decodes label files given on standard input, one path a line, as VOC's by index, whole or cropped
// at a place derived from the file, and prints for each either what was refused or the values.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "label_decoder.h"
#include "label_error.h"

int main() {
  std::vector<int> values, classes;
  for (int i = 0; i < 256; i++) {
    values.push_back(i);
    classes.push_back(i);
  }
  // colours: unknown ones become 7; palette files and gray files give their stored values
  auto map = std::make_shared<dali_voc::LabelMap>(
      std::vector<int>{0x000000, 0x800000}, std::vector<int>{0, 1}, values, classes, 7, false, 255);
  map->class_weights.assign(256, 1.0f);
  dali_voc::LabelDecoder decoder({map});
  std::string path;
  while (std::getline(std::cin, path)) {
    std::ifstream file(path, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(file)), {});
    // exactly as large as the file, so that the sanitizer sees a read past its end
    std::unique_ptr<uint8_t[]> bytes(new uint8_t[text.size()]);
    std::copy(text.begin(), text.end(), bytes.get());
    const int64_t side = 96;
    std::vector<uint8_t> out(side * side);
    try {
      for (float place : {0.99f, 0.5f, 0.0f}) {
        std::vector<float> places(20, place);
        for (double scale : {1.0, 0.3, 1.9}) {
          dali_voc::CropRequest crop{40, 30, place > 0.6f, place < 0.4f,
                                     -1, -1, scale,        1.3 * scale};
          crop.positions = places.data();
          crop.num_positions = scale < 1.0 ? 10 : 1;
          crop.max_ratio = 0.75;
          crop.centre_on_class = scale > 1.0;
          crop.class_number = crop.pixel_number = place;
          decoder.Decode<uint8_t>(bytes.get(), text.size(), crop, out.data());
        }
      }
      const float corner[2] = {0, 0};
      dali_voc::CropRequest crop{side, side, false, false, -1, -1};
      crop.positions = corner;
      crop.num_positions = 1;
      auto window = decoder.Decode<uint8_t>(bytes.get(), text.size(), crop, out.data()).window;
      printf("ok %lld %lld ", static_cast<long long>(window.y.size),
             static_cast<long long>(window.x.size));
      for (uint8_t value : out) printf("%02x", value);
      printf("\n");
    } catch (const dali_voc::LabelError& e) {
      printf("refused %s\n", e.what());
    }
  }
  return 0;
}
