//===- op-compiled.cpp - compiled ops against the interpreter -------------===//
//
// Every function of a row is compiled at -O0 and at -O3 and run with 1, 2 and 4 threads, at every
// size. Results have to be the interpreter's up to rounding, and the same bits whatever the number
// of threads.
//
//===----------------------------------------------------------------------===//

#include "Compiled.h"
#include "OpTable.h"
#include "passes/Compiler.h"
#include <filesystem>
#include <gtest/gtest.h>

using namespace optable;
using mlir::gen::Array;

namespace {

/// Single operations stay within a few ulp; sums and what cancels within a few ulp of the largest
/// number about.
constexpr double kUlps = 8;

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
    differentiate(*module);
    for (Call &call : calls) {
      mlir::gen::Interpreter interpreter(*module);
      auto results = interpreter.run(call.entry, call.arguments);
      ASSERT_TRUE(mlir::succeeded(results)) << call.entry;
      call.results.assign(results->begin(), results->end());
    }
  }

  void compile() {
    auto module = parse(*context, text());
    ASSERT_TRUE(module) << text();
    compileArtefact(*module, std::get<1>(GetParam()), path);
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
          expectClose(results[i], call.results[i], kUlps, what);
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
