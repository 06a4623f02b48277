//===- Prefetch.h - Asking memory for what is touched later -------------------===//
//
// Short runs of memory that lie far from each other are what processors do not foresee.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_PREFETCH_H
#define GEN_PASSES_KERNELS_PREFETCH_H

#include "passes/kernels/Int.h"

namespace mlir::gen::kernels {

/// The cache that memory is asked into: the next tile needs the first, a later one the second.
enum class CacheLevel { First, Second };

/// Asks for the line of memory of element `position` behind `base`. Any address is allowed.
void emitPrefetch(ImplicitLocOpBuilder &b, Type element, Value base, Int position,
                  CacheLevel level);

/// Lines of memory: `outer` x `inner` of them. Distances are in elements.
struct Lines {
  Int first;
  Int outer, outerStride;
  Int inner, innerStride;
};

/// Calls `ask` with the first element of each line of part `part` of `parts` even parts.
void forEachLine(ImplicitLocOpBuilder &b, const Lines &lines, Int part, Int parts,
                 llvm::function_ref<void(Int position)> ask);

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_PREFETCH_H
