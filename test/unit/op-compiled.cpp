//===- op-compiled.cpp - compiled ops against the interpreter -------------===//
//
// Every function of a row is compiled at -O0 and at -O3 and run with 1, 2 and 4 threads, at every
// size. Results have to be the interpreter's up to rounding, and the same bits whatever the number
// of threads.
//
//===----------------------------------------------------------------------===//

#include "CompiledRow.h"
#include <gtest/gtest.h>

using namespace optable;

namespace {

class OpCompiled : public testing::TestWithParam<std::tuple<Row, int>> {};

TEST_P(OpCompiled, MatchesInterpreter) {
  const auto &[row, optimization] = GetParam();
  CompiledRow compiled(row, functionsOf(row), std::to_string(optimization));
  mlir::gen::CompileOptions options;
  options.optimization = optimization;
  ASSERT_NO_FATAL_FAILURE(compiled.interpret());
  ASSERT_NO_FATAL_FAILURE(compiled.compile(options));
  gen::SessionOptions session;
  session.threads = 1;
  ASSERT_NO_FATAL_FAILURE(compiled.check(session));
  for (uint32_t threads : {2, 4}) {
    SCOPED_TRACE(std::to_string(threads) + " threads");
    session.threads = threads;
    compiled.checkSameBits(session);
  }
}

/// With sanitizers, which do not see into compiled code, at one of them.
const std::vector<int> kOptimizations = {
#if !__has_feature(address_sanitizer)
    0,
#endif
    3};

INSTANTIATE_TEST_SUITE_P(Rows, OpCompiled,
                         testing::Combine(testing::ValuesIn(compiledRows()),
                                          testing::ValuesIn(kOptimizations)),
                         [](const auto &info) {
                           return rowName(std::get<0>(info.param)) + "_O" +
                                  std::to_string(std::get<1>(info.param));
                         });

} // namespace
