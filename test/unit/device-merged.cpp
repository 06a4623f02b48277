//===- device-merged.cpp - several kernels in one launch ------------------===//
//
// Launches that gen-merge-launches makes one, on the emulated GPU beside the CPU.
//
//===----------------------------------------------------------------------===//

#include "Compiled.h"
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>

using namespace optable;

namespace {

class DeviceMerged : public testing::Test {
protected:
  void SetUp() override { setenv("GEN_CUDA_DRIVER", GEN_CUDA_EMULATOR, /*overwrite=*/1); }
  void TearDown() override {
    unsetenv("GEN_EMULATOR_ORDER");
    std::filesystem::remove(path);
  }

  gen::Session open(const char *device) {
    gen::SessionOptions options;
    options.device = device;
    return gen::Session(gen::Model::open(path), options);
  }

  /// Whole numbers: their sums are exact in any order.
  static gen::Array numbers(const std::vector<int64_t> &shape) {
    gen::Array x(GEN_F32, shape);
    for (size_t i = 0; i < x.size(); ++i)
      x.data<float>()[i] = float(i * 7919 % 1009 % 11) - 5;
    return x;
  }

  /// One launch, of so many operations in products.
  static void expectOneLaunch(gen::Session &session, const std::vector<gen::View> &arguments,
                              double flops) {
    session.startProfile();
    session.call("main", arguments);
    session.stopProfile();
    std::vector<gen_kernel_profile> kernels = session.profile();
    ASSERT_EQ(kernels.size(), 1);
    EXPECT_EQ(kernels[0].calls, 1);
    EXPECT_EQ(kernels[0].flops, flops);
  }

  /// Calls the entry on both as often as a call becomes a graph, and expects the same bits, of
  /// results and variables, and one launch.
  void check(const std::string &text, const std::vector<gen::Array> &arguments, double flops = 0,
             const std::vector<std::string> &variables = {}) {
    mlir::gen::CompileOptions options;
    options.target = "cpu,cuda";
    options.deviceCode = mlir::gen::DeviceCode::Bitcode;
    compileText(text, options, path);
    std::vector<gen::View> views(arguments.begin(), arguments.end());
    for (const char *order : {"forward", "backward"}) {
      SCOPED_TRACE(order);
      setenv("GEN_EMULATOR_ORDER", order, /*overwrite=*/1);
      gen::Session gpu = open("cuda"), cpu = open("cpu");
      for (int call = 0; call < 3; ++call) {
        SCOPED_TRACE(call);
        gen::Results got = gpu.call("main", views), expected = cpu.call("main", views);
        for (size_t i = 0; i < got.size(); ++i)
          EXPECT_TRUE(sameBits(got[i], expected[i])) << describeDifference(got[i], expected[i]);
        for (const std::string &name : variables)
          EXPECT_TRUE(sameBits(gpu.variable(name), cpu.variable(name))) << name;
      }
      expectOneLaunch(gpu, views, flops);
    }
  }

  std::string path = (std::filesystem::path(testing::TempDir()) /
                      (std::string("merged-") +
                       testing::UnitTest::GetInstance()->current_test_info()->name() + ".so"))
                         .string();
};

// Two of one kernel, which share its code, one whose threads have four elements each, one of one
// element. Each is written where it was read.
TEST_F(DeviceMerged, OneUpdateOfAllVariables) {
  check(R"(
gen.variable @a : tensor<33x5xf32> = dense<1.0> : tensor<33x5xf32>
gen.variable @b : tensor<33x5xf32> = dense<2.0> : tensor<33x5xf32>
gen.variable @c : tensor<300000xf32> = dense<3.0> : tensor<300000xf32>
gen.variable @d : tensor<1xf32> = dense<4.0> : tensor<1xf32>
func.func @main(%ga: tensor<33x5xf32>, %gb: tensor<33x5xf32>, %gc: tensor<300000xf32>, %gd: tensor<1xf32>) {
  %a = gen.read @a : tensor<33x5xf32>
  %b = gen.read @b : tensor<33x5xf32>
  %c = gen.read @c : tensor<300000xf32>
  %d = gen.read @d : tensor<1xf32>
  %0 = gen.sub %a, %ga : (tensor<33x5xf32>, tensor<33x5xf32>) -> tensor<33x5xf32>
  %1 = gen.sub %b, %gb : (tensor<33x5xf32>, tensor<33x5xf32>) -> tensor<33x5xf32>
  %2 = gen.sub %c, %gc : (tensor<300000xf32>, tensor<300000xf32>) -> tensor<300000xf32>
  %3 = gen.sub %d, %gd : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  gen.assign @a, %0 : tensor<33x5xf32>
  gen.assign @b, %1 : tensor<33x5xf32>
  gen.assign @c, %2 : tensor<300000xf32>
  gen.assign @d, %3 : tensor<1xf32>
  return
})",
        {numbers({33, 5}), numbers({33, 5}), numbers({300000}), numbers({1})}, 0,
        {"a", "b", "c", "d"});
}

// Sums of columns go through shared memory, of which one asks for four times as much.
TEST_F(DeviceMerged, PartsShareMemory) {
  check(R"(
func.func @main(%x: tensor<64x40xf32>, %y: tensor<64x16384xf32>) -> (tensor<40xf32>, tensor<16384xf32>) {
  %0 = gen.reduce_sum %x axes [0] : tensor<64x40xf32> -> tensor<40xf32>
  %1 = gen.reduce_sum %y axes [0] : tensor<64x16384xf32> -> tensor<16384xf32>
  return %0, %1 : tensor<40xf32>, tensor<16384xf32>
})",
        {numbers({64, 40}), numbers({64, 16384})});
}

// A product's parts have its tile in shared memory; rows and columns do not fill it.
TEST_F(DeviceMerged, ProductsOfOneKernel) {
  check(R"(
func.func @main(%x: tensor<70x40xf32>, %y: tensor<70x40xf32>, %w: tensor<40x9xf32>) -> (tensor<70x9xf32>, tensor<70x9xf32>) {
  %0 = gen.matmul %x, %w : (tensor<70x40xf32>, tensor<40x9xf32>) -> tensor<70x9xf32>
  %1 = gen.relu %0 : tensor<70x9xf32>
  %2 = gen.matmul %y, %w : (tensor<70x40xf32>, tensor<40x9xf32>) -> tensor<70x9xf32>
  %3 = gen.relu %2 : tensor<70x9xf32>
  return %1, %3 : tensor<70x9xf32>, tensor<70x9xf32>
})",
        {numbers({70, 40}), numbers({70, 40}), numbers({40, 9})}, 2.0 * 2 * 70 * 40 * 9);
}

// The number of blocks of each is known when it is launched.
TEST_F(DeviceMerged, UnknownSizes) {
  check(R"(
func.func @main(%x: tensor<?xf32> {gen.dims = ["n"]}, %y: tensor<?xf32> {gen.dims = ["m"]}, %z: tensor<?x3xf32> {gen.dims = ["m", ""]})
    -> (tensor<?xf32>, tensor<?xf32>, tensor<?x3xf32>) {
  %0 = gen.relu %x : tensor<?xf32>
  %1 = gen.relu %y : tensor<?xf32>
  %2 = gen.neg %z : tensor<?x3xf32>
  return %0, %1, %2 : tensor<?xf32>, tensor<?xf32>, tensor<?x3xf32>
})",
        {numbers({700}), numbers({1025}), numbers({1025, 3})});
}

} // namespace
