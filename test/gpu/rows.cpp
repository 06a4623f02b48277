// gpu-rows: writes, for rows of the op table (test/unit), an artefact with code for GPUs, and calls
// of it with what the interpreter says of them (StoredCalls.h). Arguments: the folder, what the
// code is (ptx, or bitcode for test/emulator), and ops, if not all.
#include "../unit/CompiledRow.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <gtest/gtest.h>

using namespace optable;

namespace {

/// One of dynamic sizes for each element type, which is called with all sizes; else of each size.
std::vector<Function> chosenFunctions(const Row &row) {
  std::vector<Function> functions;
  for (Function &function : functionsOf(row))
    if (!function.sizes || !row.dynamic)
      functions.push_back(function);
  return functions;
}

void writeRow(const Row &row, const std::string &folder, mlir::gen::DeviceCode code) {
  CompiledRow compiled(row, chosenFunctions(row), "gpu");
  mlir::gen::CompileOptions options;
  options.target = "cuda";
  options.cpu = "x86-64-v3";
  options.deviceCode = code;
  ASSERT_NO_FATAL_FAILURE(compiled.interpret());
  ASSERT_NO_FATAL_FAILURE(compiled.compile(options));
  compiled.store(folder + "/" + rowName(row));
}

} // namespace

int main(int count, char **arguments) {
  testing::InitGoogleTest();
  std::vector<std::string> given(arguments + 1, arguments + count);
  if (given.size() < 2 || (given[1] != "ptx" && given[1] != "bitcode")) {
    std::fprintf(stderr, "usage: gpu-rows FOLDER ptx|bitcode [OP...]\n");
    return 2;
  }
  auto code = given[1] == "ptx" ? mlir::gen::DeviceCode::Ptx : mlir::gen::DeviceCode::Bitcode;
  std::filesystem::create_directories(given[0]);
  for (const Row &row : compiledRows())
    if (given.size() == 2 || std::find(given.begin() + 2, given.end(), row.op) != given.end())
      writeRow(row, given[0], code);
  return testing::UnitTest::GetInstance()->ad_hoc_test_result().Failed();
}
