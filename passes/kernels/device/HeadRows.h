//===- HeadRows.h - queries, keys or values in shared memory ----*- C++ -*-===//
//
// The threads of a block copy rows of one head to shared memory: 16 bytes at once, where the
// operand's place in memory allows that, or element by element.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_DEVICE_HEADROWS_H
#define GEN_PASSES_KERNELS_DEVICE_HEADROWS_H

#include "passes/kernels/View.h"

namespace mlir::gen::kernels {

class HeadRows {
public:
  /// Of `tensor`, [batch, position, head, element], what belongs to a batch element and a head. In
  /// shared memory elements are of type `stored`, a row is `stride` of them behind the one before,
  /// and is filled with zeros up to `length`.
  HeadRows(KernelFunction &function, Value tensor, Int batch, Int head, int64_t length,
           int64_t stride, Type stored);

  int64_t bytes(int64_t rows) const { return rows * stride * bytesOf(stored); }
  /// `thread`, of `threads`, copies its part of `count` rows from `first` on. Rows that are not
  /// there are others.
  void copy(Int thread, int64_t threads, Int first, int64_t count, Value memory);

private:
  static int64_t bytesOf(Type type) { return type.getIntOrFloatBitWidth() / 8; }
  Value toStored(Value elements);
  Int row(Int first, Int number);
  void copyLines(Int thread, int64_t threads, Int first, int64_t count, Value memory);
  void copyElements(Int thread, int64_t threads, Int first, int64_t count, Value memory);

  KernelFunction &function;
  ImplicitLocOpBuilder &b;
  Value tensor;
  Int batch, head, rows;
  int64_t size; ///< Elements of a row.
  int64_t length, stride;
  Type element, stored;
  int64_t width; ///< Elements that are copied at once.
  std::optional<View> view;
  Value isAligned; ///< Null if elements are copied one by one.
};

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_DEVICE_HEADROWS_H
