//===- Sizes.h - where dynamic sizes come from ------------------*- C++ -*-===//
//
// Traces the sizes of values back to the sizes of arguments through each op's own shape inference
// (ReifyRankedShapedTypeOpInterface). Works in entries, where arguments' sizes are dimension
// symbols, and in kernels, where they are `index` arguments.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_SIZES_H
#define GEN_PASSES_SIZES_H

#include "dialect/Gen.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"

namespace mlir::gen {

/// Remembers what it has traced, by value: valid as long as no op is erased.
class Sizes {
public:
  /// `argumentSize` gives the `index` value of a dynamic size of a value that is not computed by a
  /// shaped op; null if unknown.
  using ArgumentSize = std::function<Value(Value tensor, int64_t axis)>;
  explicit Sizes(ArgumentSize argumentSize) : argumentSize(std::move(argumentSize)) {}

  /// The size of `tensor` along `axis`: an attribute if static, else an `index` value that is
  /// available wherever `tensor` is. Null if it cannot be traced. May create index arithmetic right
  /// after the op that makes `tensor`.
  OpFoldResult get(Value tensor, int64_t axis);

  /// All sizes; empty if one is unknown (or the rank is 0).
  SmallVector<OpFoldResult> shape(Value tensor);

  /// True if both sizes are provably equal: the same number or value, or arithmetic (sums,
  /// differences, products) that comes to the same.
  static bool equal(OpFoldResult lhs, OpFoldResult rhs);
  bool sameShape(Value lhs, Value rhs);

private:
  ArgumentSize argumentSize;
  llvm::DenseMap<std::pair<Value, int64_t>, OpFoldResult> known;
};

/// On a kernel: per tensor argument, then per result, which kernel argument holds the size of each
/// axis (-1: static).
inline constexpr StringLiteral kSizesAttr = "gen.sizes";

/// Sizes in an entry whose dimensions are resolved: by its `tensor.dim`s of arguments, and by what
/// launches pass to kernels.
Sizes entrySizes(func::FuncOp function);
/// Sizes in a kernel: by its `index` arguments.
Sizes kernelSizes(KernelOp kernel);

} // namespace mlir::gen

#endif // GEN_PASSES_SIZES_H
