//===- Passes.h - the passes of gencc ---------------------------*- C++ -*-===//

#ifndef GEN_PASSES_PASSES_H
#define GEN_PASSES_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::gen {

#define GEN_PASS_DECL
#include "passes/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/Passes.h.inc"

} // namespace mlir::gen

#endif // GEN_PASSES_PASSES_H
