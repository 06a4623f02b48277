//===- Builder.h - writing formulas in gen ops ------------------*- C++ -*-===//
//
// Derivatives and decompositions are formulas; GenBuilder lets them be written as such. Result
// types follow from the operands by broadcasting; what folds is folded as it is made.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_DIALECT_BUILDER_H
#define GEN_DIALECT_BUILDER_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::gen {

enum class ComparePredicate : uint32_t;

class GenBuilder : public ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  /// Creates `Op` and folds it if it can be folded.
  template <typename Op, typename... Args> Value make(Args &&...args) {
    return createOrFold<Op>(std::forward<Args>(args)...);
  }

  Value neg(Value x);
  Value abs(Value x);
  Value sign(Value x);
  Value exp(Value x);
  Value log(Value x);
  Value log1p(Value x);
  Value sqrt(Value x);
  Value rsqrt(Value x);
  Value sin(Value x);
  Value cos(Value x);
  Value sigmoid(Value x);
  Value relu(Value x);
  Value add(Value x, Value y);
  Value sub(Value x, Value y);
  Value mul(Value x, Value y);
  Value div(Value x, Value y);
  Value max(Value x, Value y);
  Value min(Value x, Value y);
  Value pow(Value x, Value y);
  Value compare(ComparePredicate predicate, Value x, Value y);
  Value select(Value condition, Value onTrue, Value onFalse);
  Value cast(Value x, Type elementType);

  /// A rank-0 constant of the element type of `like`; it broadcasts to any shape.
  Value scalar(double value, Value like);
  /// A constant of `type` (static), or of `like`'s shape, dynamic or not.
  Value fullLike(double value, Value like);

  Value sum(Value x, ArrayRef<int64_t> axes);
  Value transpose(Value x, ArrayRef<int64_t> permutation);
  Value matmul(Value lhs, Value rhs, bool transposeLhs, bool transposeRhs,
               IntegerAttr chain = nullptr);

  /// Broadcasts `x`, whose axis i is axis axes[i] of `like`, to the shape of `like`.
  Value broadcastLike(Value x, ArrayRef<int64_t> axes, Value like);
  /// Reshapes to the shape of `like`.
  Value reshapeLike(Value x, Value like);
  /// Undoes NumPy broadcasting: sums `x` over the axes along which `like` was repeated, to the
  /// shape of `like`.
  Value sumTo(Value x, Value like);

  /// The dynamic sizes of `x`, in axis order, as `index` values.
  SmallVector<Value> dynamicSizes(Value x);
  /// The number of elements along `axes`, a rank-0 tensor of the element type of `x`.
  Value count(Value x, ArrayRef<int64_t> axes);
};

} // namespace mlir::gen

#endif // GEN_DIALECT_BUILDER_H
