//===- Compiled.h - compiled functions beside interpreted ones --*- C++ -*-===//
//
// What tests share that run a function of the op table both ways.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_TEST_UNIT_COMPILED_H
#define GEN_TEST_UNIT_COMPILED_H

#include "dialect/Interpreter.h"
#include "gen/runtime.hpp"
#include "mlir/IR/BuiltinOps.h"
#include "passes/Compiler.h"
#include <string>

namespace optable {

/// The same elements for the runtime.
gen::Array toRuntime(const mlir::gen::Array &array);

/// Fails if `got` is not `expected`: dtype, shape, and each element up to `ulps` units in the last
/// place of it and of the largest one, or of `scale` if that is larger.
void expectClose(const gen::View &got, const mlir::gen::Array &expected, double ulps,
                 const std::string &what, double scale = 0);

bool sameBits(const gen::View &lhs, const gen::View &rhs);

/// The number of elements that differ, and the first of them.
std::string describeDifference(const gen::View &lhs, const gen::View &rhs);

/// Differentiates `module` for the interpreter, through assigned variables too; a test failure if
/// it cannot be.
void differentiate(mlir::ModuleOp module);

/// Compiles `module` to the artefact `path`; a test failure if it cannot be.
void compileArtefact(mlir::ModuleOp module, const mlir::gen::CompileOptions &options,
                     const std::string &path);

/// The same with a module as text.
void compileText(const std::string &text, const mlir::gen::CompileOptions &options,
                 const std::string &path);

} // namespace optable

#endif // GEN_TEST_UNIT_COMPILED_H
