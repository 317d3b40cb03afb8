// Decodes the Huffman-coded coefficients of baseline JPEG in place of libjpeg-turbo, which spends
// most of its time on them. Here a value is looked up together with its code, and bits are refilled
// without branches, from a copy of the data that holds no stuffed bytes. Of a restart interval only
// what comes before its last MCU that is wanted is decoded, so that a file with such intervals can
// be entered near a window.
#pragma once

#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>

#include "jpeg_scan_data.h"

// after what it needs and does not include
#include <jpeglib.h>

// The beginning of what libjpeg keeps in `jpeg_decompress_struct::entropy`, the same in all
// versions so far: the functions for a pass and for an MCU. Its own declaration is in a header that
// libjpeg-turbo 3 does not install.
struct jpeg_entropy_decoder {
  void (*start_pass)(j_decompress_ptr decoder);
  boolean (*decode_mcu)(j_decompress_ptr decoder, JBLOCKROW* blocks);
};

namespace dali_voc {

// A Huffman table of a file as a table over the next kBits bits of the data.
class HuffmanTable {
 public:
  static constexpr int kBits = 11;
  // One symbol and its value.
  struct Single {
    enum Kind : uint8_t {  // others are smaller: the number of zeros before the value
      kEnd = 16,           // of the block
      kCode = 17,          // the value is not within kBits: `value` is the symbol of the code
      kLong = 18,          // not even the code is
    };
    int16_t value;
    uint8_t length;  // bits of the code, and of the value where it is there
    uint8_t kind;
  };
  // Two coefficients where both lie within kBits, else one, the second being 0. In one word, so
  // that it is loaded once, and the length ready to shift by.
  class Pair {
   public:
    static constexpr int kOneAndEnd = 128;  // for `next`: the block ends after the first
    static constexpr int kEnd = 129;        // it ends here
    static constexpr int kNone = 130;       // not even one lies within kBits

    Pair() = default;
    Pair(int length, int first, int second, int next, int first_value, int second_value)
        : word_(static_cast<uint64_t>(length | first << 8 | second << 16) |
                static_cast<uint64_t>(next) << 24 |
                static_cast<uint64_t>(static_cast<uint16_t>(first_value)) << 32 |
                static_cast<uint64_t>(static_cast<uint16_t>(second_value)) << 48) {}

    uint8_t length() const { return static_cast<uint8_t>(word_); }  // bits in all
    // Places of the two, from the present one, and the place after them.
    int first() const { return word_ >> 8 & 255; }
    int second() const { return word_ >> 16 & 255; }
    int next() const { return word_ >> 24 & 255; }
    int16_t first_value() const { return static_cast<int16_t>(word_ >> 32); }
    int16_t second_value() const { return static_cast<int16_t>(word_ >> 48); }

   private:
    uint64_t word_ = 0;
  };

  // `table` is one that libjpeg has checked.
  void Build(const JHUFF_TBL& table, bool is_dc);
  const Single& FindOne(uint64_t bits) const { return singles_[bits >> (64 - kBits)]; }
  Pair FindTwo(uint64_t bits) const { return pairs_[bits >> (64 - kBits)]; }
  // Of a code longer than kBits: its length, 0 if it is none, and its symbol.
  int FindLong(uint64_t bits, int* symbol) const;

 private:
  void BuildPairs();

  Single singles_[1 << kBits];
  Pair pairs_[1 << kBits];
  int32_t largest_[17];  // code of each length, -1 if none
  int32_t offset_[17];   // from code to place of the symbol
  JHUFF_TBL source_{};   // what it was built from
  bool built_ = false, is_dc_ = false;
};

// Keeps its tables between pictures, as most files have the same. One per decoder.
class HuffmanDecoder {
 public:
  // Takes over from libjpeg, between jpeg_start_decompress and the first row, where the file is of
  // the kind that it knows. Columns of MCUs from `first` to `last` are those that libjpeg
  // transforms; it forgets the others (see jpeg_crop_scanline). `client_data` of the decoder
  // becomes `this`. Damage is left to libjpeg, which knows how to go on: it ends in a jump to
  // `trouble` with kTrouble, and the picture has to be started anew without taking over.
  void TakeOver(j_decompress_ptr decoder, JDIMENSION first, JDIMENSION last, jmp_buf* trouble);

  static constexpr int kTrouble = 2;

 private:
  struct Block {
    const HuffmanTable* dc;
    const HuffmanTable* ac;
    int component;
  };

  static boolean DecodeMcu(j_decompress_ptr decoder, JBLOCKROW* blocks);
  // Of all MCUs in turn; `blocks` is null where nobody wants them. Returns false at damage.
  bool TakeMcu(JBLOCKROW* blocks);
  template <bool kStore>
  bool DecodeBlocks(JBLOCKROW* blocks);
  void BeginInterval();
  void Open();

  HuffmanTable dc_[NUM_HUFF_TBLS], ac_[NUM_HUFF_TBLS];
  Block blocks_[D_MAX_BLOCKS_IN_MCU];
  int num_blocks_ = 0;
  JDIMENSION column_ = 0;  // of the next MCU
  JDIMENSION first_wanted_ = 0, last_wanted_ = 0;
  // MCUs of the present restart interval that are still to come, and those before the next that
  // nobody wanted: they are decoded when one is wanted that follows them in the interval.
  int64_t left_ = 0, passed_over_ = 0;
  int64_t interval_ = 0;  // MCUs in an interval
  JpegScanData data_;
  int32_t last_dc_[MAX_COMPS_IN_SCAN] = {};
  const uint8_t* next_ = nullptr;  // byte of data_ that has not begun to go into bits_
  uint64_t bits_ = 0;              // from the top
  unsigned count_ = 0;             // of them that are valid
  jmp_buf* trouble_ = nullptr;
};

}  // namespace dali_voc
