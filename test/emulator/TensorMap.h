// Maps of tensors: what the driver makes of sizes and addresses, and the boxes that are copied by
// them.
#pragma once

#include "runtime/Cuda.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace emulator {

// Of a tensor of three axes, elements of two bytes. False if a driver would refuse it.
bool encode(gen::runtime::TensorMap &map, uint64_t address, const uint64_t *sizes,
            const uint64_t *strides, const uint32_t *box);

// A box of a tensor, copied to shared memory: lines of 128 bytes, of which the pieces of 16 are
// exchanged by the address (p becomes p ^ line % 8).
class Box {
public:
  Box(char *to, const void *map, std::array<int32_t, 3> first);
  bool isValid() const;
  int64_t bytes() const;
  void copy() const;

private:
  struct Map {
    uint64_t mark, address, sizes[3], strides[2];
    uint32_t box[2];
  };
  friend bool encode(gen::runtime::TensorMap &, uint64_t, const uint64_t *, const uint64_t *,
                     const uint32_t *);

  void copyPiece(int64_t line, int64_t piece) const;

  char *to;
  Map map;
  std::array<int32_t, 3> first;
};

} // namespace emulator
