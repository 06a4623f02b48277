//===- device-library.cpp - products by cuBLASLt, emulated ----------------===//
//
// What a kernel's own code computes, and what the library does in its place, have the same bits:
// the numbers are whole, and their sums exact. The library is the emulator's.
//
//===----------------------------------------------------------------------===//

#include "Compiled.h"
#include "OpTable.h"
#include "passes/LibraryProduct.h"
#include "passes/ScheduleTable.h"
#include <algorithm>
#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace optable;

namespace {

struct Product {
  const char *name, *precision, *text;
  int ofLibrary; ///< Of its products, how many.
};

void PrintTo(const Product &product, std::ostream *out) { *out << product.name; }

const Product kProducts[] = {
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

class DeviceLibrary : public testing::TestWithParam<Product> {
protected:
  void SetUp() override {
    setenv("GEN_CUDA_DRIVER", GEN_CUDA_EMULATOR, /*overwrite=*/1);
    setenv("GEN_CUBLASLT", GEN_CUDA_EMULATOR, /*overwrite=*/1);
    options.target = "cuda";
    options.precision = GetParam().precision;
    options.deviceCode = mlir::gen::DeviceCode::Bitcode;
  }
  void TearDown() override {
    unsetenv("GEN_EMULATOR_NO_ALGORITHM");
    unsetenv("GEN_EMULATOR_ORDER");
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

  static int64_t productsOfLibrary() {
    void *driver = dlopen(GEN_CUDA_EMULATOR, RTLD_NOW);
    auto count = reinterpret_cast<int64_t (*)(const char *)>(dlsym(driver, "emulatorCalls"));
    int64_t calls = count("cublasLtMatmul");
    dlclose(driver);
    return calls;
  }

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
  int64_t before = productsOfLibrary();
  std::vector<std::vector<float>> own = run();
  EXPECT_EQ(productsOfLibrary(), before);
  options.schedules = table;
  for (const char *order : {"forward", "backward"}) {
    setenv("GEN_EMULATOR_ORDER", order, /*overwrite=*/1);
    EXPECT_EQ(run(), own) << order;
  }
  // The third call is the second one's graph again.
  EXPECT_EQ(productsOfLibrary() - before, 2 * 2 * GetParam().ofLibrary);
}

TEST_P(DeviceLibrary, LeavesItToTheKernelWithoutAnAlgorithm) {
  writeTable();
  int64_t before = productsOfLibrary();
  std::vector<std::vector<float>> own = run();
  options.schedules = table;
  setenv("GEN_EMULATOR_NO_ALGORITHM", "1", /*overwrite=*/1);
  EXPECT_EQ(run(), own);
  EXPECT_EQ(productsOfLibrary(), before);
}

INSTANTIATE_TEST_SUITE_P(Products, DeviceLibrary, testing::ValuesIn(kProducts),
                         [](const auto &info) { return info.param.name; });

} // namespace
