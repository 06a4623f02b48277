//===- op-compiled.cpp - compiled ops against the interpreter -------------===//
//
// Every function of a row is compiled at -O0 and at -O3 and run with 1, 2 and 4 threads, at every
// size. Results have to be the interpreter's up to rounding, and the same bits whatever the number
// of threads.
//
//===----------------------------------------------------------------------===//

#include "OpTable.h"
#include "dialect/Interpreter.h"
#include "gen/runtime.hpp"
#include "mlir/Pass/PassManager.h"
#include "passes/Compiler.h"
#include "passes/Passes.h"
#include <cmath>
#include <filesystem>
#include <gtest/gtest.h>

using namespace optable;
using mlir::gen::Array;

namespace {

//===----------------------------------------------------------------------===//
// Arrays of the interpreter and of the runtime
//===----------------------------------------------------------------------===//

uint32_t dtypeOf(mlir::Type type) {
  if (type.isF32())
    return GEN_F32;
  if (type.isF64())
    return GEN_F64;
  unsigned width = type.getIntOrFloatBitWidth();
  return width == 1 ? GEN_I1 : width == 8 ? GEN_I8 : width == 32 ? GEN_I32 : GEN_I64;
}

/// Calls `body` with a null pointer of the C++ type of a dtype.
template <typename F> void withType(uint32_t dtype, F body) {
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

gen::Array toRuntime(const Array &array) {
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

double element(const gen::View &view, int64_t i) {
  double value = 0;
  withType(view.dtype(), [&](auto *type) {
    value = static_cast<double>(view.data<std::remove_pointer_t<decltype(type)>>()[i]);
  });
  return value;
}

/// Single operations stay within a few ulp; sums and what cancels within a few ulp of the largest
/// number about.
void expectClose(const gen::View &got, const Array &expected, const std::string &what) {
  ASSERT_EQ(got.dtype(), dtypeOf(expected.elementType)) << what;
  ASSERT_EQ(got.shape(), std::vector<int64_t>(expected.shape.begin(), expected.shape.end()))
      << what;
  bool single = expected.elementType.isF32();
  double ulp = single ? 0x1p-23 : 0x1p-52, largest = 0;
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
    double room = ulp * (8 * std::fabs(want) + 8 * std::min(largest, 1e6));
    ASSERT_NEAR(value, want, room) << what << ", element " << i;
  }
}

bool sameBits(const gen::View &lhs, const gen::View &rhs) {
  return lhs.bytes() == rhs.bytes() && std::memcmp(lhs.raw(), rhs.raw(), lhs.bytes()) == 0;
}

//===----------------------------------------------------------------------===//
// Compiling and comparing
//===----------------------------------------------------------------------===//

/// A call to make, and what the interpreter says of it.
struct Call {
  std::string entry;
  std::vector<Array> arguments;
  std::vector<Array> results;
};

class OpCompiled : public testing::TestWithParam<std::tuple<Row, int>> {
protected:
  const Row &row() const { return std::get<0>(GetParam()); }

  void SetUp() override {
    mlir::DialectRegistry registry;
    mlir::gen::registerCompilerDialects(registry);
    context->appendDialectRegistry(registry);
    context->loadAllAvailableDialects();
    path = (std::filesystem::path(testing::TempDir()) /
            ("op-" + rowName(row()) + "-" + std::to_string(std::get<1>(GetParam())) + ".so"))
               .string();
  }
  void TearDown() override { std::filesystem::remove(path); }

  /// The module: every function, and the gradient of two of them.
  std::string text() const {
    std::string text;
    for (const Function &function : functionsOf(row())) {
      if (text.empty())
        text = function.declarations();
      text += function.forward();
      if (hasGradient(function))
        text += function.gradient();
    }
    return text;
  }

  bool hasGradient(const Function &function) const {
    return row().differentiable && function.element == row().elements.front() &&
           (!function.sizes || function.sizes == row().sizes[row().sizes.size() / 2]);
  }

  /// Adds the calls of a function at `sizes`.
  void addCalls(const Function &function, const Sizes &sizes) {
    unsigned seed = 1;
    std::vector<Array> random, special;
    for (const Argument &argument : row().arguments) {
      random.push_back(randomArray(*context, argument, function.element, sizes, seed));
      special.push_back(specialArray(*context, argument, function.element, sizes, seed++));
    }
    calls.push_back({"forward_" + function.suffix(), random, {}});
    if (row().special)
      calls.push_back({"forward_" + function.suffix(), special, {}});
    if (hasGradient(function)) {
      random.push_back(
          randomArray(*context, {"weights", row().result}, function.element, sizes, seed));
      calls.push_back({"gradient_" + function.suffix(), random, {}});
    }
  }

  /// Fills in what the interpreter says.
  void interpret() {
    auto module = parse(*context, text());
    ASSERT_TRUE(module) << text();
    mlir::PassManager pm(context.get());
    pm.addPass(mlir::gen::createDifferentiate());
    ASSERT_TRUE(mlir::succeeded(pm.run(*module)));
    for (Call &call : calls) {
      mlir::gen::Interpreter interpreter(*module);
      auto results = interpreter.run(call.entry, call.arguments);
      ASSERT_TRUE(mlir::succeeded(results)) << call.entry;
      call.results.assign(results->begin(), results->end());
    }
  }

  void compile() {
    auto module = parse(*context, text());
    mlir::gen::CompileOptions options;
    options.optimization = std::get<1>(GetParam());
    options.name = rowName(row());
    ASSERT_TRUE(mlir::succeeded(mlir::gen::compile(*module, mlir::gen::Stage::So, path, options)));
  }

  std::unique_ptr<mlir::MLIRContext> context = makeContext();
  std::vector<Call> calls;
  std::string path;
};

TEST_P(OpCompiled, MatchesInterpreter) {
  for (const Function &function : functionsOf(row())) {
    if (function.sizes)
      addCalls(function, *function.sizes);
    else
      for (const Sizes &sizes : row().sizes)
        addCalls(function, sizes);
  }
  interpret();
  if (!HasFatalFailure())
    compile();
  if (HasFatalFailure())
    return;

  gen::Model model = gen::Model::open(path);
  for (const Call &call : calls) {
    std::vector<gen::Array> arguments, first;
    for (const Array &argument : call.arguments)
      arguments.push_back(toRuntime(argument));
    for (uint32_t threads : {1, 2, 4}) {
      gen::SessionOptions options;
      options.threads = threads;
      gen::Session session(model, options);
      std::vector<gen::View> views(arguments.begin(), arguments.end());
      gen::Results results = session.call(call.entry, views);
      ASSERT_EQ(results.size(), call.results.size());
      for (size_t i = 0; i < results.size(); ++i) {
        std::string what = call.entry + ", result " + std::to_string(i);
        if (threads == 1) {
          first.emplace_back(results[i]);
          expectClose(results[i], call.results[i], what);
        }
        EXPECT_TRUE(sameBits(results[i], first[i])) << what << ", " << threads << " threads";
      }
      if (HasFatalFailure())
        return;
    }
  }
}

std::vector<Row> compiledRows() {
  std::vector<Row> result;
  for (const Row &row : rows())
    if (row.compiled)
      result.push_back(row);
  return result;
}

INSTANTIATE_TEST_SUITE_P(Rows, OpCompiled,
                         testing::Combine(testing::ValuesIn(compiledRows()), testing::Values(0, 3)),
                         [](const auto &info) {
                           return rowName(std::get<0>(info.param)) + "_O" +
                                  std::to_string(std::get<1>(info.param));
                         });

} // namespace
