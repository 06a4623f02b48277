//===- ElementEmitter.h - computing single elements of tensors --*- C++ -*-===//
//
// Emission of kernels pulls. A loop nest asks for the elements it stores; each op on the way asks
// for the elements of its operands that it needs, down to the kernel's arguments, which are loads.
// One index of the loop nest runs along the lanes of a vector; ops that move data only compute with
// indices and never copy.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_DIALECT_ELEMENTEMITTER_H
#define GEN_DIALECT_ELEMENTEMITTER_H

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"

namespace mlir::gen {

/// The position along one axis, for one lane or for all lanes of a vector.
struct Index {
  enum Kind {
    Uniform,     ///< `value` is an i64: the same for every lane
    Consecutive, ///< `value` is an i64: lane l is at value + l
    PerLane      ///< `value` is a vector of i64, one a lane
  };
  Value value;
  Kind kind = Uniform;
};

/// One index an axis, outermost first.
using Indices = SmallVector<Index, 4>;

/// What an op's emission may use. An element is a scalar (one lane) or a vector of `lanes()`
/// elements; i1 elements are i1.
class ElementEmitter {
public:
  explicit ElementEmitter(ImplicitLocOpBuilder &b, int64_t lanes, bool flat = false)
      : b(b), laneCount(lanes), flat(flat) {}
  virtual ~ElementEmitter() = default;

  /// Emits the element of `tensor`, an operand of the op being emitted, at `at`.
  virtual Value elementAt(Value tensor, const Indices &at) = 0;

  /// The same, by row-major position in `tensor`; `position` may be uniform or consecutive.
  virtual Value elementAtPosition(Value tensor, Index position) = 0;

  /// The size of `tensor` along `axis`, an i64 (a constant where static).
  virtual Value size(Value tensor, int64_t axis) = 0;

  /// The i64 of an `index` operand.
  virtual Value sizeValue(Value index) = 0;

  /// Narrows the lanes that may touch memory to those where `mask` (i1 or a vector of i1) holds
  /// too, while `emit` runs. Used by ops that read only in range (pad, concat).
  virtual Value masked(Value mask, llvm::function_ref<Value()> emit) = 0;

  /// Number of lanes; 1 means that elements are scalars.
  int64_t lanes() const { return laneCount; }

  /// True if the kernel runs over row-major positions: every shape that is not of one element is
  /// the same, and an index is the one position, whatever the rank.
  bool isFlat() const { return flat; }

  /// `elementType` for one lane, a vector of it for more.
  Type laneType(Type elementType) const;

  /// A constant for all lanes. `attribute` is of `elementType`; `value` is converted to it.
  Value constant(TypedAttr attribute);
  Value constant(Type elementType, double value);

  /// A uniform i64 constant.
  Value i64(int64_t value);

  /// Spreads a scalar over all lanes (no-op for one lane).
  Value splat(Value scalar);

  /// The i64 of every lane of `index`: a scalar for one lane, else a vector.
  Value laneValues(Index index);

  /// Arithmetic on indices. The right-hand side is uniform.
  Index add(Index lhs, Value rhs);
  Index multiply(Index lhs, Value rhs);
  Index divide(Index lhs, Value rhs);
  Index remainder(Index lhs, Value rhs);
  /// Sum of any two; at most one may be consecutive for the result to stay consecutive.
  Index add(Index lhs, Index rhs);

  /// Row-major position of `at` in `tensor`.
  Index position(Value tensor, const Indices &at);

  ImplicitLocOpBuilder &b;

private:
  int64_t laneCount;
  bool flat;
};

} // namespace mlir::gen

#endif // GEN_DIALECT_ELEMENTEMITTER_H
