//===- device.cpp - sessions on a GPU, emulated ---------------------------===//
//
// What a session promises on a GPU as on the CPU: state, views, weights, loops, errors. And what
// the emulator (test/emulator) promises: faults of kernels show.
//
//===----------------------------------------------------------------------===//

#include "Compiled.h"
#include "OpTable.h"
#include <algorithm>
#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace optable;
using testing::ElementsAre;

namespace {

class Device : public testing::Test {
protected:
  void SetUp() override { setenv("GEN_CUDA_DRIVER", GEN_CUDA_EMULATOR, /*overwrite=*/1); }
  void TearDown() override {
    unsetenv("GEN_EMULATOR_DROP_BARRIER");
    unsetenv("GEN_EMULATOR_ORDER");
    std::filesystem::remove(path);
  }

  gen::Session open(const std::string &text, const std::string &target = "cpu,cuda") {
    mlir::gen::CompileOptions options;
    options.target = target;
    options.deviceCode = mlir::gen::DeviceCode::Bitcode;
    compileText(text, options, path);
    return openAgain();
  }
  gen::Session openAgain() {
    gen::SessionOptions options;
    options.device = "cuda";
    return gen::Session(gen::Model::open(path), options);
  }

  static std::vector<float> elements(const gen::View &view) {
    return {view.data<float>(), view.data<float>() + view.size()};
  }

  std::string path = (std::filesystem::path(testing::TempDir()) /
                      (std::string("device-") +
                       testing::UnitTest::GetInstance()->current_test_info()->name() + ".so"))
                         .string();
};

const char *const kCounter = R"(
gen.variable @count : tensor<2xf32> = dense<1.0> : tensor<2xf32>
gen.variable @other : tensor<2xf32> = dense<5.0> : tensor<2xf32>
func.func @add(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = gen.read @count : tensor<2xf32>
  %1 = gen.add %0, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  gen.assign @count, %1 : tensor<2xf32>
  return %1 : tensor<2xf32>
}
func.func @exchange() {
  %0 = gen.read @count : tensor<2xf32>
  %1 = gen.read @other : tensor<2xf32>
  gen.assign @count, %1 : tensor<2xf32>
  gen.assign @other, %0 : tensor<2xf32>
  return
}
)";

// A view sees what a call writes, and a call what is written to a view.
TEST_F(Device, ViewsOfVariables) {
  gen::Session session = open(kCounter);
  gen::Array x(GEN_F32, {2});
  x.data<float>()[0] = 1, x.data<float>()[1] = 2;
  EXPECT_THAT(elements(session.call("add", {x})[0]), ElementsAre(2, 3));
  gen::View view = session.variable("count");
  EXPECT_THAT(elements(view), ElementsAre(2, 3));
  session.call("add", {x});
  EXPECT_THAT(elements(view), ElementsAre(3, 5));
  const_cast<float *>(view.data<float>())[0] = 10;
  EXPECT_THAT(elements(session.call("add", {x})[0]), ElementsAre(11, 7));
}

TEST_F(Device, VariablesAreWrittenSavedAndLoaded) {
  gen::Session session = open(kCounter);
  gen::Array x(GEN_F32, {2});
  x.data<float>()[0] = 1, x.data<float>()[1] = 2;
  std::string weights = path + ".safetensors";
  session.call("add", {x});
  session.save(weights);
  session.setVariable("count", x);
  EXPECT_THAT(elements(session.call("add", {x})[0]), ElementsAre(2, 4));
  session.load(weights);
  EXPECT_THAT(elements(session.call("add", {x})[0]), ElementsAre(3, 5));
  std::filesystem::remove(weights);
}

TEST_F(Device, VariablesExchangeTheirValues) {
  gen::Session session = open(kCounter);
  session.call("exchange");
  EXPECT_THAT(elements(session.variable("count")), ElementsAre(5, 5));
  EXPECT_THAT(elements(session.variable("other")), ElementsAre(1, 1));
}

// Constants that are data of the artefact, a loop whose values take turns, tensors without
// elements.
TEST_F(Device, LoopsAndConstants) {
  gen::Session session = open(R"(
func.func @main(%x: tensor<?x20xf32> {gen.dims = ["n", ""]}) -> tensor<?x20xf32> {
  %table = gen.constant dense<[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0,
                               17.0, 18.0, 19.0]> : tensor<20xf32>
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %steps = arith.constant 3 : index
  %y = scf.for %i = %zero to %steps step %one iter_args(%now = %x) -> tensor<?x20xf32> {
    %first = gen.slice %now starts [0, 0] limits [0, 1] strides [1, 1] : tensor<?x20xf32> -> tensor<?x1xf32>
    %rest = gen.slice %now starts [0, 1] limits [0, 20] strides [1, 1] : tensor<?x20xf32> -> tensor<?x19xf32>
    %turned = gen.concat %rest, %first axis 1 : (tensor<?x19xf32>, tensor<?x1xf32>) -> tensor<?x20xf32>
    %next = gen.add %turned, %table : (tensor<?x20xf32>, tensor<20xf32>) -> tensor<?x20xf32>
    scf.yield %next : tensor<?x20xf32>
  }
  return %y : tensor<?x20xf32>
})");
  for (int64_t rows : {2, 0, 300}) {
    gen::Array x(GEN_F32, {rows, 20});
    for (size_t i = 0; i < x.size(); ++i)
      x.data<float>()[i] = float(i);
    gen::Results results = session.call("main", {x});
    for (int64_t i = 0; i < rows * 20; ++i) {
      int64_t column = i % 20, expected = i - column + (column + 3) % 20;
      for (int64_t step = 0; step < 3; ++step)
        expected += (column + step) % 20;
      ASSERT_EQ(results[0].data<float>()[i], float(expected)) << i;
    }
  }
}

// How often the driver was asked for something.
int64_t driverCalls(const char *function) {
  void *driver = dlopen(GEN_CUDA_EMULATOR, RTLD_NOW | RTLD_NOLOAD);
  auto count = reinterpret_cast<int64_t (*)(const char *)>(dlsym(driver, "emulatorCalls"));
  int64_t calls = count(function);
  dlclose(driver);
  return calls;
}

const char *const kRows = R"(
gen.variable @total : tensor<f32> = dense<0.0> : tensor<f32>
func.func @main(%x: tensor<?x20xf32> {gen.dims = ["n", ""]}) -> tensor<?x20xf32> {
  %old = gen.read @total : tensor<f32>
  %sum = gen.reduce_sum %x axes [0, 1] : tensor<?x20xf32> -> tensor<f32>
  %new = gen.add %old, %sum : (tensor<f32>, tensor<f32>) -> tensor<f32>
  gen.assign @total, %new : tensor<f32>
  %y = gen.add %x, %new : (tensor<?x20xf32>, tensor<f32>) -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
})";

// The first call of a shape asks for each launch, the second is recorded, later ones are one
// launch: with other arguments, after other shapes, and after memory has moved.
TEST_F(Device, CallsBecomeGraphs) {
  gen::Session session = open(kRows);
  float total = 0;
  auto call = [&](int64_t rows, float value) {
    gen::Array x(GEN_F32, {rows, 20});
    std::fill_n(x.data<float>(), x.size(), value);
    total += value * static_cast<float>(x.size());
    gen::Results results = session.call("main", {x});
    std::vector<float> expected(x.size(), value + total);
    EXPECT_EQ(elements(results[0]), expected) << rows << " rows of " << value;
  };
  auto asked = [&](int64_t rows, float value) {
    int64_t launches = driverCalls("cuLaunchKernel"), graphs = driverCalls("cuGraphLaunch");
    call(rows, value);
    return std::pair(driverCalls("cuLaunchKernel") > launches,
                     driverCalls("cuGraphLaunch") - graphs);
  };
  const std::pair direct(true, int64_t(0)), recorded(true, int64_t(1)), replayed(false, int64_t(1));
  EXPECT_EQ(asked(3, 1), direct);
  EXPECT_EQ(asked(2, 2), direct); // in the same memory
  EXPECT_EQ(asked(2, 3), recorded);
  EXPECT_EQ(asked(2, 4), replayed);
  EXPECT_EQ(asked(3, 5), recorded);
  EXPECT_EQ(asked(2, 6), replayed);
  EXPECT_EQ(asked(3, 7), replayed);
  EXPECT_EQ(asked(300, 8), direct); // memory grows
  EXPECT_EQ(asked(2, 9), direct);
  EXPECT_EQ(asked(2, 10), recorded);
  EXPECT_EQ(asked(2, 11), replayed);
  EXPECT_EQ(session.variable("total").scalar<float>(), total);
}

// A variable whose memory was handed out goes to the GPU before what is replayed.
TEST_F(Device, GraphsSeeVariables) {
  gen::Session session = open(kCounter);
  gen::View count = session.variable("count"), other = session.variable("other");
  for (float value = 1; value < 6; ++value) {
    std::fill_n(const_cast<float *>(count.data<float>()), 2, value);
    std::fill_n(const_cast<float *>(other.data<float>()), 2, -value);
    session.call("exchange");
    EXPECT_THAT(elements(count), ElementsAre(-value, -value));
    EXPECT_THAT(elements(other), ElementsAre(value, value));
  }
  int64_t launches = driverCalls("cuGraphLaunch");
  session.startProfile(); // sees each launch
  session.call("exchange");
  session.stopProfile();
  EXPECT_EQ(driverCalls("cuGraphLaunch"), launches);
}

// Each barrier is needed: without it, results are wrong in one order of threads or the other.
TEST_F(Device, MissingBarriersShow) {
  gen::Session session = open(R"(
func.func @main(%x: tensor<5x200xf32>) -> tensor<5x200xf32> {
  %0 = gen.softmax %x axis 1 : tensor<5x200xf32>
  return %0 : tensor<5x200xf32>
})",
                              "cuda");
  gen::Array x(GEN_F32, {5, 200});
  for (size_t i = 0; i < x.size(); ++i)
    x.data<float>()[i] = float(i * 7919 % 1009) / 100;
  gen::Array expected(session.call("main", {x})[0]);
  // Two folds of 64 lanes, each with a barrier for a halving and one for the result, and one
  // between.
  constexpr int kBarriers = 2 * 7 + 1;
  for (int dropped = 0; dropped <= kBarriers; ++dropped) {
    setenv("GEN_EMULATOR_DROP_BARRIER", std::to_string(dropped).c_str(), /*overwrite=*/1);
    bool isSame = true;
    for (const char *order : {"forward", "backward"}) {
      setenv("GEN_EMULATOR_ORDER", order, /*overwrite=*/1);
      isSame &= sameBits(openAgain().call("main", {x})[0], expected);
    }
    EXPECT_EQ(isSame, dropped == kBarriers) << "without barrier " << dropped;
  }
}

} // namespace
