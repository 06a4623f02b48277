//===- StridedView.h - results that are views of their inputs ---*- C++ -*-===//
//
// Which values are the memory of others, seen with other strides.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_DIALECT_STRIDEDVIEW_H
#define GEN_DIALECT_STRIDEDVIEW_H

#include "dialect/Gen.h"

namespace mlir::gen {

/// The one axis of [first, last) that is not of size 1; `last` if there is none, nothing if there
/// are more.
std::optional<int64_t> onlyAxis(ArrayRef<int64_t> shape, int64_t first, int64_t last);

/// What `value` is made of by reshapes alone, so that it is the same memory; null if that is itself
/// an op which only computes indices.
Value reshapedMemory(Value value);

/// True if `value` is made by transposes, slices, reshapes that divide axes, and, first of all, any
/// reshapes; so that its elements lie at constant strides in the memory of what it is made from,
/// and along its last axis side by side.
bool isStridedView(Value value);

/// True if each axis of the result of `reshape` is made of whole axes of its input: where the
/// result lies, the input lies at constant strides, and along its last axis side by side.
bool joinsAxes(ReshapeOp reshape);

} // namespace mlir::gen

#endif // GEN_DIALECT_STRIDEDVIEW_H
