//===- GradientLines.h - what attention's gradient is made of ---*- C++ -*-===//
//
// Inside of AttentionGradient.cpp: lines of queries, keys, values and of the output's gradient in
// shared memory, and two numbers of each query.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_DEVICE_GRADIENTLINES_H
#define GEN_PASSES_KERNELS_DEVICE_GRADIENTLINES_H

#include "passes/kernels/device/AttentionBlock.h"
#include "passes/kernels/device/AttentionScores.h"

namespace mlir::gen::kernels {

class GradientLines : public AttentionBlock {
protected:
  using Rows = AttentionScores::Rows;

  GradientLines(KernelFunction &function, AttentionGradientOp op)
      : AttentionBlock(function, op), op(op) {}

  /// Finds a place for all in shared memory.
  void allocate();

  /// Lines of keys or of queries: of `depth` numbers, and of `width`.
  struct Lines {
    Rows of;
    HeadRows deep, wide;
  };
  Lines linesOf(Rows of);
  /// Copies the tile of rows from `first` on, or a tile of columns. `forSlopes`: with what only
  /// slopes need.
  void copyRows(Lines &lines, Int first, bool forSlopes);
  void copyColumns(Lines &lines, Int first, bool forSlopes);

  AttentionGradientOp op;
  /// Shared. Sums come to lie where lines of rows were.
  Value rowsOfDepth, rowsOfWidth, columnsOfDepth, columnsOfWidth, logsumexps, means, scoreMemory,
      deepSumMemory, wideSumMemory;

private:
  void copyNumbers(Int first, int64_t count, bool forSlopes);
  Value meanSlope(Int query);
  Value productAt(Int query, Int column);

  static constexpr int64_t kShare = 8; ///< Neighbouring threads that share a query.
};

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_DEVICE_GRADIENTLINES_H
