//===- Tune.h - schedules by measuring --------------------------*- C++ -*-===//

#ifndef GEN_PASSES_TUNE_H
#define GEN_PASSES_TUNE_H

#include "passes/Compiler.h"
#include "passes/ScheduleTable.h"

namespace mlir::gen {

/// Measures schedules of the products of `module` on this machine, on one thread, or on its GPU,
/// for each of the options' targets, and keeps in `table` those that are faster than the rule's.
/// `options.cpu` has to be the native one. `tell` is called with a line about each product.
LogicalResult tuneSchedules(ModuleOp module, const CompileOptions &options, ScheduleTable &table,
                            llvm::function_ref<void(StringRef)> tell);

} // namespace mlir::gen

#endif // GEN_PASSES_TUNE_H
