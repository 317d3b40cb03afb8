// Weighted sums of rows of bytes.
#pragma once

#include <cstdint>

namespace dali_voc {

// sums[j] = weights[0] * row 0's byte j + weights[1] * row 1's + ..., from left to right; the rows
// lie `stride` bytes apart, the first at `rows`.
void SumRows(const uint8_t* rows, int64_t stride, const float* weights, int64_t num_rows, int64_t n,
             float* sums);

}  // namespace dali_voc
