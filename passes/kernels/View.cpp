//===- View.cpp - operands that are read where they lie -------------------===//

#include "passes/kernels/View.h"

#include "dialect/Permutation.h"
#include "dialect/StridedView.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

/// Row-major memory in the shape of `value`.
static View wholeOf(KernelFunction &function, Value memory, Value value) {
  ImplicitLocOpBuilder &b = function.b;
  auto type = cast<RankedTensorType>(value.getType());
  int64_t rank = type.getRank();
  View view{memory, type.getElementType(), Int(b, 0), SmallVector<Int>(rank, Int(b, 1))};
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

/// A view of `whole` as one of `divided`, which has each axis of `whole` or axes that divide it.
static View divide(KernelFunction &function, View view, Value whole, Value divided) {
  ImplicitLocOpBuilder &b = function.b;
  ArrayRef<int64_t> from = cast<RankedTensorType>(whole.getType()).getShape(),
                    to = cast<RankedTensorType>(divided.getType()).getShape();
  SmallVector<Int> strides(to.size(), Int(b, 0));
  for (const ReshapeAxes &group : reshapeGroups(from, to)) {
    std::optional<int64_t> axisOfWhole = onlyAxis(from, group.inputFirst, group.inputLast);
    if (!axisOfWhole || *axisOfWhole == group.inputLast)
      continue; // axes of size 1
    Int stride = view.strides[*axisOfWhole];
    for (int64_t axis = group.resultLast - 1; axis >= group.resultFirst; --axis) {
      strides[axis] = stride;
      stride = stride * Int(b, function.size(divided, axis));
    }
  }
  view.strides = strides;
  return view;
}

View mlir::gen::kernels::viewOf(KernelFunction &function, Value value) {
  if (Value memory = reshapedMemory(value))
    return wholeOf(function, function.pointer(cast<BlockArgument>(memory)), value);
  Operation *op = value.getDefiningOp();
  if (auto transpose = dyn_cast<TransposeOp>(op))
    return viewThrough(function, transpose);
  if (auto slice = dyn_cast<SliceOp>(op))
    return viewThrough(function, slice);
  Value input = cast<ReshapeOp>(op).getInput();
  return divide(function, viewOf(function, input), input, value);
}

/// Adds the views of `value` in the results that it is a part of.
static void addStored(KernelFunction &function, Value value, SmallVectorImpl<View> &views) {
  for (auto [number, yielded] : llvm::enumerate(function.yield.getValues()))
    if (yielded == value)
      views.push_back(
          wholeOf(function, function.resultPointer(static_cast<unsigned>(number)), value));
  for (OpOperand &use : value.getUses()) {
    SmallVector<View> results;
    if (isa<ReshapeOp, ConcatOp>(use.getOwner()))
      addStored(function, use.getOwner()->getResult(0), results);
    for (View &view : results)
      if (auto concat = dyn_cast<ConcatOp>(use.getOwner())) {
        for (Value before : concat.getInputs().take_front(use.getOperandNumber()))
          view.offset = view.offset + view.strides[concat.getAxis()] *
                                          Int(function.b, function.size(before, concat.getAxis()));
        views.push_back(view);
      } else {
        views.push_back(divide(function, view, use.getOwner()->getResult(0), value));
      }
  }
}

SmallVector<View> mlir::gen::kernels::storedViews(KernelFunction &function, Value result) {
  SmallVector<View> views;
  addStored(function, result, views);
  return views;
}

Value mlir::gen::kernels::addressOf(KernelFunction &function, const View &view, ArrayRef<Int> at) {
  Int offset = view.offset;
  for (auto [stride, index] : llvm::zip_equal(view.strides, at))
    offset = offset + stride * index;
  return elementPointer(function.b, view.element, view.memory, offset);
}
