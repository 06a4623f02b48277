//===- MemoryUse.h - which values share memory, and when --------*- C++ -*-===//
//
// The values of an entry that lie in one piece of memory: the result of a launch, views of it,
// versions of a sequence that are updated in place, and what a loop carries. A carried value has
// one piece of memory if each step can write the next value over the present one, else two, which
// take turns. Nothing is copied in a step but values that are no launch's own result.
//
// Time is counted in program order; a loop begins and ends. What is defined outside of a loop and
// used in it is in use until the loop ends.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_MEMORYUSE_H
#define GEN_PASSES_MEMORYUSE_H

#include "dialect/Gen.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace mlir::gen {

/// A piece of memory.
struct Memory {
  /// What lies here, or in part of it, in the order in which it is made.
  SmallVector<Value> values;
  /// A value of the memory's size.
  Value model;
  /// The block whose ops may write it.
  Block *home = nullptr;
  /// When it is first written and last used.
  int64_t first = 0, last = 0;
  /// The loop that carries a value here, if one does, and the other memory of that value, or -1.
  scf::ForOp loop;
  int spare = -1;
  /// True for both memories of such a value.
  bool takesTurns = false;
  /// True if it is a part, or another name, of other memory: it needs no place of its own.
  bool isElsewhere = false;
};

class MemoryUse {
public:
  explicit MemoryUse(func::FuncOp function);

  /// The memory of a value; null for values that are not computed by this entry.
  Memory *memoryOf(Value value);
  int64_t timeOf(Operation *op) const { return times.lookup(op); }
  /// When `use` of `value` reads it; -1 if it does not.
  int64_t readTime(Value value, OpOperand &use) const;
  /// The time after all launches.
  int64_t end() const { return now; }
  /// True if `value` is a slice, not the whole of its memory.
  bool isPart(Value value) const { return parts.contains(value); }

  /// By first use. Valid as long as this object lives.
  SmallVector<Memory *> memories();
  /// The second memory of a carried value; null if it has one only.
  Memory *spareOf(Memory *memory) { return memory->spare < 0 ? nullptr : &all[memory->spare]; }

  /// A launch's result that is written to the next value of the loop around, or to a slice; null if
  /// it has memory of its own.
  Attribute placeElsewhere(OpResult result) const { return elsewhere.lookup(result); }
  /// True if a gen.dynamic_update_slice writes over its input.
  bool isInPlace(DynamicUpdateSliceOp update) const { return inPlace.contains(update); }
  bool copiesFirst(BlockArgument carried) const { return copiedFirst.contains(carried); }
  bool copiesNext(BlockArgument carried) const { return copiedNext.contains(carried); }

  /// True if a launch reads argument `number` only at the index that it writes.
  static bool readsInPlace(LaunchOp launch, unsigned number);

private:
  void countTime(Block &block);
  void visit(Block &block);
  void visitUpdate(DynamicUpdateSliceOp update);
  void writeToSlice(DynamicUpdateSliceOp update);
  void visitLoop(scf::ForOp loop);
  void carryFirst(scf::ForOp loop, BlockArgument argument, llvm::DenseSet<int> &taken);
  void carryNext(scf::ForOp loop, BlockArgument argument);
  void takeTurns(scf::ForOp loop, int memory, int spare);
  bool separateLoops();
  void forget();
  void measure();

  int make(Value model, int64_t first, Block *home);
  int numberOf(Value value) const;
  void add(int memory, Value value);
  /// Makes all that lies in `from` lie in `to`.
  void merge(int from, int to);
  /// True if no value in the memory is read after `time`, but by the ops `but`.
  bool isFreeAfter(int memory, int64_t time, ArrayRef<Operation *> but) const;
  /// The launch's result that `value` is (a reshape of), if it has memory of its own that ops of
  /// its block may write; else null.
  OpResult ownResult(Value value) const;

  std::vector<Memory> all;
  llvm::DenseMap<Value, int> numbers;
  llvm::DenseMap<Operation *, int64_t> times, ends;
  llvm::DenseMap<Value, Attribute> elsewhere;
  llvm::DenseSet<Value> parts, copiedFirst, copiedNext;
  llvm::DenseSet<Operation *> inPlace;
  SmallVector<BlockArgument> shared;      ///< carried in the memory of another loop
  llvm::DenseSet<BlockArgument> separate; ///< not to be
  int64_t now = 0;
};

} // namespace mlir::gen

#endif // GEN_PASSES_MEMORYUSE_H
