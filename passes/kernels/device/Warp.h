//===- Warp.h - what the threads of a warp do together ----------*- C++ -*-===//

#ifndef GEN_PASSES_KERNELS_DEVICE_WARP_H
#define GEN_PASSES_KERNELS_DEVICE_WARP_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::gen::kernels {

/// Threads that run in step.
inline constexpr int64_t kWarp = 32;

/// Waits until all threads of the warp are here; what they have stored can be read then.
void emitWarpBarrier(ImplicitLocOpBuilder &b);

/// Folds the numbers that `lanes` neighbouring threads have, a power of two up to a warp; all get
/// the result. All threads of the warp have to be here.
Value foldNeighbours(ImplicitLocOpBuilder &b, Value own, int64_t lanes,
                     llvm::function_ref<Value(Value, Value)> combine);

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_DEVICE_WARP_H
