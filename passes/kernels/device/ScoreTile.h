//===- ScoreTile.h - scores of attention, by a block of threads -*- C++ -*-===//
//
// What a block of threads does with a tile of queries and one of keys that lie in shared memory. A
// warp has sixteen queries; a few neighbouring threads of it share a query, and each has some of
// its scores, and of the columns of its result, in registers.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_DEVICE_SCORETILE_H
#define GEN_PASSES_KERNELS_DEVICE_SCORETILE_H

#include "passes/kernels/Int.h"
#include "passes/kernels/device/Warp.h"

#include <memory>

namespace mlir::gen::kernels {

/// The shape of a tile: queries, keys, and the lengths of their rows and those of values.
struct ScoreShape {
  static constexpr int64_t kQueriesOfWarp = 16;
  int64_t queries, keys, depth, width;
  int64_t threads() const { return queries / kQueriesOfWarp * kWarp; }
};

class ScoreTile {
public:
  ScoreTile(ImplicitLocOpBuilder &b, const ScoreShape &shape, Type storedType)
      : shape(shape), storedType(storedType), b(b) {}
  virtual ~ScoreTile() = default;

  /// Elements from one row to the next, of queries and keys, and of values; a row of these is
  /// filled up to the first number.
  virtual int64_t strideOfDepth() const = 0;
  virtual int64_t strideOfWidth() const = 0;
  /// Bytes of shared memory for a number, f32, of each score.
  int64_t bytesOfScores() const { return shape.queries * strideOfScores() * 4; }
  /// True if products with values need that memory.
  virtual bool storesWeights() const = 0;

  /// How many queries a thread has a part of, how many of their scores, and which: in the tile.
  virtual int64_t queries() const = 0;
  virtual int64_t keys() const = 0;
  virtual Int query(Int thread, Int number) const = 0;
  virtual Int key(Int thread, Int number) const = 0;
  /// Neighbouring threads that share a query.
  virtual int64_t threadsOfQuery() const = 0;
  /// Where a score lies in shared memory.
  Value scoreAt(Value scores, Int query, Int key) {
    Int at = query * strideOfScores() + key;
    return LLVM::GEPOp::create(b, scores.getType(), b.getF32Type(), scores, ValueRange{at});
  }

  /// The thread's products of queries and keys: for each query, a vector.
  virtual SmallVector<Value> products(Int thread, Value queries, Value keys) = 0;
  /// The thread's sums of a result, `sumsOfQuery` vectors for each query.
  virtual SmallVector<Value> zeros() = 0;
  /// Adds the products of weights, as scores are, and values.
  virtual void addProducts(Int thread, ValueRange weights, Value values, Value scores,
                           MutableArrayRef<Value> sums) = 0;
  /// Multiplies the sums by one number a query.
  virtual void scale(MutableArrayRef<Value> sums, ValueRange factors) = 0;
  /// Stores the sums as [queries, strideOfSums].
  virtual void storeSums(Int thread, ValueRange sums, Value memory) = 0;
  virtual int64_t strideOfSums() const = 0;

  const ScoreShape shape;
  const Type storedType;

protected:
  virtual int64_t strideOfScores() const = 0;

  ImplicitLocOpBuilder &b;
};

/// One product after another, each with one rounding.
std::unique_ptr<ScoreTile> scalarScores(ImplicitLocOpBuilder &b, const ScoreShape &shape);
/// By tensor cores: of bf16 or f16, sums in f32.
std::unique_ptr<ScoreTile> tensorScores(ImplicitLocOpBuilder &b, const ScoreShape &shape,
                                        Type storedType);

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_DEVICE_SCORETILE_H
