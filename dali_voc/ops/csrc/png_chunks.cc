#include "png_chunks.h"

#include <libdeflate.h>

#include <cstring>
#include <string>
#include <utility>

#include "label_error.h"
#include "picture_size.h"

namespace dali_voc {
namespace {

constexpr uint8_t kSignature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
// One deflate symbol of at least 2 bits gives at most 258 bytes, hence 1032 to one.
constexpr int64_t kMaxDeflateRatio = 1032;

uint32_t ReadBigEndian32(const uint8_t* p) {
  return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | uint32_t{p[3]};
}

std::string ForeignFormat(const uint8_t* file, size_t size) {
  auto starts = [&](const char* magic, size_t n) { return size >= n && !memcmp(file, magic, n); };
  if (size == 0) return "the file is empty";
  if (starts("\xff\xd8\xff", 3)) return "this is a JPEG file, labels must be PNG";
  if (starts("BM", 2)) return "this is a BMP file, labels must be PNG";
  if (starts("GIF8", 4)) return "this is a GIF file, labels must be PNG";
  if (starts("II*\0", 4) || starts("MM\0*", 4)) return "this is a TIFF file, labels must be PNG";
  return "this is not a PNG file (wrong signature)";
}

bool ValidDepth(PngColor color, int depth) {
  switch (color) {
    case PngColor::kGray:
      return depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
    case PngColor::kPalette:
      return depth == 1 || depth == 2 || depth == 4 || depth == 8;
    case PngColor::kRgb:
    case PngColor::kGrayAlpha:
    case PngColor::kRgba:
      return depth == 8 || depth == 16;
  }
  return false;
}

PngHeader ParseHeader(const uint8_t* p, uint32_t length) {
  if (length != 13) throw LabelError("damaged PNG: the header chunk has the wrong length");
  PngHeader header;
  header.width = ReadBigEndian32(p);
  header.height = ReadBigEndian32(p + 4);
  header.bit_depth = p[8];
  header.color = static_cast<PngColor>(p[9]);
  header.interlaced = p[12] == 1;
  if (header.width < 1 || header.height < 1) throw LabelError("damaged PNG: width or height is 0");
  if (IsTooLarge(header.height, header.width))
    throw LabelError("the PNG claims " + std::to_string(header.width) + "x" +
                     std::to_string(header.height) + " pixels, more than the allowed 2^27");
  if (!ValidDepth(header.color, header.bit_depth) || p[10] != 0 || p[11] != 0 || p[12] > 1)
    throw LabelError("damaged PNG: impossible colour type, bit depth or method in the header");
  return header;
}

void ParsePalette(const uint8_t* p, uint32_t length, PngChunks* chunks) {
  if (length == 0 || length % 3 != 0 || length > 768)
    throw LabelError("damaged PNG: the palette chunk has the wrong length");
  chunks->palette_size = static_cast<int>(length / 3);
  for (int i = 0; i < chunks->palette_size; i++)
    chunks->palette[i] = uint32_t{p[3 * i]} << 16 | uint32_t{p[3 * i + 1]} << 8 | p[3 * i + 2];
}

// The size of the inflated stream is known from the header; one that this many compressed bytes
// cannot give is refused before memory is asked for.
void CheckDataCanFill(const PngChunks& chunks) {
  int64_t raw = chunks.header.height * chunks.header.RowBytes();
  if (raw > static_cast<int64_t>(chunks.data_size + 1) * kMaxDeflateRatio)
    throw LabelError("truncated PNG: too little data for " + std::to_string(chunks.header.width) +
                     "x" + std::to_string(chunks.header.height) + " pixels");
}

// From consecutive chunks, which `data` and `data_size` tell of, to one piece.
void JoinData(PngChunks* chunks) {
  const uint8_t* body = chunks->data;
  const size_t first = ReadBigEndian32(body - 8);
  if (first == chunks->data_size) return;
  if (chunks->joined.size() < chunks->data_size) chunks->joined.resize(chunks->data_size);
  for (size_t done = 0; done < chunks->data_size;) {
    const size_t length = ReadBigEndian32(body - 8);
    memcpy(chunks->joined.data() + done, body, length);
    done += length;
    body += length + 12;
  }
  chunks->data = chunks->joined.data();
}

}  // namespace

int PngHeader::Channels() const {
  switch (color) {
    case PngColor::kRgb:
      return 3;
    case PngColor::kRgba:
      return 4;
    case PngColor::kGrayAlpha:
      return 2;
    default:
      return 1;
  }
}

void ParsePng(const uint8_t* file, size_t size, PngChunks* chunks) {
  std::vector<uint8_t> buffer = std::move(chunks->joined);
  *chunks = PngChunks{};
  chunks->joined = std::move(buffer);
  if (size < sizeof(kSignature) || memcmp(file, kSignature, sizeof(kSignature)) != 0)
    throw LabelError(ForeignFormat(file, size));
  enum { kBegin, kBeforeData, kData, kAfterData, kEnd } at = kBegin;
  size_t pos = sizeof(kSignature);
  while (at != kEnd) {
    if (size - pos < 12) throw LabelError("truncated PNG: the file ends before its IEND chunk");
    const uint8_t* type = file + pos + 4;
    const uint8_t* body = file + pos + 8;
    uint32_t length = ReadBigEndian32(file + pos);
    if (length > INT32_MAX) throw LabelError("damaged PNG: a chunk is longer than 2^31 - 1 bytes");
    if (length > size - pos - 12) throw LabelError("truncated PNG: the file ends inside a chunk");
    if (libdeflate_crc32(0, type, length + 4) != ReadBigEndian32(body + length))
      throw LabelError("damaged PNG: a chunk's checksum (CRC) is wrong");
    auto is = [type](const char* name) { return memcmp(type, name, 4) == 0; };
    if ((at == kBegin) != is("IHDR"))
      throw LabelError("damaged PNG: the header chunk is missing or repeated");
    if (at == kData && !is("IDAT")) at = kAfterData;
    if (is("IHDR")) {
      chunks->header = ParseHeader(body, length);
      at = kBeforeData;
    } else if (is("PLTE")) {
      if (at != kBeforeData || chunks->palette_size != 0)
        throw LabelError("damaged PNG: the palette is repeated or comes after the data");
      ParsePalette(body, length, chunks);
    } else if (is("IDAT")) {
      if (at == kAfterData) throw LabelError("damaged PNG: the data chunks are not consecutive");
      if (at == kBeforeData) chunks->data = body;
      chunks->data_size += length;
      at = kData;
    } else if (is("IEND")) {
      if (at != kAfterData) throw LabelError("damaged PNG: it has no data");
      at = kEnd;
    } else if (!(type[0] & 0x20)) {  // an upper-case first letter marks a critical chunk
      throw LabelError("damaged PNG: unknown critical chunk");
    }
    pos += 12 + length;
  }
  if (chunks->header.color == PngColor::kPalette && chunks->palette_size == 0)
    throw LabelError("damaged PNG: it has palette indices but no palette");
  CheckDataCanFill(*chunks);
  JoinData(chunks);
}

}  // namespace dali_voc
