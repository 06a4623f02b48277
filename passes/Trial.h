//===- Trial.h - one kernel with several schedules --------------*- C++ -*-===//

#ifndef GEN_PASSES_TRIAL_H
#define GEN_PASSES_TRIAL_H

#include "dialect/Gen.h"
#include "passes/Compiler.h"

namespace mlir::gen {

/// Compiles `kernel`, as it is after fusion, once for each of `schedules` (null: the rule's), into
/// one artefact for `options.target`, one CPU or "cuda", and measures them in turns: the least
/// seconds of each. On a CPU with one thread; on a GPU what the profile says, so with a launch.
/// Infinite for a schedule that leaves the kernel to a library which does not compute it.
LogicalResult timeSchedules(KernelOp kernel, ArrayRef<DictionaryAttr> schedules,
                            const CompileOptions &options, std::vector<double> &times);

} // namespace mlir::gen

#endif // GEN_PASSES_TRIAL_H
