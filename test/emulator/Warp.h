// What the threads of a warp do together: each brings its operands, and each gets a result.
#pragma once

#include <cstdint>

namespace emulator {

constexpr int kWarp = 32;

// Memory of a thread: what an intrinsic returns, and its arguments, one behind the other.
struct Lane {
  void *result;
  const void *arguments;
  int thread; // of the block
};

using WarpOperation = void (*)(const Lane *lanes);

float fromBF16(uint16_t bits);
float fromF16(uint16_t bits);
// No number if it is not rounded: what tensor cores make of such bits is not said.
float fromTF32(uint32_t bits);
// To nearest, halves away from zero (cvt.rna.tf32.f32).
uint32_t toTF32(float number);

// bar.warp.sync: all of them have come so far.
void waitForAll(const Lane *lanes);
// shfl.sync.bfly and .idx of 32 bits.
void exchangeWords(const Lane *lanes);
void readWords(const Lane *lanes);
// ldmatrix of 2 and 4 matrices of 8 x 8 numbers of 16 bits: each 8 lanes point to the rows of one.
void loadTwoMatrices(const Lane *lanes);
void loadFourMatrices(const Lane *lanes);
// The same, transposed.
void loadTwoTransposed(const Lane *lanes);
void loadFourTransposed(const Lane *lanes);
// mma.sync.m16n8k16, of bf16 or f16, with sums in f32.
void multiplyBF16(const Lane *lanes);
void multiplyF16(const Lane *lanes);
// mma.sync.m16n8k8 of tf32.
void multiplyTF32(const Lane *lanes);

} // namespace emulator
