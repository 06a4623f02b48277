//===- ScoreTile.h - scores of attention, by a block of threads -*- C++ -*-===//
//
// What a block of threads does with a tile of scores, each of a row and a column of it: products of
// operands that lie in shared memory, a line of numbers for each row or column. Rows are queries
// and columns keys, or the other way round. A warp has sixteen rows; a few neighbouring threads of
// it share a row, and each has some of its scores, and some numbers of the lines of sums that
// belong to rows, in registers.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_DEVICE_SCORETILE_H
#define GEN_PASSES_KERNELS_DEVICE_SCORETILE_H

#include "passes/kernels/Int.h"
#include "passes/kernels/device/Warp.h"

#include <memory>

namespace mlir::gen::kernels {

struct ScoreShape {
  static constexpr int64_t kRowsOfWarp = 16;
  int64_t rows, columns;
  int64_t threads() const { return rows / kRowsOfWarp * kWarp; }
};

class ScoreTile {
public:
  ScoreTile(ImplicitLocOpBuilder &b, const ScoreShape &shape, Type storedType)
      : shape(shape), storedType(storedType), b(b) {}
  virtual ~ScoreTile() = default;

  /// Elements from one line to the next, of `length` numbers each; of operands and of sums.
  virtual int64_t stride(int64_t length) const = 0;
  /// So far lines of `length` numbers have to be filled up with zeros where products sum along
  /// them.
  virtual int64_t filled(int64_t length) const = 0;
  /// Bytes of shared memory for a number, f32, of each score.
  int64_t bytesOfScores() const { return shape.rows * strideOfScores() * 4; }
  /// True if products with weights need that memory.
  virtual bool storesWeights() const = 0;

  /// How many rows a thread has a part of, how many scores of each, and which: in the tile.
  virtual int64_t rows() const = 0;
  virtual int64_t columns() const = 0;
  virtual Int row(Int thread, Int number) const = 0;
  virtual Int column(Int thread, Int number) const = 0;
  /// Neighbouring threads that share a row.
  virtual int64_t threadsOfRow() const = 0;
  /// Where a score lies in shared memory.
  Value scoreAt(Value scores, Int row, Int column) {
    Int at = row * strideOfScores() + column;
    return LLVM::GEPOp::create(b, scores.getType(), b.getF32Type(), scores, ValueRange{at});
  }

  /// The thread's products of lines of `length` numbers, those of rows and those of columns: for
  /// each row, a vector.
  virtual SmallVector<Value> products(Int thread, Value ofRows, Value ofColumns,
                                      int64_t length) = 0;
  /// The thread's sums, of lines of `length` numbers.
  virtual SmallVector<Value> zeros(int64_t length) = 0;
  /// Adds the lines of columns, times the weights, which the thread has as it has scores. All
  /// threads of a warp have to have left `scores`, where they exchange weights.
  virtual void addProducts(Int thread, ValueRange weights, Value ofColumns, int64_t length,
                           Value scores, MutableArrayRef<Value> sums) = 0;
  /// Multiplies the sums by one number a row.
  virtual void scale(MutableArrayRef<Value> sums, ValueRange factors) = 0;
  /// Stores the sums, a line for each row.
  virtual void storeSums(Int thread, ValueRange sums, int64_t length, Value memory) = 0;

  const ScoreShape shape;
  const Type storedType;

protected:
  virtual int64_t strideOfScores() const = 0;

  ImplicitLocOpBuilder &b;
};

/// One product after another, each with one rounding.
std::unique_ptr<ScoreTile> scalarScores(ImplicitLocOpBuilder &b, const ScoreShape &shape);
/// By tensor cores: of bf16, f16 or tf32, sums in f32.
std::unique_ptr<ScoreTile> tensorScores(ImplicitLocOpBuilder &b, const ScoreShape &shape,
                                        Type multiplied);

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_DEVICE_SCORETILE_H
