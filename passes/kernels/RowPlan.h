//===- RowPlan.h - the passes over a row ------------------------*- C++ -*-===//
//
// A kernel around reductions goes over a row as often as its reductions depend on each other, and
// once more for results that need the last of them:
//
//   softmax       loop 0: max(x)      loop 1: sum(e), e = exp(x - max)      loop 2: store e / sum
//
// What a later loop needs again is computed again where that is cheap. Otherwise the loop that has
// it first keeps it: in the row of a result that is stored later, or else in scratch on the stack.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_ROWPLAN_H
#define GEN_PASSES_KERNELS_ROWPLAN_H

#include "passes/RowAnalysis.h"

namespace mlir::gen::kernels {

/// Where an element of each position of a row is kept between loops.
struct KeptValue {
  Value value;
  int64_t result = -1; ///< number of the result whose memory it takes; -1: scratch
};

struct RowLoop {
  SmallVector<ReductionOpInterface> reductions;
  SmallVector<unsigned> results; ///< numbers of the results stored
  SmallVector<KeptValue> keeps;  ///< stored for later loops, beside results
  SmallVector<KeptValue> loads;  ///< stored by loops before, results among them
};

struct RowPlan {
  /// Elements of a row that scratch can hold for one value.
  static constexpr int64_t kMostScratch = 16384;

  explicit RowPlan(KernelOp kernel, int64_t mostScratch = kMostScratch);

  RowSpace space;
  SmallVector<RowLoop> loops;
  /// Ops of one element a row that can be computed before loop i; the last ones after all loops.
  SmallVector<SmallVector<Operation *>> rowOps;
  /// Numbers of the results that have one element a row.
  SmallVector<unsigned> rowResults;
  /// Elements of a row, or rows of a column; nothing if that is not known.
  std::optional<int64_t> elements;
};

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_ROWPLAN_H
