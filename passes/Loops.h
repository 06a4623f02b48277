//===- Loops.h - what passes ask about loops --------------------*- C++ -*-===//
//
// Entries loop with scf.for, which carries tensors from step to step.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_LOOPS_H
#define GEN_PASSES_LOOPS_H

#include "passes/Sizes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::gen {

/// True if slices of `length` of `tensor` at `index`, over all steps of `loop`, cover the axis
/// once: no two steps meet, and nothing is left out.
bool coversAxisOnce(scf::ForOp loop, Value index, Value tensor, int64_t axis, int64_t length,
                    Sizes &sizes);

/// True if a loop is a branch: one step if a condition holds, else none.
bool isBranch(scf::ForOp loop);

/// True if an index is computed by the entry, from the elements of a tensor.
bool isComputed(Value index);

/// True if a value is the same in every step of all loops: it is not computed from what a loop
/// counts, carries or returns.
bool isInvariant(Value value);

} // namespace mlir::gen

#endif // GEN_PASSES_LOOPS_H
