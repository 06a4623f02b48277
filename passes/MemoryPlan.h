//===- MemoryPlan.h - which memory lies where -------------------*- C++ -*-===//
//
// What ends in a variable is written there where the old value is not needed any more; an entry's
// result is written where the caller wants it. The rest share one arena.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_MEMORYPLAN_H
#define GEN_PASSES_MEMORYPLAN_H

#include "passes/MemoryUse.h"

namespace mlir::gen {

/// Memory that needs arena, from when to when.
struct ArenaInterval {
  Memory *memory;
  int64_t first, last, bytes;
  int64_t offset = -1;
  bool overlaps(const ArenaInterval &other) const {
    return first <= other.last && other.first <= last;
  }
};

class MemoryPlan {
public:
  explicit MemoryPlan(func::FuncOp function);

  /// True if all sizes in the arena are known.
  bool isStatic() const;
  /// By first use; bytes are 0 where the size is not known.
  ArrayRef<ArenaInterval> arena() const { return intervals; }
  /// Bytes alive by time: the largest is what no plan can undercut. Static sizes only.
  SmallVector<int64_t> aliveBytes() const;

  /// Lays out the arena, each value at the lowest offset that is free while it lives: largest
  /// first, then other orders, as long as it is above the bound. Returns its bytes. Static sizes
  /// only.
  int64_t place();
  /// With dynamic sizes offsets become slots, laid out when called: a slot is as large as the
  /// largest value that it ever holds, and the free one that fits best at nominal sizes is taken.
  void placeInSlots();

  /// After placing.
  Attribute placeOf(Memory *memory) const { return places.lookup(memory); }
  MemoryUse &getUse() { return use; }

private:
  Attribute outside(Memory &memory);
  bool canUpdateInPlace(AssignOp assign, Memory &memory);
  bool isReadBefore(Value value, Memory &memory);
  bool startsAs(scf::ForOp loop, OpOperand &operand, Memory &memory);

  func::FuncOp function;
  MemoryUse use;
  std::vector<ArenaInterval> intervals;
  llvm::DenseMap<Memory *, Attribute> places;
};

} // namespace mlir::gen

#endif // GEN_PASSES_MEMORYPLAN_H
