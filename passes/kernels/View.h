//===- View.h - operands that are read where they lie -----------*- C++ -*-===//
//
// A slice, a transpose or a reshape that splits axes makes no new elements: its result is the
// memory of its input, seen with other strides. Emitters that walk through memory themselves (and
// do not ask for single elements) read such operands without a copy.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_VIEW_H
#define GEN_PASSES_KERNELS_VIEW_H

#include "passes/kernels/Int.h"
#include "passes/kernels/KernelEmitter.h"

namespace mlir::gen::kernels {

/// A value of a kernel's body as a view of memory. Numbers are in elements.
struct View {
  Value memory; ///< The pointer.
  Type element;
  Int offset;
  SmallVector<Int> strides; ///< one an axis
};

/// The view that `value` is, where `isStridedView(value)` (dialect/StridedView.h); what it is made
/// from is an argument of the kernel.
View viewOf(KernelFunction &function, Value value);

/// Where a result of an op in the kernel's body is stored: in results of the kernel, through
/// reshapes that join axes (dialect/StridedView.h) and a concatenation.
SmallVector<View> storedViews(KernelFunction &function, Value result);

/// The address of the element of a view at `at`, one index an axis.
Value addressOf(KernelFunction &function, const View &view, ArrayRef<Int> at);

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_VIEW_H
