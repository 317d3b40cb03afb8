#include "label_decoder.h"

#include <algorithm>
#include <stdexcept>
#include <type_traits>

#include "label_error.h"
#include "stream_rows.h"
#include "stream_store.h"
#include "turned_label.h"

namespace dali_voc {
namespace {

std::string Size(int64_t width, int64_t height) {
  return std::to_string(width) + "x" + std::to_string(height);
}

// Pixel i of the row, as `value` gives it, goes to place i, or counted from the end.
template <typename T, typename Value>
void WriteRow(int64_t n, bool flip, T* out, Value value) {
  if (flip)
    for (int64_t i = 0; i < n; i++) out[n - 1 - i] = value(i);
  else
    for (int64_t i = 0; i < n; i++) out[i] = value(i);
}

}  // namespace

PngHeader ReadLabelHeader(const uint8_t* file, size_t size) {
  PngChunks chunks;
  if (IsLabelRuns(file, size)) {
    chunks.header.bit_depth = 8;
    chunks.header.color = PngColor::kGray;
    ReadRunsSize(file, size, &chunks.header.height, &chunks.header.width);
  } else {
    ParsePng(file, size, &chunks);
  }
  return chunks.header;
}

PngHeader KeptHeader(const SampleCache::Entry& kept) {
  PngHeader header;
  header.height = kept.height;
  header.width = kept.width;
  header.bit_depth = kept.size > int64_t{kept.height} * kept.width ? 16 : 8;
  header.color = PngColor::kGray;
  return header;
}

PngHeader BlankHeader(const CropRequest& crop) {
  PngHeader header;
  header.height = crop.image_height;
  header.width = crop.image_width;
  header.bit_depth = 8;
  header.color = PngColor::kGray;
  if (header.height < 1 || header.width < 1 || IsTooLarge(header.height, header.width))
    throw LabelError("the picture is " + Size(header.width, header.height) +
                     " (width x height), expected 1 to 2^27 pixels");
  return header;
}

ScaledAxes Resizing::Of(int64_t from_height, int64_t from_width) const {
  if (height > 0) return {{from_height, height}, {from_width, width}};
  const auto [least, most] = std::minmax({from_height, from_width});
  // by the smaller of shorter / least and longer / most
  int64_t from = 1, to = 1;
  if (shorter > 0 && (longer == 0 || shorter * most <= longer * least)) {
    from = least;
    to = shorter;
  } else if (longer > 0) {
    from = most;
    to = longer;
  }
  return {Scaling::To(from_height, from, to), Scaling::To(from_width, from, to)};
}

ScaledAxes CropRequest::Axes(const PngHeader& header) const {
  const ScaledAxes resized = resizing.Of(header.height, header.width);
  // within these bounds no size overflows and no picture vanishes
  auto check = [](const Scaling& axis, double scale) {
    const double factor =
        static_cast<double>(axis.scaled) / static_cast<double>(axis.source) * scale;
    if (!(factor >= 1e-2 && factor <= 1e2))
      throw LabelError("a side of the picture would be scaled by " + std::to_string(factor) +
                       ", expected factors of 0.01 to 100");
    return Scaling{axis.source, Scaling::By(axis.scaled, scale).scaled};
  };
  return {check(resized.y, scale_y), check(resized.x, scale_x)};
}

void CropRequest::SizeFor(const ScaledAxes& axes) {
  if (crop_height != 0) return;
  crop_height = axes.y.scaled;
  crop_width = axes.x.scaled;
  if (IsTooLarge(crop_height, crop_width))
    throw LabelError("scaled, the picture would have " + Size(crop_width, crop_height) +
                     " pixels, expected at most " + std::to_string(kMaxPixels));
}

int LabelDecoder::LargestClass(const std::vector<std::shared_ptr<const LabelMap>>& maps) {
  int largest = 0;
  for (const auto& map : maps) largest = std::max(largest, map->num_classes - 1);
  return largest;
}

void LabelDecoder::ChooseMap(const CropRequest& crop) {
  const int map = crop.map == kNoLabel ? 0 : crop.map;
  if (map < 0 || map >= static_cast<int>(maps_.size()))
    throw LabelError("there is no label map " + std::to_string(crop.map));
  map_ = maps_[map].get();
  is_mapped_ = false;
  colors_ = map_->colors.view();
  own_colors_.reset();
  if (!crop.has_segments) return;
  std::vector<int> colors, classes;
  for (int64_t i = 0; i < crop.num_segments; i++) {
    const int64_t color = crop.segments[2 * i], value = crop.segments[2 * i + 1];
    if (color < 0) continue;
    if (color > 0xffffff || value >= counts_.size())
      throw LabelError("its segments: " + std::to_string(color) + " is class " +
                       std::to_string(value) + ", expected 24 bits and a class below " +
                       std::to_string(counts_.size()));
    colors.push_back(static_cast<int>(color));
    classes.push_back(value < 0 ? map_->ignore : static_cast<int>(value));
  }
  try {
    own_colors_ = std::make_unique<ColorTable>(colors, classes, map_->unknown);
  } catch (const std::invalid_argument& e) {
    throw LabelError(std::string("its segments: ") + e.what());
  }
  colors_ = own_colors_->view();
}

void LabelDecoder::Open(const SampleCache::Entry& kept, const CropRequest& crop) {
  ChooseMap(crop);
  kept_ = kept.data;
  chunks_.header = KeptHeader(kept);
  CheckHeader(crop);
  for (int value = 0; value < 256; value++) index_map_[value] = static_cast<uint16_t>(value);
}

// Classes as bytes, or as two, the high one first, where there are more than 256.
void LabelDecoder::Keep(const CachePlace& place) {
  const PngHeader& header = chunks_.header;
  const int bytes = LargestClass(maps_) > 255 ? 2 : 1;
  row_.resize(header.width);  // nothing may fail once the place is taken
  uint8_t* to = place.Reserve(header.height * header.width * bytes);
  if (!to) return;
  for (int64_t y = 0; y < header.height; y++) {
    MapRow(y, {0, header.width}, row_.data());
    for (int64_t x = 0; x < header.width; x++) {
      if (bytes == 2) *to++ = static_cast<uint8_t>(row_[x] >> 8);
      *to++ = static_cast<uint8_t>(row_[x]);
    }
  }
  place.Publish(header.height, header.width);
}

void LabelDecoder::Open(const uint8_t* file, size_t size, const CropRequest& crop) {
  ChooseMap(crop);
  kept_ = nullptr;
  is_runs_ = IsLabelRuns(file, size);
  if (is_runs_) {
    runs_.Parse(file, size);
    chunks_.header = ReadLabelHeader(file, size);
  } else {
    ParsePng(file, size, &chunks_);
  }
  CheckHeader(crop);
  index_map_ = map_->ClassesOfValues(chunks_);
}

void LabelDecoder::OpenBlank(const CropRequest& crop) {
  BlankHeader(crop);  // checks the size
  blank_ = BlankRuns(crop.image_height, crop.image_width);
  Open(blank_.data(), blank_.size(), crop);
  index_map_.fill(static_cast<uint16_t>(map_->ignore));
}

void LabelDecoder::CheckHeader(const CropRequest& crop) const {
  const PngHeader& header = chunks_.header;
  if (header.bit_depth == 16 && header.color != PngColor::kGray)
    throw LabelError(
        "a label with 16 bits per channel is not supported, expected at most 8, or gray");
  if (header.color == PngColor::kGrayAlpha)
    throw LabelError("a gray label with alpha is not supported, expected gray, palette, RGB, RGBA");
  if (crop.image_height >= 0 &&
      (crop.image_height != header.height || crop.image_width != header.width))
    throw LabelError("the label is " + Size(header.width, header.height) + " (width x height), " +
                     "its image is " + Size(crop.image_width, crop.image_height) +
                     (crop.image_height == header.width && crop.image_width == header.height
                          ? "; sides are swapped: an orientation in Exif is not looked at"
                          : ""));
}

void LabelDecoder::MapRow(int64_t y, const Span& columns, uint16_t* out) {
  const uint8_t* row = Row(y, columns.start, columns.size);
  int bytes = PixelBytes();
  if (bytes == 1) {
    for (int64_t i = 0; i < columns.size; i++) out[i] = index_map_[row[i]];
  } else if (bytes == 2) {
    for (int64_t i = 0; i < columns.size; i++) out[i] = WideValue(row + 2 * i);
  } else {
    RunLookup lookup(colors_);
    for (int64_t i = 0; i < columns.size; i++) out[i] = lookup(row + i * bytes);
  }
}

void LabelDecoder::MapPicture() {
  const PngHeader& header = chunks_.header;
  classes_.resize(header.height * header.width);
  for (int64_t y = 0; y < header.height; y++)
    MapRow(y, {0, header.width}, classes_.data() + y * header.width);
  is_mapped_ = true;
}

Window LabelDecoder::ChooseWindow(const CropRequest& crop, const Scaling& y, const Scaling& x) {
  ClassPicture picture{classes_.data(), y, x};
  SourcePixel pixel{};
  if (crop.centre_on_class && DrawPixel(picture, map_->class_weights, map_->ignore,
                                        crop.class_number, crop.pixel_number, &counts_, &pixel)) {
    const int64_t row = y.Scaled(pixel.y), column = x.Scaled(pixel.x);
    if (crop.class_place)
      return {CropAround(y.scaled, crop.crop_height, row, crop.class_place[0]),
              CropAround(x.scaled, crop.crop_width, column, crop.class_place[1])};
    return {CentreCrop(y.scaled, crop.crop_height, row),
            CentreCrop(x.scaled, crop.crop_width, column)};
  }
  Window window{};
  for (int k = 0; k < crop.num_positions; k++) {
    window = {PlaceCrop(y.scaled, crop.crop_height, crop.positions[2 * k]),
              PlaceCrop(x.scaled, crop.crop_width, crop.positions[2 * k + 1])};
    if (crop.num_positions == 1 || IsMixed(picture, window, crop.max_ratio, map_->ignore, &counts_))
      break;
  }
  return window;
}

template <typename T>
CropResult LabelDecoder::Decode(const uint8_t* file, size_t size, const CropRequest& request,
                                T* out, const CachePlace& place, bool again) {
  SampleCache::Entry kept;
  const bool is_blank = request.map == kNoLabel;
  if (is_blank)
    OpenBlank(request);
  else if (!again && place.Find(&kept))
    Open(kept, request);
  else if (!again)
    Open(file, size, request);
  const PngHeader& header = chunks_.header;
  CropRequest crop = request;
  const auto [y, x] = crop.Axes(header);
  crop.SizeFor({y, x});
  bool looks = crop.centre_on_class || crop.num_positions > 1;
  if (!kept_ && (is_blank || !again)) {
    if (!is_runs_) pixels_.Decode(chunks_);
    if (HasUnknown()) FailUnknown();
    if (!is_blank) Keep(place);
  }
  if (looks && !is_mapped_) MapPicture();
  Window window = ChooseWindow(crop, y, x);
  // not before: what has no label has no class to choose by
  if (is_blank) index_map_.fill(static_cast<uint16_t>(map_->unlabeled));
  if (crop.rotation.Turns()) {
    unturned_.resize(crop.crop_height * crop.crop_width);
    WriteCrop(crop, window, y, x, unturned_.data());
    RotateLabel(unturned_.data(), crop.crop_height, crop.crop_width, crop.rotation,
                static_cast<T>(map_->ignore), out);
  } else {
    WriteCrop(crop, window, y, x, out);
  }
  return {SourceWindow::Of(y, window.y), SourceWindow::Of(x, window.x), window};
}

template <typename T>
void LabelDecoder::WriteCrop(const CropRequest& crop, const Window& window, const Scaling& y,
                             const Scaling& x, T* out) {
  // the source columns that the window shows, and each of its pixels' place among them
  Span columns{x.Source(window.x.start), 0};
  columns.size = x.Source(window.x.start + window.x.size - 1) + 1 - columns.start;
  const bool scaled = x.scaled != x.source;
  if (scaled) {
    columns_.resize(window.x.size);
    for (int64_t i = 0; i < window.x.size; i++)
      columns_[i] = x.Source(window.x.start + i) - columns.start;
  }
  row_.resize(columns.size);
  const bool is_plain = PixelBytes() == 1 && !scaled;
  T classes[256];  // of stored bytes, ready to be written
  bool is_identity = is_plain;
  for (int value = 0; value < 256; value++) {
    classes[value] = static_cast<T>(index_map_[value]);
    // of the picture's own values none is unknown
    is_identity &= index_map_[value] == value || index_map_[value] == kUnknown;
  }

  const T ignore = static_cast<T>(map_->ignore);
  const int64_t width = crop.crop_width;
  const int64_t padding = width - window.x.size;
  // the padding stays as it is
  auto& buffer = std::get<std::vector<T>>(lines_);
  buffer.assign(width, ignore);
  T* const line = buffer.data();
  int64_t last_source = -1;
  for (int64_t i = 0; i < crop.crop_height; i++) {
    if (i == window.y.size) std::fill_n(line, width, ignore);
    const int64_t source = i < window.y.size ? y.Source(window.y.start + i) : last_source;
    T* const to = out + (crop.flip_y ? crop.crop_height - 1 - i : i) * width;
    if constexpr (std::is_same_v<T, int64_t>) {
      if (is_identity && i < window.y.size &&
          StreamWidened(Row(source, columns.start, columns.size), columns.size, crop.flip_x,
                        crop.flip_x ? to + padding : to)) {
        std::fill_n(crop.flip_x ? to : to + columns.size, padding, ignore);
        continue;
      }
    }
    if (source != last_source) {
      T* const begin = crop.flip_x ? line + padding : line;
      if (is_plain) {
        const uint8_t* row = Row(source, columns.start, columns.size);
        // without a look into a table the compiler makes vector code of it
        if (is_identity)
          WriteRow(columns.size, crop.flip_x, begin, [=](int64_t j) { return T{row[j]}; });
        else
          WriteRow(columns.size, crop.flip_x, begin, [&](int64_t j) { return classes[row[j]]; });
      } else {
        MapRow(source, columns, row_.data());
        const uint16_t* row = row_.data();
        const int64_t* places = columns_.data();
        if (scaled)
          WriteRow(window.x.size, crop.flip_x, begin,
                   [=](int64_t j) { return static_cast<T>(row[places[j]]); });
        else
          WriteRow(window.x.size, crop.flip_x, begin,
                   [=](int64_t j) { return static_cast<T>(row[j]); });
      }
      last_source = source;
    }
    StreamCopy(line, width, to);
  }
  FinishStream();
}

template CropResult LabelDecoder::Decode(const uint8_t*, size_t, const CropRequest&, uint8_t*,
                                         const CachePlace&, bool);
template CropResult LabelDecoder::Decode(const uint8_t*, size_t, const CropRequest&, int32_t*,
                                         const CachePlace&, bool);
template CropResult LabelDecoder::Decode(const uint8_t*, size_t, const CropRequest&, int64_t*,
                                         const CachePlace&, bool);

}  // namespace dali_voc
