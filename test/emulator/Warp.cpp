// Lane l has of the left matrix rows l / 4 and l / 4 + 8, of the right one column l / 4; of both k
// = l % 4 * 2 and the next, and 8 further, or of tf32 k = l % 4, and 4 further; of the sums rows as
// of the left matrix, columns l % 4 * 2 and the next (PTX ISA, "Matrix fragments for mma.m16n8k16",
// "for mma.m16n8k8").
#include "Warp.h"

#include <cmath>
#include <cstdint>
#include <cstring>

namespace emulator {
namespace {

// Numbers of 32 bits: pairs of neighbours along k, or one of f32.
template <class Number> struct Fragment {
  static constexpr int together = 4 / sizeof(Number);
  Number left[4 * together], right[2 * together];
  float sums[4];
};

template <class Number, float convert(Number)> void multiply(const Lane *lanes) {
  constexpr int together = Fragment<Number>::together, depth = 8 * together;
  float left[16][depth], right[depth][8], sums[16][8];
  for (int lane = 0; lane < kWarp; ++lane) {
    Fragment<Number> fragment;
    std::memcpy(&fragment, lanes[lane].arguments, sizeof fragment);
    int line = lane / 4, first = lane % 4 * together;
    auto depthOf = [&](int i, int half) { return first + i % together + half * depth / 2; };
    for (int i = 0; i < 4 * together; ++i) {
      int word = i / together;
      left[line + word % 2 * 8][depthOf(i, word / 2)] = convert(fragment.left[i]);
    }
    for (int i = 0; i < 2 * together; ++i)
      right[depthOf(i, i / together)][line] = convert(fragment.right[i]);
    for (int i = 0; i < 4; ++i)
      sums[line + i / 2 * 8][lane % 4 * 2 + i % 2] = fragment.sums[i];
  }
  for (auto &row : sums)
    for (int column = 0; column < 8; ++column)
      for (int k = 0; k < depth; ++k)
        row[column] += left[&row - sums][k] * right[k][column];
  for (int lane = 0; lane < kWarp; ++lane)
    for (int i = 0; i < 4; ++i)
      static_cast<float *>(lanes[lane].result)[i] =
          sums[lane / 4 + i / 2 * 8][lane % 4 * 2 + i % 2];
}

template <int count, bool transposed> void loadMatrices(const Lane *lanes) {
  uint16_t matrices[count][8][8];
  for (int line = 0; line < count * 8; ++line) {
    const char *from;
    std::memcpy(&from, lanes[line].arguments, sizeof from);
    std::memcpy(matrices[line / 8][line % 8], from, sizeof matrices[0][0]);
  }
  for (int lane = 0; lane < kWarp; ++lane)
    for (int matrix = 0; matrix < count; ++matrix)
      for (int i = 0; i < 2; ++i) {
        int line = lane / 4, place = lane % 4 * 2 + i;
        static_cast<uint16_t *>(lanes[lane].result)[matrix * 2 + i] =
            transposed ? matrices[matrix][place][line] : matrices[matrix][line][place];
      }
}

// Bits of an f32 that tf32 does not have.
constexpr uint32_t kBeyondTF32 = 0x1fff;

// A word of each lane, and that of which lane it gets.
struct Exchange {
  int32_t threads;
  uint32_t own;
  int32_t other, clamp;
};

template <class Source> void exchange(const Lane *lanes, Source &&source) {
  Exchange all[kWarp];
  for (int lane = 0; lane < kWarp; ++lane)
    std::memcpy(&all[lane], lanes[lane].arguments, sizeof all[lane]);
  for (int lane = 0; lane < kWarp; ++lane)
    *static_cast<uint32_t *>(lanes[lane].result) = all[source(lane, all[lane].other)].own;
}

} // namespace

void exchangeWords(const Lane *lanes) {
  exchange(lanes, [](int lane, int32_t bits) { return lane ^ bits; });
}
void readWords(const Lane *lanes) {
  exchange(lanes, [](int, int32_t other) { return other % kWarp; });
}
void waitForAll(const Lane *) {}

float fromBF16(uint16_t bits) {
  uint32_t wide = uint32_t(bits) << 16;
  float number;
  std::memcpy(&number, &wide, sizeof number);
  return number;
}

float fromF16(uint16_t bits) {
  int exponent = bits >> 10 & 31, fraction = bits & 1023;
  float size = exponent == 0    ? std::ldexp(float(fraction), -24)
               : exponent == 31 ? (fraction ? NAN : INFINITY)
                                : std::ldexp(float(1024 + fraction), exponent - 25);
  return bits & 0x8000 ? -size : size;
}

float fromTF32(uint32_t bits) {
  float number;
  std::memcpy(&number, &bits, sizeof number);
  return bits & kBeyondTF32 ? NAN : number;
}

uint32_t toTF32(float number) {
  uint32_t bits;
  std::memcpy(&bits, &number, sizeof bits);
  if (std::isnan(number))
    return 0x7fffffff;
  return std::isinf(number) ? bits : (bits + (kBeyondTF32 + 1) / 2) & ~kBeyondTF32;
}

void loadTwoMatrices(const Lane *lanes) { loadMatrices<2, false>(lanes); }
void loadFourMatrices(const Lane *lanes) { loadMatrices<4, false>(lanes); }
void loadTwoTransposed(const Lane *lanes) { loadMatrices<2, true>(lanes); }
void loadFourTransposed(const Lane *lanes) { loadMatrices<4, true>(lanes); }
void multiplyBF16(const Lane *lanes) { multiply<uint16_t, fromBF16>(lanes); }
void multiplyF16(const Lane *lanes) { multiply<uint16_t, fromF16>(lanes); }
void multiplyTF32(const Lane *lanes) { multiply<uint32_t, fromTF32>(lanes); }

} // namespace emulator
