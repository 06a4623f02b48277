//===- random-graphs.cpp - interpreter = -O0 = -O3, on models by chance ---===//
//
// Every graph, its gradient and sometimes the gradient of that, in static and dynamic shapes: the
// compiled code follows the interpreter up to rounding, and is equal to the bit at -O0 and -O3, for
// 1 and 4 threads, and whatever the session computed before. GEN_RANDOM_GRAPHS=N runs N graphs in
// place of some dozens, GEN_RANDOM_SEED=S starts at another one.
//
//===----------------------------------------------------------------------===//

#include "Compiled.h"
#include "RandomGraph.h"
#include "passes/Compiler.h"
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>

using namespace optable;
using mlir::gen::Array;

namespace {

/// A call to make, and what the interpreter says of it.
struct Call {
  std::string entry;
  std::vector<Array> arguments, results;
};

class RandomGraphs : public testing::TestWithParam<unsigned> {
protected:
  void SetUp() override {
    mlir::DialectRegistry registry;
    mlir::gen::registerCompilerDialects(registry);
    context->appendDialectRegistry(registry);
    context->loadAllAvailableDialects();
    Function fixed{row, row.elements.front(), row.sizes.front()};
    Function dynamic{row, row.elements.front(), std::nullopt};
    text = fixed.declarations();
    for (const Function &function : {fixed, dynamic})
      text += function.forward() + function.gradient() + (twice ? function.curvature() : "");
    addCalls(fixed, row.sizes[0]);
    // Sizes grow and shrink within a session.
    for (int which : {1, 0, 1})
      addCalls(dynamic, row.sizes[which]);
    interpret();
  }

  void addCalls(const Function &function, const Sizes &sizes) {
    std::vector<Array> arguments;
    unsigned seed = 1;
    for (const Argument &argument : row.arguments)
      arguments.push_back(randomArray(*context, argument, function.element, sizes, seed++));
    calls.push_back({"forward_" + function.suffix(), arguments, {}});
    arguments.push_back(
        randomArray(*context, {"weights", row.result}, function.element, sizes, seed));
    calls.push_back({"gradient_" + function.suffix(), arguments, {}});
    if (!twice)
      return;
    for (const Argument &argument : function.differentiated())
      arguments.push_back(randomArray(*context, argument, function.element, sizes, ++seed));
    calls.push_back({"curvature_" + function.suffix(), arguments, {}});
  }

  void interpret() {
    auto module = parse(*context, text);
    ASSERT_TRUE(module);
    differentiate(*module);
    mlir::gen::Interpreter interpreter(*module);
    for (Call &call : calls) {
      auto results = interpreter.run(call.entry, call.arguments);
      ASSERT_TRUE(mlir::succeeded(results)) << call.entry;
      call.results.assign(results->begin(), results->end());
    }
  }

  /// All results of all calls of one session.
  std::vector<gen::Array> run(const mlir::gen::CompileOptions &compilation,
                              const gen::SessionOptions &options) {
    std::string name = "graph-" + std::to_string(GetParam());
    std::string path = (std::filesystem::path(testing::TempDir()) / (name + ".so")).string();
    auto module = parse(*context, text);
    compileArtefact(*module, compilation, path);
    std::vector<gen::Array> all;
    if (HasFatalFailure())
      return all;
    gen::Session session(gen::Model::open(path), options);
    std::filesystem::remove(path);
    for (const Call &call : calls) {
      std::vector<gen::Array> arguments;
      for (const Array &argument : call.arguments)
        arguments.push_back(toRuntime(argument));
      gen::Results results =
          session.call(call.entry, std::vector<gen::View>(arguments.begin(), arguments.end()));
      for (size_t i = 0; i < results.size(); ++i)
        all.emplace_back(results[i]);
    }
    return all;
  }

  std::vector<gen::Array> run(int optimization, uint32_t threads) {
    mlir::gen::CompileOptions compilation;
    compilation.optimization = optimization;
    gen::SessionOptions options;
    options.threads = threads;
    return run(compilation, options);
  }

  /// The same on the emulator of a GPU.
  std::vector<gen::Array> runOnDevice() {
    setenv("GEN_CUDA_DRIVER", GEN_CUDA_EMULATOR, /*overwrite=*/1);
    mlir::gen::CompileOptions compilation;
    compilation.target = "cuda";
    compilation.deviceCode = mlir::gen::DeviceCode::Bitcode;
    gen::SessionOptions options;
    options.device = "cuda";
    return run(compilation, options);
  }

  /// f64 may differ from the interpreter by its own rounding, f32 by the errors of some ten ops.
  double ulps() const { return row.elements.front() == "f64" ? 1e4 : 1e3; }

  std::unique_ptr<mlir::MLIRContext> context = makeContext();
  Row row = randomGraph(GetParam());
  /// Second derivatives are compared where rounding leaves something to compare.
  bool twice = GetParam() % 4 == 0 && row.elements.front() == "f64";
  std::string text;
  std::vector<Call> calls;
};

TEST_P(RandomGraphs, InterpretedAndCompiled) {
  SCOPED_TRACE(text);
  std::vector<gen::Array> plain = run(0, 1);
  std::vector<gen::Array> optimized = HasFatalFailure() ? std::vector<gen::Array>() : run(3, 4);
  if (HasFatalFailure())
    return;
  size_t at = 0;
  for (const Call &call : calls)
    for (size_t i = 0; i < call.results.size(); ++i, ++at) {
      std::string what = call.entry + ", result " + std::to_string(i);
      // Below the scale, gradients are what cancellation leaves of larger numbers.
      expectClose(plain[at], call.results[i], ulps(), what + " at -O0", /*scale=*/1e-2);
      EXPECT_TRUE(sameBits(plain[at], optimized[at]))
          << what << " at -O0 with 1 thread and at -O3 with 4: "
          << describeDifference(plain[at], optimized[at]);
      if (HasFailure())
        return;
    }
}

TEST_P(RandomGraphs, InterpretedAndOnDevice) {
  SCOPED_TRACE(text);
  std::vector<gen::Array> results = runOnDevice();
  if (HasFatalFailure())
    return;
  size_t at = 0;
  for (const Call &call : calls)
    for (size_t i = 0; i < call.results.size(); ++i, ++at)
      ASSERT_NO_FATAL_FAILURE(expectClose(results[at], call.results[i], ulps(),
                                          call.entry + ", result " + std::to_string(i),
                                          /*scale=*/1e-2));
}

/// A number of the environment.
unsigned setting(const char *name, unsigned otherwise) {
  const char *text = std::getenv(name);
  return text ? static_cast<unsigned>(std::strtoul(text, nullptr, 10)) : otherwise;
}

std::vector<unsigned> seeds() {
#if __has_feature(address_sanitizer)
  constexpr unsigned kGraphs = 6; // slow there
#else
  constexpr unsigned kGraphs = 36;
#endif
  std::vector<unsigned> result(setting("GEN_RANDOM_GRAPHS", kGraphs));
  for (unsigned first = setting("GEN_RANDOM_SEED", 1); unsigned &seed : result)
    seed = first++;
  return result;
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomGraphs, testing::ValuesIn(seeds()),
                         [](const auto &info) { return "graph_" + std::to_string(info.param); });

} // namespace
