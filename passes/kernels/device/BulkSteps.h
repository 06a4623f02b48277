//===- BulkSteps.h - steps of k that a warp of its own has copied -*- C++ -*-===//
//
// On compute capability 9.0, one more warp asks for what each step needs: boxes of both operands,
// by maps of them that the runtime makes (cp.async.bulk.tensor). What lies beyond a tensor's end is
// zero. The other warps multiply, and no thread computes addresses of elements. Each place for a
// step in shared memory has two barriers (mbarrier): that its boxes have come, and that its
// products are done.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_DEVICE_BULKSTEPS_H
#define GEN_PASSES_KERNELS_DEVICE_BULKSTEPS_H

#include "passes/kernels/device/ProductElements.h"
#include "passes/kernels/device/ProductTile.h"

namespace mlir::gen::kernels {

class BulkSteps {
public:
  /// True if `operands` are memory in which boxes of this shape are: matrices whose lines begin at
  /// multiples of 16 bytes. That the memory does, too, is known to the runtime.
  static bool areCopied(ProductElements &products, const TileShape &shape,
                        ArrayRef<Value> operands);

  BulkSteps(KernelFunction &function, ProductElements &products, ProductTile &tile,
            ArrayRef<Value> operands);

  /// Of a block: the last warp's ask for copies.
  int64_t threads() const;
  int64_t registers() const;
  /// Shared memory, whose first part is free once there are sums.
  int64_t bytes() const;

  /// Where a tile is, and the first of its steps.
  struct Place {
    Int product, row, column, step;
  };
  /// The sums of a thread, over so many steps; `shared` is the block's memory.
  SmallVector<Value> addSteps(Int thread, Int steps, const Place &place, Value shared);

  /// Fills `tensors`, an array of gen_device_tensor.
  void describe(Value tensors);

private:
  enum Barrier { Full, Empty };

  int64_t bytesOf(unsigned number) const;
  int64_t bytesOfStep() const { return bytesOf(0) + bytesOf(1); }
  /// A line of a box is this many elements, so many boxes are a step's.
  int64_t boxes(unsigned number) const;
  void takeMaps();

  Value memoryOf(unsigned number, Int step);
  Value barrierOf(Barrier barrier, Int step);
  void startBarriers(Int thread);
  /// Waits for the end of a barrier's phase that belongs to this step.
  void waitFor(Barrier barrier, Int step);
  Int warpOf(Int thread);
  SmallVector<Value> multiply(Int thread, Int steps);
  void copy(Int steps, const Place &place);
  void startBoxes(unsigned number, Int step, const Place &place);

  KernelFunction &function;
  ImplicitLocOpBuilder &b;
  ProductElements &products;
  ProductTile &tile;
  SmallVector<Value> operands;
  int64_t blocks, stages; ///< Of a multiprocessor; of steps in shared memory.
  Value shared;
  std::array<Value, 2> maps; ///< Of the operands.
};

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_DEVICE_BULKSTEPS_H
