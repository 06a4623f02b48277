//===- device-library.cpp - kernels by libraries, emulated ----------------===//
//
// What a kernel's own code computes, and what a library does in its place, have the same bits: the
// numbers are whole, and their sums exact. The libraries, cuBLASLt and cuDNN, are the emulator's.
//
//===----------------------------------------------------------------------===//

#include "Compiled.h"
#include "DeviceProgram.h"
#include "OpTable.h"
#include "passes/LibraryKernels.h"
#include "passes/ScheduleTable.h"
#include <algorithm>
#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace optable;

namespace {

const char *const kCublasLt = "cublasLtMatmul", *const kCudnn = "cudnnBackendExecute";

struct Case {
  std::string name, precision, text;
  int ofLibrary; ///< Of its kernels, how many.
  const char *library = kCublasLt;
};

void PrintTo(const Case &example, std::ostream *out) { *out << example.name; }

const Case kProducts[] = {
    {"plain", "f32",
     R"(func.func @main(%x: tensor<5x12xf32>, %y: tensor<12x7xf32>) -> tensor<5x7xf32> {
  %z = gen.matmul %x, %y : (tensor<5x12xf32>, tensor<12x7xf32>) -> tensor<5x7xf32>
  return %z : tensor<5x7xf32>
})",
     1},
    {"turned", "f32",
     R"(func.func @main(%x: tensor<3x12x5xf32>, %y: tensor<3x7x12xf32>) -> tensor<3x5x7xf32> {
  %z = gen.matmul %x transposed, %y transposed : (tensor<3x12x5xf32>, tensor<3x7x12xf32>) -> tensor<3x5x7xf32>
  return %z : tensor<3x5x7xf32>
})",
     1},
    // As a linear layer over several axes.
    {"reshaped", "tf32",
     R"(func.func @main(%x: tensor<2x3x8xf32>, %y: tensor<6x8xf32>) -> tensor<2x3x6xf32> {
  %r = gen.reshape %x : tensor<2x3x8xf32> -> tensor<6x8xf32>
  %m = gen.matmul %r, %y transposed : (tensor<6x8xf32>, tensor<6x8xf32>) -> tensor<6x6xf32>
  %z = gen.reshape %m : tensor<6x6xf32> -> tensor<2x3x6xf32>
  return %z : tensor<2x3x6xf32>
})",
     1},
    {"brain", "bf16",
     R"(func.func @main(%x: tensor<64x96xf32>, %y: tensor<96x128xf32>) -> tensor<64x128xf32> {
  %z = gen.matmul %x, %y : (tensor<64x96xf32>, tensor<96x128xf32>) -> tensor<64x128xf32>
  return %z : tensor<64x128xf32>
})",
     1},
    // The first one's result is rounded, too.
    {"brains", "bf16",
     R"(func.func @main(%x: tensor<64x96xf32>, %y: tensor<96x128xf32>, %w: tensor<64x128xf32>) -> tensor<64x64xf32> {
  %m = gen.matmul %x, %y : (tensor<64x96xf32>, tensor<96x128xf32>) -> tensor<64x128xf32>
  %z = gen.matmul %m, %w transposed : (tensor<64x128xf32>, tensor<64x128xf32>) -> tensor<64x64xf32>
  return %z : tensor<64x64xf32>
})",
     2},
    // Both may happen at the same time, but for the workspace.
    {"independent", "f32",
     R"(func.func @main(%x: tensor<5x12xf32>, %y: tensor<12x7xf32>, %w: tensor<12x6xf32>) -> (tensor<5x7xf32>, tensor<5x6xf32>) {
  %z = gen.matmul %x, %y : (tensor<5x12xf32>, tensor<12x7xf32>) -> tensor<5x7xf32>
  %v = gen.matmul %x, %w : (tensor<5x12xf32>, tensor<12x6xf32>) -> tensor<5x6xf32>
  return %z, %v : tensor<5x7xf32>, tensor<5x6xf32>
})",
     2},
    {"half", "f16",
     R"(func.func @main(%x: tensor<96x64xf32>, %y: tensor<96x128xf32>) -> tensor<64x128xf32> {
  %z = gen.matmul %x transposed, %y : (tensor<96x64xf32>, tensor<96x128xf32>) -> tensor<64x128xf32>
  return %z : tensor<64x128xf32>
})",
     1},
    {"with_more", "f32",
     R"(func.func @main(%x: tensor<5x12xf32>, %y: tensor<12x7xf32>) -> tensor<5x7xf32> {
  %m = gen.matmul %x, %y : (tensor<5x12xf32>, tensor<12x7xf32>) -> tensor<5x7xf32>
  %z = gen.relu %m : tensor<5x7xf32>
  return %z : tensor<5x7xf32>
})",
     0},
    {"of_unknown_size", "f32",
     R"(func.func @main(%x: tensor<?x12xf32>, %y: tensor<12x7xf32>) -> tensor<?x7xf32> {
  %z = gen.matmul %x, %y : (tensor<?x12xf32>, tensor<12x7xf32>) -> tensor<?x7xf32>
  return %z : tensor<?x7xf32>
})",
     0},
    {"of_nothing", "f32",
     R"(func.func @main(%x: tensor<5x0xf32>, %y: tensor<0x7xf32>) -> tensor<5x7xf32> {
  %z = gen.matmul %x, %y : (tensor<5x0xf32>, tensor<0x7xf32>) -> tensor<5x7xf32>
  return %z : tensor<5x7xf32>
})",
     0},
};

/// One of the three ops, "convolution", "transpose" or "weight_gradient", of tensors of such types.
Case convolution(const std::string &name, const std::string &precision, const std::string &op,
                 const std::string &lhs, const std::string &rhs, const std::string &result,
                 const std::string &window) {
  std::string full = op == "convolution" ? "gen.convolution" : "gen.convolution_" + op;
  std::string x = "tensor<" + lhs + "xf32>", y = "tensor<" + rhs + "xf32>",
              z = "tensor<" + result + "xf32>";
  return {name, precision,
          "func.func @main(%x: " + x + ", %y: " + y + ") -> " + z + " {\n  %z = " + full +
              " %x, %y " + window + " : (" + x + ", " + y + ") -> " + z + "\n  return %z : " + z +
              "\n}",
          /*ofLibrary=*/1, kCudnn};
}

const std::string kPlain = "strides [1, 1] low [1, 1] high [1, 1] dilations [1, 1]",
                  kStrided = "strides [2, 2] low [1, 1] high [1, 1] dilations [1, 1]";

std::vector<Case> convolutions() {
  const std::string conv = "convolution", back = "transpose", gradient = "weight_gradient";
  std::vector<Case> cases = {
      convolution("plain", "f32", conv, "2x4x6x6", "6x4x3x3", "2x6x6x6", kPlain),
      convolution("window", "f32", conv, "1x3x9x8", "5x3x3x2", "1x5x3x3",
                  "strides [2, 3] low [1, 0] high [0, 1] dilations [2, 1]"),
      convolution("groups", "f32", conv, "2x6x5x5", "4x3x3x3", "2x4x3x3",
                  "strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] groups 2"),
      convolution("depthwise", "f32", conv, "2x6x5x5", "6x1x3x3", "2x6x5x5", kPlain + " groups 6"),
      convolution("line", "f32", conv, "2x3x10", "4x3x3", "2x4x4",
                  "strides [2] low [0] high [0] dilations [1]"),
      convolution("volume", "f32", conv, "1x2x4x5x6", "3x2x2x3x2", "1x3x3x3x5",
                  "strides [1, 1, 1] low [0, 0, 0] high [0, 0, 0] dilations [1, 1, 1]"),
      convolution("tf32", "tf32", conv, "2x4x6x6", "6x4x3x3", "2x6x6x6", kPlain),
      convolution("brain", "bf16", conv, "2x8x6x6", "16x8x3x3", "2x16x6x6", kPlain),
      convolution("half", "f16", conv, "2x8x6x6", "16x8x3x3", "2x16x6x6", kPlain),
      convolution("back", "f32", back, "2x6x4x4", "6x4x3x3", "2x4x8x8", kStrided),
      convolution("back_window", "f32", back, "1x4x3x3", "4x3x2x2", "1x6x6x5",
                  "strides [2, 1] low [1, 0] high [0, 0] dilations [1, 2] groups 2"),
      convolution("back_line", "f32", back, "2x4x4", "4x3x3", "2x3x10",
                  "strides [2] low [0] high [0] dilations [1]"),
      convolution("back_tf32", "tf32", back, "2x6x4x4", "6x4x3x3", "2x4x8x8", kStrided),
      convolution("back_brain", "bf16", back, "2x16x4x4", "16x8x3x3", "2x8x8x8", kStrided),
      convolution("back_half", "f16", back, "2x16x4x4", "16x8x3x3", "2x8x8x8", kStrided),
      convolution("gradient", "f32", gradient, "2x4x6x6", "2x6x6x6", "6x4x3x3", kPlain),
      convolution("gradient_window", "f32", gradient, "2x4x7x7", "2x6x3x3", "6x2x3x3",
                  "strides [2, 2] low [0, 0] high [0, 0] dilations [1, 1] groups 2"),
      convolution("gradient_volume", "f32", gradient, "1x2x4x5x6", "1x3x3x3x5", "3x2x2x3x2",
                  "strides [1, 1, 1] low [0, 0, 0] high [0, 0, 0] dilations [1, 1, 1]"),
      convolution("gradient_tf32", "tf32", gradient, "2x4x6x6", "2x6x6x6", "6x4x3x3", kPlain),
      convolution("gradient_brain", "bf16", gradient, "2x8x6x6", "2x16x6x6", "16x8x3x3", kPlain),
      convolution("gradient_half", "f16", gradient, "2x8x6x6", "2x16x6x6", "16x8x3x3", kPlain)};
  // The first one's result is rounded, too.
  cases.push_back(
      {"brains", "bf16",
       R"(func.func @main(%x: tensor<2x8x6x6xf32>, %w: tensor<16x8x3x3xf32>, %v: tensor<8x16x1x1xf32>) -> tensor<2x8x6x6xf32> {
  %y = gen.convolution %x, %w strides [1, 1] low [1, 1] high [1, 1] dilations [1, 1]
      : (tensor<2x8x6x6xf32>, tensor<16x8x3x3xf32>) -> tensor<2x16x6x6xf32>
  %z = gen.convolution %y, %v strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1]
      : (tensor<2x16x6x6xf32>, tensor<8x16x1x1xf32>) -> tensor<2x8x6x6xf32>
  return %z : tensor<2x8x6x6xf32>
})",
       2, kCudnn});
  cases.push_back(
      {"with_more", "f32",
       R"(func.func @main(%x: tensor<2x4x6x6xf32>, %w: tensor<6x4x3x3xf32>) -> tensor<2x6x4x4xf32> {
  %y = gen.convolution %x, %w strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1]
      : (tensor<2x4x6x6xf32>, tensor<6x4x3x3xf32>) -> tensor<2x6x4x4xf32>
  %z = gen.relu %y : tensor<2x6x4x4xf32>
  return %z : tensor<2x6x4x4xf32>
})",
       0, kCudnn});
  cases.push_back(
      {"of_unknown_size", "f32",
       R"(func.func @main(%x: tensor<?x4x6x6xf32>, %w: tensor<6x4x3x3xf32>) -> tensor<?x6x4x4xf32> {
  %y = gen.convolution %x, %w strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1]
      : (tensor<?x4x6x6xf32>, tensor<6x4x3x3xf32>) -> tensor<?x6x4x4xf32>
  return %y : tensor<?x6x4x4xf32>
})",
       0, kCudnn});
  return cases;
}

/// Those that a library computes.
std::vector<Case> onlyOfLibraries() {
  std::vector<Case> cases = convolutions();
  cases.insert(cases.end(), std::begin(kProducts), std::end(kProducts));
  std::erase_if(cases, [](const Case &example) { return example.ofLibrary == 0; });
  return cases;
}

/// The calls of a function of the emulator's.
int64_t callsOf(const char *function) {
  void *driver = dlopen(GEN_CUDA_EMULATOR, RTLD_NOW);
  auto count = reinterpret_cast<int64_t (*)(const char *)>(dlsym(driver, "emulatorCalls"));
  int64_t calls = count(function);
  dlclose(driver);
  return calls;
}

class DeviceLibrary : public testing::TestWithParam<Case> {
protected:
  void SetUp() override {
    setenv("GEN_CUDA_DRIVER", GEN_CUDA_EMULATOR, /*overwrite=*/1);
    setenv("GEN_CUBLASLT", GEN_CUDA_EMULATOR, /*overwrite=*/1);
    setenv("GEN_CUDNN", GEN_CUDA_EMULATOR, /*overwrite=*/1);
    options.target = "cuda";
    options.precision = GetParam().precision;
    options.deviceCode = mlir::gen::DeviceCode::Bitcode;
  }
  void TearDown() override {
    for (const char *fault : {"GEN_EMULATOR_NO_ALGORITHM", "GEN_EMULATOR_NO_ENGINE",
                              "GEN_EMULATOR_NO_LIBRARY", "GEN_EMULATOR_ORDER"})
      unsetenv(fault);
    std::filesystem::remove(table);
  }

  /// A file that has the library compute what it can. How many products these are.
  int writeTable() {
    auto context = makeContext();
    auto module = parse(*context, GetParam().text);
    EXPECT_TRUE(mlir::succeeded(mlir::gen::makeKernels(*module, options)));
    mlir::Builder b(context.get());
    auto library = b.getDictionaryAttr(b.getNamedAttr(mlir::gen::kLibrary, b.getBoolAttr(true)));
    mlir::gen::ScheduleTable schedules;
    int count = 0;
    for (auto kernel : module->getOps<mlir::gen::KernelOp>())
      if (!mlir::gen::ScheduleTable::keyOf(kernel, {}).empty()) {
        schedules.set(kernel, library);
        ++count;
      }
    EXPECT_FALSE(static_cast<bool>(schedules.write(table)));
    return count;
  }

  /// The results of three calls: one that asks for launches, one that is recorded, and replayed.
  std::vector<std::vector<float>> run() {
    std::string path = fileName(".so");
    compileText(GetParam().text, options, path);
    gen::SessionOptions onDevice;
    onDevice.device = "cuda";
    gen::Model model = gen::Model::open(path);
    gen::Session session(model, onDevice);
    std::filesystem::remove(path);
    std::vector<gen::EntrySpec> entries = model.entries();
    std::vector<std::vector<float>> results;
    for (unsigned seed = 0; seed < 3; ++seed) {
      std::vector<gen::Array> arguments;
      for (const gen::TensorSpec &spec : entries.front().inputs)
        arguments.push_back(wholeNumbers(spec.shape, seed + unsigned(arguments.size())));
      gen::Results got =
          session.call("main", std::vector<gen::View>(arguments.begin(), arguments.end()));
      for (size_t i = 0; i < got.size(); ++i)
        results.emplace_back(got[i].data<float>(), got[i].data<float>() + got[i].size());
    }
    return results;
  }

  static gen::Array wholeNumbers(std::vector<int64_t> shape, unsigned seed) {
    constexpr int64_t kUnknown = 4;
    for (int64_t &size : shape)
      size = size < 0 ? kUnknown : size;
    gen::Array x(GEN_F32, shape);
    for (size_t i = 0; i < x.size(); ++i)
      x.data<float>()[i] = float((i + seed) * 7919 % 1009 % 11) - 5;
    return x;
  }

  static int64_t callsOfLibrary() { return callsOf(GetParam().library); }

  static std::string fileName(const std::string &extension) {
    std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    std::replace(name.begin(), name.end(), '/', '-');
    return (std::filesystem::path(testing::TempDir()) / ("library-" + name + extension)).string();
  }

  mlir::gen::CompileOptions options;
  std::string table = fileName(".json");
};

TEST_P(DeviceLibrary, ComputesWhatTheKernelDoes) {
  ASSERT_EQ(writeTable(), GetParam().ofLibrary);
  int64_t before = callsOfLibrary(), beforeOnCores = callsOf("cudnnOnTensorCores");
  std::vector<std::vector<float>> own = run();
  EXPECT_EQ(callsOfLibrary(), before);
  options.schedules = table;
  for (const char *order : {"forward", "backward"}) {
    setenv("GEN_EMULATOR_ORDER", order, /*overwrite=*/1);
    EXPECT_EQ(run(), own) << order;
  }
  // The third call is the second one's graph again.
  int64_t calls = callsOfLibrary() - before;
  EXPECT_EQ(calls, 2 * 2 * GetParam().ofLibrary);
  // f32 stays f32.
  if (GetParam().library == kCudnn)
    EXPECT_EQ(callsOf("cudnnOnTensorCores") - beforeOnCores,
              GetParam().precision == "f32" ? 0 : calls);
}

/// What libraries may not be able to do.
class WithoutLibrary : public DeviceLibrary {
protected:
  void expectKernel(const char *fault) {
    ASSERT_GT(writeTable(), 0);
    int64_t before = callsOfLibrary();
    std::vector<std::vector<float>> own = run();
    options.schedules = table;
    setenv(fault, "1", /*overwrite=*/1);
    EXPECT_EQ(run(), own);
    EXPECT_EQ(callsOfLibrary(), before);
  }
};

TEST_P(WithoutLibrary, LeavesItToTheKernelWithoutAnAlgorithm) {
  expectKernel(GetParam().library == kCudnn ? "GEN_EMULATOR_NO_ENGINE"
                                            : "GEN_EMULATOR_NO_ALGORITHM");
}

TEST_P(WithoutLibrary, LeavesItToTheKernelIfItCannotStart) {
  expectKernel("GEN_EMULATOR_NO_LIBRARY");
}

/// Both ops, of arguments that may lie anywhere.
const Case kAnywhere[] = {
    {"product", "f32",
     R"(func.func @main(%x: tensor<4x4xf32>, %w: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %z = gen.matmul %x, %w : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  return %z : tensor<4x4xf32>
})",
     1, kCublasLt},
    {"convolution", "f32",
     R"(func.func @main(%x: tensor<1x3x4x4xf32>, %w: tensor<2x2x4x4xf32>) -> tensor<1x2x3x4xf32> {
  %z = gen.convolution %x, %w strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<1x3x4x4xf32>, tensor<2x2x4x4xf32>) -> tensor<1x2x3x4xf32>
  return %z : tensor<1x2x3x4xf32>
})",
     1, kCudnn}};

class LibraryAnywhere : public DeviceLibrary {};

TEST_P(LibraryAnywhere, TakesAlignedMemoryOnly) {
  ASSERT_EQ(writeTable(), 1);
  options.schedules = table;
  std::string path = fileName(".so");
  compileText(GetParam().text, options, path);
  std::vector<float> numbers(128);
  for (size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = float(i * 7 % 11);
  DeviceProgram program(numbers.size());
  gen::SessionOptions onDevice;
  onDevice.device = "cuda";
  onDevice.stream = program.stream;
  gen::Model model = gen::Model::open(path);
  gen::Session session(model, onDevice);
  std::filesystem::remove(path);
  const gen::EntrySpec entry = model.entries().front();
  auto call = [&](int64_t offset) { // the same numbers, elsewhere
    std::vector<float> moved(numbers.size());
    std::copy(numbers.begin(), numbers.end() - offset, moved.begin() + offset);
    program.write(moved.data());
    std::vector<gen::View> arguments;
    for (const gen::TensorSpec &spec : entry.inputs)
      arguments.emplace_back(static_cast<const float *>(program.view(session).raw()) + offset,
                             GEN_F32, spec.shape);
    return program.read(session.callOnDevice("main", arguments)[0]);
  };
  int64_t before = callsOfLibrary();
  std::vector<float> results = call(0);
  EXPECT_EQ(callsOfLibrary(), before + 1);
  EXPECT_EQ(call(1), results);
  EXPECT_EQ(callsOfLibrary(), before + 1);
}

std::string nameOf(const testing::TestParamInfo<Case> &info) {
  return (info.param.library == kCudnn ? "convolution_" : "product_") + info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Products, DeviceLibrary, testing::ValuesIn(kProducts), nameOf);
INSTANTIATE_TEST_SUITE_P(Convolutions, DeviceLibrary, testing::ValuesIn(convolutions()), nameOf);
INSTANTIATE_TEST_SUITE_P(Kernels, WithoutLibrary, testing::ValuesIn(onlyOfLibraries()), nameOf);
INSTANTIATE_TEST_SUITE_P(Kernels, LibraryAnywhere, testing::ValuesIn(kAnywhere), nameOf);

} // namespace
