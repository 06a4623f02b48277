//===- Compiled.cpp - compiled functions beside interpreted ones ----------===//

#include "Compiled.h"
#include "OpTable.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "passes/Compiler.h"
#include "passes/Passes.h"
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <sstream>

using mlir::gen::Array;

static uint32_t dtypeOf(mlir::Type type) {
  if (type.isF32())
    return GEN_F32;
  if (type.isF64())
    return GEN_F64;
  unsigned width = type.getIntOrFloatBitWidth();
  return width == 1 ? GEN_I1 : width == 8 ? GEN_I8 : width == 32 ? GEN_I32 : GEN_I64;
}

/// Calls `body` with a null pointer of the C++ type of a dtype.
template <typename F> static void withType(uint32_t dtype, F body) {
  switch (dtype) {
  case GEN_F32:
    return body(static_cast<float *>(nullptr));
  case GEN_F64:
    return body(static_cast<double *>(nullptr));
  case GEN_I1:
    return body(static_cast<bool *>(nullptr));
  case GEN_I8:
    return body(static_cast<int8_t *>(nullptr));
  case GEN_I32:
    return body(static_cast<int32_t *>(nullptr));
  default:
    return body(static_cast<int64_t *>(nullptr));
  }
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

static double element(const gen::View &view, int64_t i) {
  double value = 0;
  withType(view.dtype(), [&](auto *type) {
    value = static_cast<double>(view.data<std::remove_pointer_t<decltype(type)>>()[i]);
  });
  return value;
}

void optable::expectClose(const gen::View &got, const Array &expected, double ulps,
                          const std::string &what, double scale) {
  ASSERT_EQ(got.dtype(), dtypeOf(expected.elementType)) << what;
  ASSERT_EQ(got.shape(), std::vector<int64_t>(expected.shape.begin(), expected.shape.end()))
      << what;
  bool single = expected.elementType.isF32();
  double ulp = single ? 0x1p-23 : 0x1p-52, largest = scale;
  for (int64_t i = 0; i < expected.size(); ++i)
    if (std::isfinite(expected.number(i)))
      largest = std::max(largest, std::fabs(expected.number(i)));
  for (int64_t i = 0; i < expected.size(); ++i) {
    double value = element(got, i), want = expected.number(i);
    if (single)
      want = static_cast<float>(want);
    if (std::isnan(want) || std::isinf(want) || !expected.isFloat()) {
      ASSERT_TRUE(value == want || (std::isnan(value) && std::isnan(want)))
          << what << ", element " << i << ": expected " << want << ", got " << value;
      continue;
    }
    double room = ulp * ulps * (std::fabs(want) + std::min(largest, 1e6));
    ASSERT_NEAR(value, want, room) << what << ", element " << i;
  }
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
  auto at = static_cast<int64_t>(first);
  std::ostringstream text;
  text.precision(17);
  text << different << " of " << lhs.size() << " elements differ; element " << first << ": "
       << element(lhs, at) << " and " << element(rhs, at);
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
