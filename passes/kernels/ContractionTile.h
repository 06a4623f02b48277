//===- ContractionTile.h - Parts of the contraction emitter ---------------===//
//
// Inside of Contraction.cpp: packing of operands and the register tile.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_CONTRACTIONTILE_H
#define GEN_PASSES_KERNELS_CONTRACTIONTILE_H

#include "passes/kernels/Int.h"

namespace mlir::gen::kernels {

/// A matrix in memory: element (i, j) at base + i * rowStride + j * columnStride.
struct Strided {
  Value base;
  Int rowStride, columnStride;
  /// The matrix from element (i, j) on.
  Strided from(ImplicitLocOpBuilder &b, Type element, Int i, Int j) const {
    return {elementPointer(b, element, base, i * rowStride + j * columnStride), rowStride,
            columnStride};
  }
};

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

/// Copies the `depth` x `columns` panel at `source` (k major) to `panel`, rows of `vectors` * lanes
/// apart. Columns beyond are 0.
void packPanel(ImplicitLocOpBuilder &b, const Strided &source, Int depth, Int columns,
               int64_t vectors, VectorType type, Value panel);
/// The same from a panel stored column by column (k minor: row stride 1). Columns beyond repeat the
/// last one, and up to lanes - 1 rows beyond `depth` are written.
void packTransposedPanel(ImplicitLocOpBuilder &b, const Strided &source, Int depth, Int columns,
                         Int vectors, VectorType type, Value panel);
/// Copies the `depth` x `rows` block at `source` (k major) to tiles of depth x `tileRows`. Rows
/// beyond are 0.
void packBlock(ImplicitLocOpBuilder &b, const Strided &source, Int depth, Int rows,
               int64_t tileRows, Type element, Value block);

/// One register tile: `rows` x `vectors` accumulators over `depth` steps of k.
struct RegisterTile {
  int64_t rows, vectors;
  VectorType type;
  Strided lhs;              ///< (row, k)
  std::optional<Int> limit; ///< Rows that exist; further ones compute the last again. None: all do.
  Value rhs;                ///< Vector v of row k at rhs + k * rhsStride + v * rhsVectorStride.
  Int rhsStride, rhsVectorStride;
  unsigned rhsAlignment;
  Value rhsMask; ///< Of the last vector of a row of B; null: all lanes exist.
  Int depth;
  Value accumulators; ///< Vector v of row r is number r * accumulatorStride + v.
  int64_t accumulatorStride;
  Value first; ///< i1: start from 0, not from `accumulators`. Null: always.
};

/// accumulators = (first ? 0 : accumulators) + lhs * rhs.
void emitRegisterTile(ImplicitLocOpBuilder &b, const RegisterTile &tile);

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_CONTRACTIONTILE_H
