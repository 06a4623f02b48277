//===- RowAnalysis.h - which element of which value a row needs -*- C++ -*-===//
//
// Reductions of one shape along the same axes, and the pointwise ops around them, run row by row: a
// row is all elements that one result is folded of. The analysis says of each op which of its
// elements are needed while a row is computed:
//
//   Full     the elements of the row, each where it is used        exp(x - max)
//   Row      one element a row                                     max, 1 / sum
//   Foreign  others; computed anew wherever they are used          a bias
//
// Ops that only compute indices belong to no one; reads pass through them.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_ROWANALYSIS_H
#define GEN_PASSES_ROWANALYSIS_H

#include "dialect/Gen.h"
#include "passes/Sizes.h"

namespace mlir::gen {

/// The elements that reductions fold.
struct RowSpace {
  RowSpace() = default;
  explicit RowSpace(ReductionOpInterface reduction);

  /// True if `reduction` folds the same elements to the same results.
  bool isOf(ReductionOpInterface reduction, Sizes &sizes) const;
  /// True if the last axis is reduced: lanes run along it.
  bool isLastReduced() const;
  /// True if a row (of a block of columns, where the last axis is kept) stays in the cache from one
  /// pass to the next, and one thread is enough for it.
  bool staysInCache() const;

  Value domain; ///< a value of the shape of what is folded
  SmallVector<int64_t> reduced, kept;
};

class RowAnalysis {
public:
  enum Kind { Unread, Full, Row, Foreign };

  /// Analyses `members`, in program order, of which `isResult` tells those that are stored.
  RowAnalysis(const RowSpace &space, ArrayRef<Operation *> members, Sizes &sizes,
              llvm::function_ref<bool(Operation *)> isResult);

  /// True if all members can be computed row by row: no value of one row is needed in another, and
  /// results are Full or Row.
  bool isLegal() const { return legal; }
  /// True if a row is needed again after one of its reductions.
  bool goesOverRowsAgain() const { return again; }
  Kind kind(Operation *member) const { return kinds.lookup(member); }

private:
  /// For each axis of a value the axis of the domain whose index it is read at, or -1 for index 0;
  /// nothing if it is read otherwise.
  using Reading = std::optional<SmallVector<int64_t>>;

  void visit(Operation *op, bool isResult);
  void read(Value value, const Reading &at);
  Reading operandReading(Operation *op, Value operand, const Reading &at);
  Reading throughReshape(ReshapeOp op, const Reading &at);
  bool isReading(const Reading &at, Value value, ArrayRef<int64_t> axes);
  SmallVector<int64_t> allAxes() const;

  const RowSpace &space;
  Sizes &sizes;
  bool legal = true, again = false;
  llvm::DenseMap<Operation *, Kind> kinds;
  llvm::SmallDenseSet<Operation *> inside;
  llvm::SmallDenseSet<Operation *> folded; ///< members that depend on a reduction
};

} // namespace mlir::gen

#endif // GEN_PASSES_ROWANALYSIS_H
