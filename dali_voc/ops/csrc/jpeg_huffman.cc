#include "jpeg_huffman.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace dali_voc {
namespace {

using Pair = HuffmanTable::Pair;
using Single = HuffmanTable::Single;

// Place in a block of the k-th coefficient, ITU-T T.81, figure A.6; a run of zeros may lead 15
// places beyond the last.
constexpr uint8_t kZigzag[64 + 16] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33,
    40, 48, 41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36,
    29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63};

// A code and its value take at most 31 bits: so many may be read of an MCU that began inside the
// data, which is why zeros follow it.
constexpr size_t kPadding = D_MAX_BLOCKS_IN_MCU * 64 * 31 / 8 + 64;

// T.81, F.2.2.1: what `size` bits stand for.
inline int Extend(int bits, int size) {
  return bits < (1 << size >> 1) ? bits - (1 << size) + 1 : bits;
}

}  // namespace

void HuffmanTable::Build(const JHUFF_TBL& table, bool is_dc) {
  if (built_ && is_dc_ == is_dc && !memcmp(source_.bits, table.bits, sizeof(table.bits)) &&
      !memcmp(source_.huffval, table.huffval, sizeof(table.huffval)))
    return;
  source_ = table;
  is_dc_ = is_dc;
  built_ = true;
  std::fill(std::begin(singles_), std::end(singles_), Single{0, 0, Single::kLong});
  int32_t code = 0;
  int place = 0;
  for (int length = 1; length <= 16; length++) {
    offset_[length] = place - code;
    for (int i = 0; i < table.bits[length] && place < 256; i++, code++, place++) {
      if (length > kBits) continue;
      const int symbol = table.huffval[place];
      const int size = symbol & 15, run = is_dc ? 0 : symbol >> 4;
      Single* first = singles_ + (code << (kBits - length));
      const int rest = kBits - length - size;
      if (!is_dc && size == 0 && run != 15) {
        std::fill(first, first + (1 << (kBits - length)),
                  Single{0, static_cast<uint8_t>(length), Single::kEnd});
      } else if (rest < 0) {
        std::fill(
            first, first + (1 << (kBits - length)),
            Single{static_cast<int16_t>(symbol), static_cast<uint8_t>(length), Single::kCode});
      } else {
        for (int value = 0; value < 1 << size; value++, first += 1 << rest)
          std::fill(first, first + (1 << rest),
                    Single{static_cast<int16_t>(Extend(value, size)),
                           static_cast<uint8_t>(length + size), static_cast<uint8_t>(run)});
      }
    }
    largest_[length] = table.bits[length] ? code - 1 : -1;
    code <<= 1;
  }
  if (!is_dc) BuildPairs();
}

void HuffmanTable::BuildPairs() {
  for (int bits = 0; bits < 1 << kBits; bits++) {
    const Single& one = singles_[bits];
    if (one.kind >= Single::kEnd) {
      pairs_[bits] =
          Pair(one.length, 0, 0, one.kind == Single::kEnd ? Pair::kEnd : Pair::kNone, 0, 0);
      continue;
    }
    const Single& two = singles_[bits << one.length & ((1 << kBits) - 1)];
    const int length = one.length + two.length, place = one.kind + 1;
    if (two.kind > Single::kEnd || length > kBits)
      pairs_[bits] = Pair(one.length, one.kind, place, place, one.value, 0);
    else if (two.kind == Single::kEnd)
      pairs_[bits] = Pair(length, one.kind, place, Pair::kOneAndEnd, one.value, 0);
    else
      pairs_[bits] =
          Pair(length, one.kind, place + two.kind, place + two.kind + 1, one.value, two.value);
  }
}

int HuffmanTable::FindLong(uint64_t bits, int* symbol) const {
  for (int length = kBits + 1; length <= 16; length++) {
    const int32_t code = static_cast<int32_t>(bits >> (64 - length));
    if (code > largest_[length]) continue;
    *symbol = source_.huffval[(code + offset_[length]) & 255];
    return length;
  }
  return 0;
}

void HuffmanDecoder::TakeOver(j_decompress_ptr decoder, JDIMENSION first, JDIMENSION last,
                              jmp_buf* trouble) {
  // The parameters of a sequential scan are these; in lossless files they mean something else.
  const bool sequential = !decoder->progressive_mode && decoder->Ss == 0 &&
                          decoder->Se == DCTSIZE2 - 1 && decoder->data_precision == 8;
  if (!sequential || decoder->arith_code || jpeg_has_multiple_scans(decoder)) return;
  num_blocks_ = decoder->blocks_in_MCU;
  for (int i = 0; i < num_blocks_; i++) {
    const int component = decoder->MCU_membership[i];
    const jpeg_component_info& info = *decoder->cur_comp_info[component];
    HuffmanTable* dc = &dc_[info.dc_tbl_no];
    HuffmanTable* ac = &ac_[info.ac_tbl_no];
    dc->Build(*decoder->dc_huff_tbl_ptrs[info.dc_tbl_no], true);
    ac->Build(*decoder->ac_huff_tbl_ptrs[info.ac_tbl_no], false);
    blocks_[i] = {dc, ac, component};
  }
  data_.Start(decoder->src->next_input_byte, decoder->src->bytes_in_buffer, kPadding);
  interval_ =
      decoder->restart_interval ? decoder->restart_interval : std::numeric_limits<int64_t>::max();
  column_ = 0;
  first_wanted_ = first;
  last_wanted_ = last;
  BeginInterval();
  trouble_ = trouble;
  decoder->client_data = this;
  decoder->entropy->decode_mcu = DecodeMcu;
}

boolean HuffmanDecoder::DecodeMcu(j_decompress_ptr decoder, JBLOCKROW* blocks) {
  auto* self = static_cast<HuffmanDecoder*>(decoder->client_data);
  const bool inside = self->column_ >= self->first_wanted_ && self->column_ <= self->last_wanted_;
  self->column_ = self->column_ + 1 == decoder->MCUs_per_row ? 0 : self->column_ + 1;
  if (!self->TakeMcu(inside ? blocks : nullptr)) longjmp(*self->trouble_, kTrouble);
  return TRUE;
}

bool HuffmanDecoder::TakeMcu(JBLOCKROW* blocks) {
  if (left_ == 0) {
    if (!data_.GoToNext()) return false;
    BeginInterval();
  }
  left_--;
  if (!blocks) {
    passed_over_++;
    return true;
  }
  if (!data_.is_open()) Open();
  for (; passed_over_ > 0; passed_over_--)
    if (!DecodeBlocks<false>(nullptr)) return false;
  return DecodeBlocks<true>(blocks);
}

void HuffmanDecoder::BeginInterval() {
  left_ = interval_;
  passed_over_ = 0;
}

void HuffmanDecoder::Open() {
  data_.Open();
  next_ = data_.begin();
  bits_ = 0;
  count_ = 0;
  std::fill(std::begin(last_dc_), std::end(last_dc_), 0);
}

template <bool kStore>
bool HuffmanDecoder::DecodeBlocks(JBLOCKROW* blocks) {
  const uint8_t* next = next_;
  uint64_t bits = bits_;
  unsigned count = count_;
  // Makes `count` at least 56. Bits of a byte that is not yet counted are there twice, alike.
  auto refill = [&] {
    uint64_t more;
    memcpy(&more, next, sizeof(more));
    bits |= __builtin_bswap64(more) >> count;
    next += (63 - count) >> 3;
    count |= 56;
  };
  auto skip = [&](int n) {
    bits <<= n;
    count -= n;
  };
  // Of a code whose value is not in the table. Returns false at damage.
  auto read_value = [&](const HuffmanTable& table, const Single& entry, int* run, int* value) {
    int symbol = entry.value;
    int length = entry.length;
    if (entry.kind == Single::kLong) length = table.FindLong(bits, &symbol);
    const int size = symbol & 15;
    *run = symbol >> 4;
    skip(length);
    *value = size ? Extend(static_cast<int>(bits >> (64 - size)), size) : 0;
    skip(size);
    return length != 0;
  };

  for (int i = 0; i < num_blocks_; i++) {
    const Block& block = blocks_[i];
    JCOEF* out = kStore ? *blocks[i] : nullptr;
    refill();
    Single entry = block.dc->FindOne(bits);
    int difference = entry.value, run;
    if (entry.kind == 0)
      skip(entry.length);
    else if (!read_value(*block.dc, entry, &run, &difference))
      return false;
    int32_t* dc = &last_dc_[block.component];
    *dc += difference;
    if (kStore) out[0] = static_cast<JCOEF>(*dc);
    int k = 1;
    auto store = [&](Pair pair) {
      skip(pair.length());
      // the second before the first: where it is none, its 0 may be meant for a place too far
      if (kStore) out[kZigzag[k + pair.second()]] = pair.second_value();
      if (kStore) out[kZigzag[k + pair.first()]] = pair.first_value();
      k += pair.next();
    };
    while (k < 64) {
      Pair pair = block.ac->FindTwo(bits);
      refill();
      if (k + pair.next() < 64) {
        store(pair);
        pair = block.ac->FindTwo(bits);
        // two look-ups to a refill, and bits for the next are left
        if (k + pair.next() < 64) {
          store(pair);
          continue;
        }
      }
      if (pair.next() == Pair::kEnd) {
        skip(pair.length());
        break;
      }
      if (pair.next() == Pair::kOneAndEnd && k + pair.first() < 63) {
        if (kStore) out[kZigzag[k + pair.first()]] = pair.first_value();
        skip(pair.length());
        break;
      }
      // the last coefficient is near, or a symbol too long for the table
      refill();
      entry = block.ac->FindOne(bits);
      int value = entry.value;
      run = entry.kind;
      if (entry.kind <= Single::kEnd)
        skip(entry.length);
      else if (!read_value(*block.ac, entry, &run, &value))
        return false;
      else if (value == 0 && run != 15)
        break;  // a long code for the end of the block
      if (entry.kind == Single::kEnd) break;
      k += run;
      if (kStore) out[kZigzag[k]] = static_cast<JCOEF>(value);
      k++;
    }
    // libjpeg writes the last coefficient again and again, and goes on
    if (k > 64) return false;
  }
  next_ = next;
  bits_ = bits;
  count_ = count;
  for (const int32_t dc : last_dc_)
    if (dc > (1 << 16) || dc < -(1 << 16)) return false;
  // of what has been read, count / 8 bytes are still to come
  return next - count / 8 <= data_.end();
}

}  // namespace dali_voc
