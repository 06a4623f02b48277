//===- FusionGroups.h - which ops become one kernel -------------*- C++ -*-===//
//
// The ops of an entry as a graph of groups, and the merges that are legal on it. A group is one
// kernel to be: a contraction with its epilogue, reductions with what makes their input and what
// follows on their result, or pointwise ops over one shape. Free ops (those that only compute
// indices: broadcast, slice, constants) belong to no group; each group that reads through one gets
// its own copy. Fixed ops (loops, views of memory) are no kernels: each is a group of its own, for
// the order.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_FUSIONGROUPS_H
#define GEN_PASSES_FUSIONGROUPS_H

#include "dialect/Gen.h"
#include "passes/Sizes.h"

#include "llvm/ADT/SetVector.h"

namespace mlir::gen {

struct FusionGroup {
  enum Family { Pointwise, Reduction, Anchored, Contraction, Fixed };
  Family family = Pointwise;
  /// The ops, in program order; the anchor is the one that is not pointwise.
  llvm::SetVector<Operation *> ops;
  Operation *anchor = nullptr;
  /// A value of the shape the group's results have: the loop nest runs over it.
  Value shape;

  StringRef familyName() const {
    if (family == Anchored)
      return cast<AnchorOpInterface>(anchor).kernelFamily();
    return family == Contraction ? "contraction" : family == Reduction ? "reduction" : "pointwise";
  }
};

class FusionGroups {
public:
  FusionGroups(Block &block, Sizes &sizes);

  /// Lets a contraction store the partial sums of its result, if nothing else is made of it. Before
  /// all others.
  void fusePartialSums();
  /// Puts what alone follows on a contraction's result, element by element, into its kernel: bias,
  /// activation. So a layer is the same kernel in every entry, whatever comes after it.
  void fuseContractionEpilogues();
  /// Puts each pointwise op into the one group that uses it, where nothing is computed twice by
  /// that; with `repeat`, cheap ops too that are computed more than once then.
  void fuseProducers(bool repeat);
  /// Puts pointwise groups on the result of a contraction or reduction into its kernel.
  void fuseEpilogues();
  /// Puts into a reduction's group what reads its result in the same row, and other reductions of
  /// these rows that depend on it.
  void fuseRows();
  /// Joins reductions of the same rows that share an operand and do not depend on each other.
  void fuseSideBySide();
  /// Where a group would store a value only for others that can cheaply make it of what they read
  /// instead, they do. The last step: ops are copied.
  void recomputeCheapResults();
  /// Joins pointwise groups of one shape where one uses a result of the other: one loop nest with
  /// several results.
  void fuseSharedResults();

  /// Lets an anchored kernel store its results where a concatenation has them.
  void fuseConcats();
  /// Lets a contraction store its result with the padding that the next one reads.
  void fuseFrames();

  /// The groups, each after those it depends on; and, where possible, a group that gives a variable
  /// its new value after those that read the old one, so that it can be updated in place.
  SmallVector<const FusionGroup *> inExecutionOrder();

  /// True for ops that only compute indices.
  static bool isFree(Operation *op);
  /// True for ops that stay in the entry as they are: loops and views.
  static bool isFixed(Operation *op);
  /// True for ops whose result is (a part of) their first operand's memory, or can be: a reshape
  /// that is needed in memory, a slice in one piece, the update of one.
  static bool isView(Operation *op);
  /// True for constants that are data of the artefact; like variables, they belong to no kernel.
  static bool isStored(Operation *op);
  /// True if a result of the (free) op has to exist in memory: a contraction's operand, an entry's
  /// result, a variable's value, what a loop carries.
  static bool isMaterialized(Operation *op);

private:
  using Number = unsigned;

  void addGroup(Operation *op);
  Number groupOf(Operation *op) const { return number.lookup(op); }
  /// Merges `from` into `into`.
  void merge(Number from, Number into);
  /// True if `to` depends on `from` through at least one other group.
  bool dependsThroughOthers(Number from, Number to);
  /// The ops of groups that an op reads, directly or through free ops.
  ArrayRef<Operation *> producersOf(Operation *op) const;
  /// The groups whose values reach group `n`, directly or through free ops.
  llvm::SmallDenseSet<Number> predecessors(Number n) const;
  /// Calls `visit(user, through)` for each op of a group that uses `op`; `through` is true if a
  /// free op lies between. Who uses it inside of a loop is the loop.
  void forEachUse(Operation *op,
                  llvm::function_ref<void(Operation *user, bool through)> visit) const;
  bool tryFuseProducer(Operation *op, bool repeat);
  bool tryFuseEpilogue(Number n, FusionGroup::Family least = FusionGroup::Reduction);
  bool trySharedResult(Number n);
  bool tryGrowRows(Number n);
  bool trySideBySide(Number n, Number other);
  bool runInRows(Number n, Number with);
  bool waitsForOthers(Number n, Number reader);
  void tryRecompute(Operation *op);
  SmallVector<Operation *> cheapChain(Operation *op);
  llvm::SmallDenseSet<Operation *> rowMembers(Number n);
  void insertInto(Number n, Operation *op);
  void removeUnused(Operation *op);
  llvm::SmallDenseSet<Value> fullOperands(Number n) const;
  /// True if `op`, or what free ops make of it, is used by an op that is not `isInside`.
  bool isReadOutside(Operation *op, llvm::function_ref<bool(Operation *)> isInside) const;
  static bool isElementwise(Operation *op);
  /// True if `op` joins parts of one type to what is needed in memory, and is not read element by
  /// element. It is of the shape of a part then, and all parts are computed and stored at once.
  static bool joinsParts(Operation *op);
  /// The value of whose shape `op` is.
  static Value shapeOf(Operation *op);
  /// True if every use of values of `from` in `to` reads the element at the same index.
  bool usesSameIndex(Number from, Number to);
  int64_t cost(Number n) const;

  Block &block;
  Sizes &sizes;
  std::vector<FusionGroup> groups; // merged ones are empty
  llvm::DenseMap<Operation *, Number> number;
  /// What producersOf has found, until ops change.
  mutable llvm::DenseMap<Operation *, SmallVector<Operation *, 4>> producers;
};

} // namespace mlir::gen

#endif // GEN_PASSES_FUSIONGROUPS_H
