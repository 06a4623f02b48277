// A warp computes 16 of the 64 rows of its group. Lane l has rows l / 4 and l / 4 + 8 of them, and
// of each 8 columns l % 4 * 2 and the next (PTX ISA, "Register fragments for wgmma.mma_async").
#include "Warpgroup.h"

#include "Threads.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <vector>

namespace emulator {
namespace {

constexpr int kRows = 16, kDepth = 16, kWarpsOfGroup = 4, kMostColumns = 256;
constexpr uint32_t kInFlight = 0x7fc0f1f1; // in place of a sum: no number

struct Settings {
  int32_t columns, first, second, third;
};
struct Product {
  Settings settings;
  uint64_t left, right; // descriptors
};
struct Warp {
  std::vector<Product> started;
  std::deque<std::vector<Product>> groups;
  std::vector<float> sums; // of lane 0, then of lane 1, ...
  bool isFenced = false;

  bool isBusy() const { return !started.empty() || !groups.empty(); }
};
std::vector<Warp> warps;
const char *memory = nullptr; // shared
const char *fault = nullptr;

Warp &warpOf(const Lane *lanes) { return warps[lanes[0].thread / kWarp]; }

const float *sumsOf(const Lane &lane) {
  return reinterpret_cast<const float *>(static_cast<const char *>(lane.arguments) +
                                         sizeof(Settings));
}

bool isInFlight(float sum) {
  uint32_t bits;
  std::memcpy(&bits, &sum, sizeof bits);
  return bits == kInFlight;
}

// The number of an operand at (outer, k): "Matrix descriptor format" and "Shared memory matrix
// layout", with the 128-byte swizzle.
float element(uint64_t descriptor, bool isAlongOuter, int outer, int k, bool isBF16) {
  constexpr uint64_t kField = 0x3fff, kUnit = 16, kSpace = 1 << 18, kSwizzle128 = 1;
  uint64_t start = (descriptor & kField) * kUnit, leading = (descriptor >> 16 & kField) * kUnit,
           stride = (descriptor >> 32 & kField) * kUnit;
  if (descriptor >> 62 != kSwizzle128)
    fault = "a matrix descriptor has another swizzle than that of 128 bytes";
  uint64_t address =
      isAlongOuter ? start + outer / 64 * leading + k / 8 * stride + k % 8 * 128 + outer % 64 * 2
                   : start + outer / 8 * stride + outer % 8 * 128 + k * 2;
  address ^= (address >> 7 & 7) << 4;
  // Descriptors know the last 18 bits of an address.
  uint64_t offset = (address - reinterpret_cast<uintptr_t>(memory)) % kSpace;
  if (offset + 2 > kMostShared) {
    fault = "a matrix descriptor points beyond shared memory";
    return 0;
  }
  if (!isPublished(memory + offset))
    fault = "products read a copy that no fence.proxy.async has made visible";
  uint16_t bits;
  std::memcpy(&bits, memory + offset, sizeof bits);
  return isBF16 ? fromBF16(bits) : fromF16(bits);
}

void compute(const Product &product, int warp, std::vector<float> &sums) {
  auto [columns, isBF16, leftAlongRows, rightAlongColumns] = product.settings;
  static float left[kRows][kDepth], right[kDepth][kMostColumns];
  for (int k = 0; k < kDepth; ++k) {
    for (int row = 0; row < kRows; ++row)
      left[row][k] =
          element(product.left, leftAlongRows, warp % kWarpsOfGroup * kRows + row, k, isBF16);
    for (int column = 0; column < columns; ++column)
      right[k][column] = element(product.right, rightAlongColumns, column, k, isBF16);
  }
  // In an order in which this machine computes several at once; that of each sum is the same.
  static float all[kRows][kMostColumns];
  auto ofLanes = [&, count = columns](auto exchange) {
    for (int lane = 0; lane < kWarp; ++lane)
      for (int i = 0; i < count / 2; ++i)
        exchange(sums[lane * count / 2 + i],
                 all[lane / 4 + i / 2 % 2 * 8][lane % 4 * 2 + i / 4 * 8 + i % 2]);
  };
  ofLanes([](float &sum, float &place) { place = sum; });
  for (int row = 0; row < kRows; ++row)
    for (int k = 0; k < kDepth; ++k)
      for (int column = 0; column < columns; ++column)
        all[row][column] += left[row][k] * right[k][column];
  ofLanes([](float &sum, float &place) { sum = place; });
}

void wait(Warp &warp, int64_t pending) {
  for (; int64_t(warp.groups.size()) > pending; warp.groups.pop_front())
    for (const Product &product : warp.groups.front())
      compute(product, int(&warp - warps.data()), warp.sums);
}

} // namespace

void startWarpgroups(int threads, const char *shared) {
  warps.assign((threads + kWarp - 1) / kWarp, {});
  memory = shared;
  fault = nullptr;
}

void fenceSums(const Lane *lanes) { warpOf(lanes).isFenced = true; }

void startProducts(const Lane *lanes) {
  Warp &warp = warpOf(lanes);
  Product product;
  std::memcpy(&product.settings, lanes[0].arguments, sizeof product.settings);
  int count = product.settings.columns / 2;
  std::memcpy(&product.left, sumsOf(lanes[0]) + count, 2 * sizeof(uint64_t));
  if (!warp.isFenced)
    fault = "products begin without wgmma.fence";
  bool continues = warp.isBusy();
  warp.sums.resize(size_t(kWarp) * count);
  for (int lane = 0; lane < kWarp; ++lane) {
    const float *sums = sumsOf(lanes[lane]);
    if (std::memcmp(sums + count, &product.left, 2 * sizeof(uint64_t)) != 0)
      fault = "the threads of a warp have other matrix descriptors";
    for (int i = 0; i < count; ++i) {
      if (isInFlight(sums[i]) != continues)
        fault = "sums change while products are on their way";
      if (!continues)
        warp.sums[lane * count + i] = sums[i];
    }
    std::fill_n(static_cast<uint32_t *>(lanes[lane].result), count, kInFlight);
  }
  warp.started.push_back(product);
}

void endProducts(const Lane *lanes) {
  Warp &warp = warpOf(lanes);
  warp.groups.push_back(std::move(warp.started));
  warp.started.clear();
  warp.isFenced = false;
}

void waitForProducts(const Lane *lanes) {
  int64_t pending;
  std::memcpy(&pending, lanes[0].arguments, sizeof pending);
  wait(warpOf(lanes), pending);
}

void waitForSums(const Lane *lanes) {
  Settings settings;
  std::memcpy(&settings, lanes[0].arguments, sizeof settings);
  Warp &warp = warpOf(lanes);
  wait(warp, settings.first);
  int count = settings.columns / 2;
  for (int lane = 0; lane < kWarp; ++lane)
    for (int i = 0; i < count; ++i) {
      float sum = sumsOf(lanes[lane])[i];
      if (isInFlight(sum) && !warp.isBusy())
        sum = warp.sums[lane * count + i];
      static_cast<float *>(lanes[lane].result)[i] = sum;
    }
}

const char *faultOfWarpgroups() { return fault; }

} // namespace emulator
