//===- Array.h - values of the reference interpreter ------------*- C++ -*-===//
//
// A dense row-major host array. Floating-point elements are kept in f64 whatever the tensor's type,
// integers and booleans in i64: the interpreter is the oracle, so it carries more precision than
// any compiled kernel.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_DIALECT_ARRAY_H
#define GEN_DIALECT_ARRAY_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/SmallVector.h"
#include <vector>

namespace mlir::gen {

/// A dense array of a static shape. Exactly one of `floats` and `integers` is used, by the element
/// type.
struct Array {
  Type elementType;
  SmallVector<int64_t> shape;
  std::vector<double> floats;
  std::vector<int64_t> integers;

  Array() = default;
  /// Zeros.
  Array(Type elementType, ArrayRef<int64_t> shape);
  /// An index or integer scalar.
  static Array scalar(Type elementType, int64_t value);
  /// The elements of a constant.
  static Array fromAttribute(ElementsAttr attribute);

  bool isFloat() const { return isa<FloatType>(elementType); }
  int64_t rank() const { return static_cast<int64_t>(shape.size()); }
  int64_t size() const;
  /// The static type.
  RankedTensorType type() const { return RankedTensorType::get(shape, elementType); }
  /// Element by row-major position, as f64.
  double number(int64_t position) const {
    return isFloat() ? floats[position] : static_cast<double>(integers[position]);
  }
  /// Sets an element; integers are truncated and wrapped to the element type's width.
  void setNumber(int64_t position, double value);
  void setInteger(int64_t position, int64_t value);
};

/// Calls `body` with every index of `shape`, in row-major order.
void forEachIndex(ArrayRef<int64_t> shape, llvm::function_ref<void(ArrayRef<int64_t>)> body);
/// Row-major position of `index` in `shape`.
int64_t linearize(ArrayRef<int64_t> index, ArrayRef<int64_t> shape);

/// What evaluation may use besides operands: the model's state, and other functions of the module.
class EvaluationContext {
public:
  virtual ~EvaluationContext() = default;
  /// The value of variable `name`, to read or to write; null if there is none.
  virtual Array *variable(StringRef name) = 0;
  /// Runs the body of a kernel or function.
  virtual LogicalResult call(Operation *callee, ArrayRef<Array> operands,
                             SmallVectorImpl<Array> &results) = 0;
  /// The static result type of `op`'s result `number`, dynamic sizes taken from `sizes` in order.
  static SmallVector<int64_t> resolveShape(ShapedType type, ArrayRef<int64_t> sizes);
};

} // namespace mlir::gen

#endif // GEN_DIALECT_ARRAY_H
