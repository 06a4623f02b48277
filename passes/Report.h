//===- Report.h - what the compiler made of a model -------------*- C++ -*-===//

#ifndef GEN_PASSES_REPORT_H
#define GEN_PASSES_REPORT_H

#include "mlir/IR/BuiltinOps.h"
#include <string>

namespace mlir::gen {

/// One HTML page, complete in itself, about a planned module (Stage::Kernels): entries with their
/// launches (kernel, family, schedule, floating-point operations, bytes), the memory plan with its
/// lower bound, kernels with their ops, variables. `target` is the name of the instruction set.
std::string writeReport(ModuleOp module, StringRef target);

} // namespace mlir::gen

#endif // GEN_PASSES_REPORT_H
