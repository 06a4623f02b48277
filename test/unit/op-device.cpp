//===- op-device.cpp - ops compiled for a GPU against the interpreter -----===//
//
// Every function of a row, at every size, on the emulator (test/emulator): results have to be the
// interpreter's up to rounding, and the same bits whatever the order in which threads run.
//
//===----------------------------------------------------------------------===//

#include "CompiledRow.h"
#include <cstdlib>
#include <gtest/gtest.h>

using namespace optable;

namespace {

class OpOnDevice : public testing::TestWithParam<Row> {
protected:
  void SetUp() override { setenv("GEN_CUDA_DRIVER", GEN_CUDA_EMULATOR, /*overwrite=*/1); }
  void TearDown() override { unsetenv("GEN_EMULATOR_ORDER"); }
};

TEST_P(OpOnDevice, MatchesInterpreter) {
  CompiledRow compiled(GetParam(), functionsOf(GetParam()), "device");
  mlir::gen::CompileOptions options;
  options.target = "cuda";
  options.deviceCode = mlir::gen::DeviceCode::Bitcode;
  ASSERT_NO_FATAL_FAILURE(compiled.interpret());
  ASSERT_NO_FATAL_FAILURE(compiled.compile(options));
  gen::SessionOptions session;
  session.device = "cuda";
  ASSERT_NO_FATAL_FAILURE(compiled.check(session));
  setenv("GEN_EMULATOR_ORDER", "backward", /*overwrite=*/1);
  compiled.checkSameBits(session);
}

/// All rows; with sanitizers, which take four times as long, every fourth.
std::vector<Row> deviceRows() {
  std::vector<Row> rows = compiledRows(), chosen;
#if __has_feature(address_sanitizer)
  constexpr size_t kStep = 4;
#else
  constexpr size_t kStep = 1;
#endif
  for (size_t i = 0; i < rows.size(); i += kStep)
    chosen.push_back(rows[i]);
  return chosen;
}

INSTANTIATE_TEST_SUITE_P(Rows, OpOnDevice, testing::ValuesIn(deviceRows()),
                         [](const auto &info) { return rowName(info.param); });

} // namespace
