//===- View.cpp - operands that are read where they lie -------------------===//

#include "passes/kernels/View.h"

#include "dialect/Permutation.h"
#include "dialect/StridedView.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

/// Row-major memory in the shape of `value`.
static View wholeOf(KernelFunction &function, BlockArgument memory, Value value) {
  ImplicitLocOpBuilder &b = function.b;
  int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
  View view{memory, Int(b, 0), SmallVector<Int>(rank, Int(b, 1))};
  for (int64_t axis = rank - 2; axis >= 0; --axis)
    view.strides[axis] = view.strides[axis + 1] * Int(b, function.size(value, axis + 1));
  return view;
}

static View viewThrough(KernelFunction &function, TransposeOp op) {
  View view = viewOf(function, op.getInput());
  SmallVector<Int> strides = view.strides;
  for (auto [axis, source] : llvm::enumerate(op.getPermutation()))
    view.strides[axis] = strides[source];
  return view;
}

static View viewThrough(KernelFunction &function, SliceOp op) {
  View view = viewOf(function, op.getInput());
  for (auto [stride, start, step] :
       llvm::zip_equal(view.strides, op.getStarts(), op.getStrides())) {
    view.offset = view.offset + stride * start;
    stride = stride * step;
  }
  return view;
}

/// Each group of axes of the result divides one axis of the input.
static View viewThrough(KernelFunction &function, ReshapeOp op) {
  ImplicitLocOpBuilder &b = function.b;
  View view = viewOf(function, op.getInput());
  ArrayRef<int64_t> input = op.getInput().getType().getShape(), result = op.getType().getShape();
  SmallVector<Int> strides(result.size(), Int(b, 0));
  for (const ReshapeAxes &group : reshapeGroups(input, result)) {
    std::optional<int64_t> divided = onlyAxis(input, group.inputFirst, group.inputLast);
    if (!divided || *divided == group.inputLast)
      continue; // axes of size 1
    Int stride = view.strides[*divided];
    for (int64_t axis = group.resultLast - 1; axis >= group.resultFirst; --axis) {
      strides[axis] = stride;
      stride = stride * Int(b, function.size(op.getResult(), axis));
    }
  }
  view.strides = strides;
  return view;
}

View mlir::gen::kernels::viewOf(KernelFunction &function, Value value) {
  if (Value memory = reshapedMemory(value))
    return wholeOf(function, cast<BlockArgument>(memory), value);
  Operation *op = value.getDefiningOp();
  if (auto transpose = dyn_cast<TransposeOp>(op))
    return viewThrough(function, transpose);
  if (auto slice = dyn_cast<SliceOp>(op))
    return viewThrough(function, slice);
  return viewThrough(function, cast<ReshapeOp>(op));
}

Value mlir::gen::kernels::addressOf(KernelFunction &function, const View &view, ArrayRef<Int> at) {
  Int offset = view.offset;
  for (auto [stride, index] : llvm::zip_equal(view.strides, at))
    offset = offset + stride * index;
  Type element = cast<RankedTensorType>(view.memory.getType()).getElementType();
  return elementPointer(function.b, element, function.pointer(view.memory), offset);
}
