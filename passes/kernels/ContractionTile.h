//===- ContractionTile.h - Parts of the contraction emitter ---------------===//
//
// Inside of Contraction.cpp: walks through operands, their packing, and the register tile.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_CONTRACTIONTILE_H
#define GEN_PASSES_KERNELS_CONTRACTIONTILE_H

#include "passes/kernels/Contraction.h"
#include "passes/kernels/Int.h"
#include <functional>

namespace mlir::gen::kernels {

/// A digit of a mixed-radix index, and how far apart in memory its steps are.
struct Step {
  Int extent, stride;
};
/// A mixed-radix index, the most significant digit first.
using Walk = SmallVector<Step, 4>;

/// A digit of k in both operands.
struct DepthStep {
  Int extent, lhsStride, rhsStride;
};
using DepthWalk = SmallVector<DepthStep, 4>;

/// Joins digits that are one in memory, and leaves out digits of one value.
void simplify(Walk &walk);
void simplify(DepthWalk &walk);

/// The product of the extents.
Int extentOf(ImplicitLocOpBuilder &b, const Walk &walk);
Int extentOf(ImplicitLocOpBuilder &b, ArrayRef<DepthStep> walk);

/// Element `index` of a walk.
Int offsetOf(const Walk &walk, Int index);

/// True if `count` consecutive indices, from a multiple of `count` on, are evenly spaced.
bool isEven(const Walk &walk, int64_t count);

/// Pointers to the elements at indices `first` .. `first` + `count` - 1; `even`: those are evenly
/// spaced. Indices from `first` + `limit` on repeat the last one before it.
SmallVector<Value> walkPointers(ImplicitLocOpBuilder &b, Type element, Value base, const Walk &walk,
                                Int first, int64_t count, bool even,
                                std::optional<Int> limit = std::nullopt);

/// Emits `body` for each run of k, in order: the steps of the last digit. `position` counts the
/// steps of k before it; the offsets are those of the run in both operands.
void forEachRun(ImplicitLocOpBuilder &b, ArrayRef<DepthStep> depth,
                llvm::function_ref<void(Int position, Int lhsOffset, Int rhsOffset)> body);

/// for (i = from; i < to; i += step) body(i).
void emitLoop(ImplicitLocOpBuilder &b, Int from, Int to, int64_t step,
              llvm::function_ref<void(Int)> body);
/// if (condition) then() else otherwise(); a constant condition emits one side only.
void emitIf(ImplicitLocOpBuilder &b, Value condition, llvm::function_ref<void()> then,
            llvm::function_ref<void()> otherwise);

/// Lanes below `count` are true.
Value laneMask(ImplicitLocOpBuilder &b, Int count, int64_t lanes);

Value loadVector(ImplicitLocOpBuilder &b, VectorType type, Value pointer, unsigned alignment,
                 Value mask = nullptr);
void storeVector(ImplicitLocOpBuilder &b, Value vector, Value pointer, unsigned alignment);

/// Turns the rows of a square into its columns, in registers.
void transposeSquare(ImplicitLocOpBuilder &b, SmallVectorImpl<Value> &rows);

/// Copies a panel of B (`depth` x `columns`, k major; `source`: a pointer a vector) to `panel`,
/// rows of `source.size()` * lanes apart. Columns beyond are 0.
void packPanel(ImplicitLocOpBuilder &b, ArrayRef<Value> source, ArrayRef<DepthStep> depth,
               Int columns, VectorType type, Value panel);
/// The same from a panel whose columns are anywhere: `columns` of them from `first` of `walk` on,
/// best if each is contiguous. Columns beyond repeat the last one, and up to lanes - 1 rows beyond
/// the last are written.
void packTransposedPanel(ImplicitLocOpBuilder &b, Value source, const Walk &walk, Int first,
                         ArrayRef<DepthStep> depth, Int columns, Int vectors, VectorType type,
                         Value panel);
/// Copies `rows` rows of A from `first` of `walk` on, those of a tile contiguous, to tiles of depth
/// x `tileRows`. Rows beyond are 0.
void packBlock(ImplicitLocOpBuilder &b, Value source, const Walk &walk, Int first,
               ArrayRef<DepthStep> depth, Int rows, int64_t tileRows, Type element, Value block);

/// One register tile: `rows` x `vectors` accumulators over all steps of k.
struct RegisterTile {
  int64_t rows, vectors;
  VectorType type;
  SmallVector<Value> lhs; ///< A pointer a row, at the first k.
  SmallVector<Value> rhs; ///< A pointer a vector of a row of B, at the first k.
  DepthWalk depth;
  unsigned rhsAlignment;
  Value rhsMask;      ///< Of the last vector of a row of B; null: all lanes exist.
  Value accumulators; ///< Vector v of row r is number r * accumulatorStride + v.
  int64_t accumulatorStride;
  Value first; ///< i1: start from 0, not from `accumulators`. Null: always.
  /// Asks for memory that row `row` of the result will touch; null: none. The rows' turns are
  /// spread over the steps of k: all at once they would fill the queues to memory, and the loads of
  /// the operands would wait behind them.
  std::function<void(Int row)> prefetch;
  Type rhsType = type.getElementType(); ///< Of the elements of B; they are converted.
};

/// accumulators = (first ? 0 : accumulators) + lhs * rhs.
void emitRegisterTile(ImplicitLocOpBuilder &b, const RegisterTile &tile);

/// The tasks of a product whose schedule says `dot`.
Int dotTaskCount(ImplicitLocOpBuilder &b, const Contraction &contraction);
void emitDotTask(ImplicitLocOpBuilder &b, const Contraction &contraction, Int index,
                 ContractionEpilogue epilogue);

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_CONTRACTIONTILE_H
