// Lane l has of the left matrix rows l / 4 and l / 4 + 8, of the right one column l / 4; of both k
// = l % 4 * 2 and the next, and 8 further; of the sums rows as of the left matrix, columns l % 4 *
// 2 and the next (PTX ISA, "Matrix fragments for mma.m16n8k16").
#include "Warp.h"

#include <cmath>
#include <cstdint>
#include <cstring>

namespace emulator {
namespace {

struct Fragment {
  uint16_t left[8], right[4]; // pairs of neighbours along k
  float sums[4];
};

template <float convert(uint16_t)> void multiply(const Lane *lanes) {
  float left[16][16], right[16][8], sums[16][8];
  for (int lane = 0; lane < kWarp; ++lane) {
    Fragment fragment;
    std::memcpy(&fragment, lanes[lane].arguments, sizeof fragment);
    int line = lane / 4, pair = lane % 4 * 2;
    for (int i = 0; i < 8; ++i)
      left[line + i / 2 % 2 * 8][pair + i % 2 + i / 4 * 8] = convert(fragment.left[i]);
    for (int i = 0; i < 4; ++i) {
      right[pair + i % 2 + i / 2 * 8][line] = convert(fragment.right[i]);
      sums[line + i / 2 * 8][pair + i % 2] = fragment.sums[i];
    }
  }
  for (auto &row : sums)
    for (int column = 0; column < 8; ++column)
      for (int k = 0; k < 16; ++k)
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

void loadTwoMatrices(const Lane *lanes) { loadMatrices<2, false>(lanes); }
void loadFourMatrices(const Lane *lanes) { loadMatrices<4, false>(lanes); }
void loadTwoTransposed(const Lane *lanes) { loadMatrices<2, true>(lanes); }
void loadFourTransposed(const Lane *lanes) { loadMatrices<4, true>(lanes); }
void multiplyBF16(const Lane *lanes) { multiply<fromBF16>(lanes); }
void multiplyF16(const Lane *lanes) { multiply<fromF16>(lanes); }

} // namespace emulator
