#include "TensorMap.h"

#include <algorithm>
#include <cstring>

namespace emulator {
namespace {

constexpr uint64_t kMark = 0x70616d726f736e65;
constexpr int64_t kBytes = 2, kLine = 128, kPiece = 16; // of an element, and of what is exchanged

} // namespace

bool encode(gen::runtime::TensorMap &map, uint64_t address, const uint64_t *sizes,
            const uint64_t *strides, const uint32_t *box) {
  constexpr uint64_t kMostSize = 1ULL << 32, kMostStride = 1ULL << 40;
  constexpr uint32_t kMostOfBox = 256;
  Box::Map made = {kMark, address, {}, {}, {}};
  std::copy_n(sizes, 3, made.sizes);
  std::copy_n(strides, 2, made.strides);
  std::copy_n(box, 2, made.box);
  bool fits = address % kPiece == 0 && box[0] * kBytes == kLine && box[2] == 1;
  for (uint64_t size : made.sizes)
    fits &= size > 0 && size <= kMostSize;
  for (uint64_t stride : made.strides)
    fits &= stride % kPiece == 0 && stride < kMostStride;
  for (uint32_t extent : made.box)
    fits &= extent > 0 && extent <= kMostOfBox;
  static_assert(sizeof made <= sizeof map);
  std::memcpy(&map, &made, sizeof made);
  return fits;
}

Box::Box(char *to, const void *encoded, std::array<int32_t, 3> first) : to(to), first(first) {
  std::memcpy(&map, encoded, sizeof map);
}

bool Box::isValid() const {
  return map.mark == kMark && reinterpret_cast<uintptr_t>(to) % kLine == 0;
}

int64_t Box::bytes() const { return map.box[1] * kLine; }

void Box::copy() const {
  for (int64_t line = 0; line < map.box[1]; ++line)
    for (int64_t piece = 0; piece < kLine / kPiece; ++piece)
      copyPiece(line, piece);
}

void Box::copyPiece(int64_t line, int64_t piece) const {
  uintptr_t place = reinterpret_cast<uintptr_t>(to) + uintptr_t(line * kLine + piece * kPiece);
  auto *at = reinterpret_cast<char *>(place ^ (place / kLine % 8 * kPiece));
  int64_t x = first[0] + piece * kPiece / kBytes, y = first[1] + line, z = first[2];
  int64_t bytes = std::clamp((int64_t(map.sizes[0]) - x) * kBytes, int64_t(0), kPiece);
  bool exists =
      x >= 0 && y >= 0 && z >= 0 && y < int64_t(map.sizes[1]) && z < int64_t(map.sizes[2]);
  std::memset(at, 0, kPiece);
  if (exists)
    std::memcpy(at,
                reinterpret_cast<const char *>(map.address) + z * int64_t(map.strides[1]) +
                    y * int64_t(map.strides[0]) + x * kBytes,
                size_t(bytes));
}

} // namespace emulator
