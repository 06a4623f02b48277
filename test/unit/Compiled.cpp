//===- Compiled.cpp - compiled functions beside interpreted ones ----------===//

#include "Compiled.h"
#include "OpTable.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "passes/Compiler.h"
#include "passes/Passes.h"
#include "test/gpu/Close.h"
#include <cstring>
#include <gtest/gtest.h>
#include <sstream>

using gen::gpu::elementOf;
using gen::gpu::withType;
using mlir::gen::Array;

static uint32_t dtypeOf(mlir::Type type) {
  if (type.isF32())
    return GEN_F32;
  if (type.isF64())
    return GEN_F64;
  unsigned width = type.getIntOrFloatBitWidth();
  return width == 1 ? GEN_I1 : width == 8 ? GEN_I8 : width == 32 ? GEN_I32 : GEN_I64;
}

gen::Array optable::toRuntime(const Array &array) {
  gen::Array result(dtypeOf(array.elementType),
                    std::vector<int64_t>(array.shape.begin(), array.shape.end()));
  withType(result.dtype(), [&](auto *type) {
    using T = std::remove_pointer_t<decltype(type)>;
    for (int64_t i = 0; i < array.size(); ++i)
      result.data<T>()[i] =
          array.isFloat() ? static_cast<T>(array.floats[i]) : static_cast<T>(array.integers[i]);
  });
  return result;
}

void optable::expectClose(const gen::View &got, const Array &expected, double ulps,
                          const std::string &what, double scale) {
  std::string difference = gen::gpu::differenceOf(got, toRuntime(expected), ulps, scale);
  ASSERT_EQ(difference, "") << what;
}

bool optable::sameBits(const gen::View &lhs, const gen::View &rhs) {
  return lhs.bytes() == rhs.bytes() && std::memcmp(lhs.raw(), rhs.raw(), lhs.bytes()) == 0;
}

std::string optable::describeDifference(const gen::View &lhs, const gen::View &rhs) {
  size_t width = lhs.size() ? lhs.bytes() / lhs.size() : 0, different = 0, first = 0;
  auto *left = static_cast<const char *>(lhs.raw()), *right = static_cast<const char *>(rhs.raw());
  for (size_t i = 0; i < lhs.size(); ++i)
    if (std::memcmp(left + i * width, right + i * width, width) != 0 && different++ == 0)
      first = i;
  std::ostringstream text;
  text.precision(17);
  text << different << " of " << lhs.size() << " elements differ; element " << first << ": "
       << elementOf(lhs, first) << " and " << elementOf(rhs, first);
  return text.str();
}

void optable::differentiate(mlir::ModuleOp module) {
  mlir::PassManager pm(module.getContext());
  pm.addNestedPass<mlir::func::FuncOp>(mlir::gen::createForwardVariables());
  pm.addPass(mlir::gen::createDifferentiate());
  ASSERT_TRUE(mlir::succeeded(pm.run(module)));
}

void optable::compileArtefact(mlir::ModuleOp module, const mlir::gen::CompileOptions &options,
                              const std::string &path) {
  ASSERT_TRUE(mlir::succeeded(mlir::gen::compile(module, mlir::gen::Stage::So, path, options)));
}

void optable::compileText(const std::string &text, const mlir::gen::CompileOptions &options,
                          const std::string &path) {
  std::unique_ptr<mlir::MLIRContext> context = makeContext();
  mlir::DialectRegistry registry;
  mlir::gen::registerCompilerDialects(registry);
  context->appendDialectRegistry(registry);
  context->loadAllAvailableDialects();
  auto module = parse(*context, text);
  ASSERT_TRUE(module) << text;
  compileArtefact(*module, options, path);
}
