//===- device.cpp - sessions on a GPU, emulated ---------------------------===//
//
// What a session promises on a GPU as on the CPU: state, views, weights, loops, errors. And what
// the emulator (test/emulator) promises: faults of kernels show.
//
//===----------------------------------------------------------------------===//

#include "Compiled.h"
#include "OpTable.h"
#include <algorithm>
#include <cmath>
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
    for (const char *variable :
         {"GEN_EMULATOR_DROP_BARRIER", "GEN_EMULATOR_LOOSEN_WAIT", "GEN_EMULATOR_WRONG_STRIDE",
          "GEN_EMULATOR_ORDER", "GEN_EMULATOR_CAPABILITY"})
      unsetenv(variable);
    std::filesystem::remove(path);
  }

  gen::Session open(const std::string &text, const std::string &target = "cpu,cuda",
                    const std::string &precision = "f32") {
    mlir::gen::CompileOptions options;
    options.target = target;
    options.precision = precision;
    options.deviceCode = mlir::gen::DeviceCode::Bitcode;
    compileText(text, options, path);
    return openAgain();
  }
  gen::Session openAgain() {
    gen::SessionOptions options;
    options.device = "cuda";
    return gen::Session(gen::Model::open(path), options);
  }

  /// Numbers from 0 to 10, without an order.
  static gen::Array numbers(const std::vector<int64_t> &shape) {
    gen::Array x(GEN_F32, shape);
    for (size_t i = 0; i < x.size(); ++i)
      x.data<float>()[i] = float(i * 7919 % 1009) / 100;
    return x;
  }
  /// Whole ones, whose sums are exact in any order.
  static gen::Array wholeNumbers(const std::vector<int64_t> &shape) {
    gen::Array x(GEN_F32, shape);
    for (size_t i = 0; i < x.size(); ++i)
      x.data<float>()[i] = float(i * 7919 % 1009 % 11);
    return x;
  }
  static std::vector<float> elements(const gen::View &view) {
    return {view.data<float>(), view.data<float>() + view.size()};
  }

  static std::string fileName() {
    std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    std::replace(name.begin(), name.end(), '/', '-');
    return "device-" + name + ".so";
  }

  std::string path = (std::filesystem::path(testing::TempDir()) / fileName()).string();
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

class DeviceFaults : public Device {
protected:
  /// Each barrier, and each wait for copies, is needed: without it, results are wrong in one order
  /// of threads or the other.
  /// So is each matrix descriptor's stride.
  void expectFound(const std::string &text, const std::vector<gen::Array> &arrays, int barriers,
                   int waits, const std::string &precision = "f32", int descriptors = 0) {
    std::vector<gen::View> arguments(arrays.begin(), arrays.end());
    gen::Session session = open(text, "cuda", precision);
    gen::Array expected(session.call("main", arguments)[0]);
    expectEachFound("GEN_EMULATOR_DROP_BARRIER", barriers, arguments, expected);
    expectEachFound("GEN_EMULATOR_LOOSEN_WAIT", waits, arguments, expected);
    expectEachFound("GEN_EMULATOR_WRONG_STRIDE", descriptors, arguments, expected);
  }

private:
  void expectEachFound(const char *fault, int count, const std::vector<gen::View> &arguments,
                       const gen::Array &expected) {
    for (int number = 0; number <= count; ++number) {
      setenv(fault, std::to_string(number).c_str(), /*overwrite=*/1);
      bool isSame = true;
      for (const char *order : {"forward", "backward"}) {
        setenv("GEN_EMULATOR_ORDER", order, /*overwrite=*/1);
        isSame &= isComputed(arguments, expected);
      }
      EXPECT_EQ(isSame, number == count) << fault << "=" << number;
    }
    unsetenv(fault);
    unsetenv("GEN_EMULATOR_ORDER");
  }

  /// A launch may fail instead.
  bool isComputed(const std::vector<gen::View> &arguments, const gen::Array &expected) {
    try {
      return sameBits(openAgain().call("main", arguments)[0], expected);
    } catch (const gen::Error &) {
      return false;
    }
  }
};

// Two folds of 64 lanes, each with a barrier before warps see what others have, and one between.
TEST_F(DeviceFaults, OfRowsAreFound) {
  expectFound(R"(
func.func @main(%x: tensor<5x200xf32>) -> tensor<5x200xf32> {
  %0 = gen.softmax %x axis 1 : tensor<5x200xf32>
  return %0 : tensor<5x200xf32>
})",
              {numbers({5, 200})}, 2 * 1 + 1, 0);
}

const char *const kProduct = R"(
func.func @main(%x: tensor<20x70xf32>, %y: tensor<70x100xf32>) -> tensor<20x100xf32> {
  %0 = gen.matmul %x, %y : (tensor<20x70xf32>, tensor<70x100xf32>) -> tensor<20x100xf32>
  return %0 : tensor<20x100xf32>
})";

// A barrier a step, one before the sums take the place of operands, one before they are read. Of
// both operands, of one or of none, elements are copied asynchronously.
TEST_F(DeviceFaults, OfProductsAreFound) {
  std::vector<gen::Array> arrays = {numbers({20, 70}), numbers({70, 100})};
  expectFound(kProduct, arrays, 3, 1);
  expectFound(kProduct, arrays, 3, 0, "bf16");
}

// Many more steps than are on their way at once, the last one where the sums will be; 16 bits,
// along k and not.
TEST_F(DeviceFaults, OfLongProductsAreFound) {
  const std::string types =
      "(%x: tensor<32x2112xf32>, %y: tensor<2112x40xf32>) -> tensor<32x40xf32> {";
  for (const char *precision : {"f32", "tf32", "bf16"})
    expectFound("func.func @main" + types + R"(
  %0 = gen.matmul %x, %y : (tensor<32x2112xf32>, tensor<2112x40xf32>) -> tensor<32x40xf32>
  return %0 : tensor<32x40xf32>
})",
                {numbers({32, 2112}), numbers({2112, 40})}, 3, 1, precision);
}

// Of four warps, a tile of unknown sizes. A barrier a step, a fence before it and one behind it,
// two barriers for the sums; waits for copies, for the step before, and for the sums.
TEST_F(DeviceFaults, OfWarpgroupsAreFound) {
  setenv("GEN_EMULATOR_CAPABILITY", "9.0", /*overwrite=*/1);
  expectFound(R"(
func.func @main(%x: tensor<?x320xf32> {gen.dims = ["n", ""]}, %y: tensor<320x?xf32> {gen.dims = ["", "m"]}) -> tensor<?x?xf32> {
  %0 = gen.matmul %x, %y : (tensor<?x320xf32>, tensor<320x?xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
})",
              {numbers({64, 320}), numbers({320, 128})}, 5, 3, "bf16", 2 * 4);
}

// A warp copies, the others multiply. Before, barriers in shared memory are made visible, by a
// fence and a barrier of the block; a step waits for its boxes, begins its products with a fence,
// and says that the step before is done; the warp that copies waits for that, and says how much
// will come; two barriers for the sums. Waits for the step before, for the sums, and for both
// phases.
TEST_F(DeviceFaults, OfBoxesAreFound) {
  setenv("GEN_EMULATOR_CAPABILITY", "9.0", /*overwrite=*/1);
  expectFound(R"(
func.func @main(%x: tensor<?x576xf32> {gen.dims = ["n", ""]}, %y: tensor<?x576xf32> {gen.dims = ["m", ""]}) -> tensor<?x?xf32> {
  %0 = gen.matmul %x, %y transposed : (tensor<?x576xf32>, tensor<?x576xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
})",
              {numbers({64, 576}), numbers({128, 576})}, 9, 4, "bf16", 2 * 4);
}

// A GPU comes to what the CPU does: tiles of all sizes, their ends, all kinds of products.
class DeviceProducts : public Device, public testing::WithParamInterface<const char *> {
protected:
  void expectSame(const std::string &text, const std::vector<gen::Array> &arrays) {
    std::vector<gen::View> arguments(arrays.begin(), arrays.end());
    gen::Session device = open(text, "cpu,cuda", GetParam());
    std::vector<float> results = elements(device.call("main", arguments)[0]);
    gen::Session cpu(gen::Model::open(path), {});
    std::vector<float> expected = elements(cpu.call("main", arguments)[0]);
    if (GetParam() == std::string("tf32")) { // CPUs do not round
      expectNear(results, expected);
      std::vector<gen::Array> rounded = roundedToTf32(arrays);
      arguments.assign(rounded.begin(), rounded.end());
      expected = elements(cpu.call("main", arguments)[0]);
    }
    EXPECT_THAT(results, testing::Pointwise(testing::FloatNear(tolerance(expected)), expected));
  }

  /// A convolution and its gradients, of `inputs` channels, of which each of the `outputs` sees
  /// `seen`.
  void expectConvolutions(int64_t inputs, int64_t seen, int64_t outputs,
                          const std::string &groups) {
    std::vector<int64_t> image = {2, inputs, 9, 8}, made = {2, outputs, 4, 4},
                         weights = {outputs, seen, 4, 3};
    std::string window = " %x, %y strides [2, 2] low [1, 1] high [1, 1] dilations [1, 1]" + groups;
    expectOp("gen.convolution" + window, image, weights, made);
    expectOp("gen.convolution_transpose" + window, made, weights, image);
    expectOp("gen.convolution_weight_gradient" + window, image, made, weights);
  }
  void expectOp(const std::string &op, const std::vector<int64_t> &x, const std::vector<int64_t> &y,
                const std::vector<int64_t> &z,
                gen::Array (&make)(const std::vector<int64_t> &) = numbers) {
    expectSame("func.func @main(%x: " + typeOf(x) + ", %y: " + typeOf(y) + ") -> " + typeOf(z) +
                   " {\n %z = " + op + " : (" + typeOf(x) + ", " + typeOf(y) + ") -> " + typeOf(z) +
                   "\n return %z : " + typeOf(z) + "\n}",
               {make(x), make(y)});
  }

private:
  static std::string typeOf(const std::vector<int64_t> &shape) {
    std::string type = "tensor<";
    for (int64_t size : shape)
      type += std::to_string(size) + "x";
    return type + "f32>";
  }
  /// To ten bits of mantissa, to nearest.
  static std::vector<gen::Array> roundedToTf32(std::vector<gen::Array> arrays) {
    constexpr int kBits = 11;
    for (gen::Array &array : arrays)
      for (size_t i = 0; i < array.size(); ++i) {
        float &x = array.data<float>()[i];
        int exponent;
        x = static_cast<float>(
            std::ldexp(std::round(std::ldexp(std::frexp(x, &exponent), kBits)), exponent - kBits));
      }
    return arrays;
  }
  /// Each operand is off by at most 2^-11 of itself, a sum of positive products twice as much.
  static void expectNear(const std::vector<float> &results, const std::vector<float> &exact) {
    constexpr float kOff = 0x1p-10F + 0x1p-22F;
    float rounding = tolerance(exact);
    ASSERT_EQ(results.size(), exact.size());
    for (size_t i = 0; i < exact.size(); ++i)
      ASSERT_LE(std::abs(results[i] - exact[i]), kOff * exact[i] + rounding) << "element " << i;
  }
  /// Sums of positive numbers, in another order.
  static float tolerance(const std::vector<float> &expected) {
    constexpr float kRounding = 1e-6f;
    return kRounding * std::max(1.0f, *std::max_element(expected.begin(), expected.end()));
  }
};

INSTANTIATE_TEST_SUITE_P(Types, DeviceProducts, testing::Values("f32", "tf32", "bf16", "f16"),
                         [](const auto &info) { return info.param; });

TEST_P(DeviceProducts, OfMatrices) {
  expectSame(kProduct, {numbers({20, 70}), numbers({70, 100})});
  expectSame(R"(
func.func @main(%x: tensor<3x?x9xf32> {gen.dims = ["", "rows", ""]}, %y: tensor<3x5x9xf32>) -> tensor<3x?x5xf32> {
  %0 = gen.matmul %x, %y transposed : (tensor<3x?x9xf32>, tensor<3x5x9xf32>) -> tensor<3x?x5xf32>
  %1 = gen.relu %0 : tensor<3x?x5xf32>
  return %1 : tensor<3x?x5xf32>
})",
             {numbers({3, 70, 9}), numbers({3, 5, 9})});
  expectSame(R"(
func.func @main(%x: tensor<130x400xf32>, %y: tensor<130x3xf32>) -> tensor<400x3xf32> {
  %0 = gen.matmul %x transposed, %y : (tensor<130x400xf32>, tensor<130x3xf32>) -> tensor<400x3xf32>
  return %0 : tensor<400x3xf32>
})",
             {numbers({130, 400}), numbers({130, 3})});
}

// Sizes that let a thread copy 16 bytes at once, along k or not.
TEST_P(DeviceProducts, OfAlignedMatrices) {
  expectOp("gen.matmul %x, %y", {72, 48}, {48, 136}, {72, 136});
  expectOp("gen.matmul %x, %y transposed", {72, 48}, {136, 48}, {72, 136});
  expectOp("gen.matmul %x transposed, %y", {48, 72}, {48, 136}, {72, 136});
  expectOp("gen.matmul %x transposed, %y transposed", {48, 72}, {136, 48}, {72, 136});
}

// More steps of k than are on their way at once.
TEST_P(DeviceProducts, OfLongMatrices) {
  expectOp("gen.matmul %x, %y", {16, 72, 136}, {16, 136, 136}, {16, 72, 136});
  expectOp("gen.matmul %x transposed, %y transposed", {16, 136, 72}, {16, 136, 136}, {16, 72, 136});
}

// Two turns of 128 x 128 sums.
TEST_P(DeviceProducts, OfManyMatrices) {
  expectSame(R"(
func.func @main(%x: tensor<64x130x128xf32>, %y: tensor<64x128x140xf32>) -> tensor<64x130x140xf32> {
  %0 = gen.matmul %x, %y : (tensor<64x130x128xf32>, tensor<64x128x140xf32>) -> tensor<64x130x140xf32>
  return %0 : tensor<64x130x140xf32>
})",
             {numbers({64, 130, 128}), numbers({64, 128, 140})});
}

// Long sums with few results, which blocks share: ragged ones, of as many steps as parts and of
// fewer, and none.
TEST_P(DeviceProducts, OfLongSums) {
  expectOp("gen.matmul %x transposed, %y", {1100, 20}, {1100, 36}, {20, 36}, wholeNumbers);
  expectOp("gen.matmul %x, %y", {3, 70, 1536}, {3, 1536, 5}, {3, 70, 5}, wholeNumbers);
  for (int64_t images : {5, 1, 0})
    expectSame(R"(
func.func @main(%x: tensor<?x4x9x9xf32> {gen.dims = ["n", "", "", ""]}, %y: tensor<?x8x7x7xf32> {gen.dims = ["n", "", "", ""]}, %w: tensor<8x4x3x3xf32>) -> tensor<8x4x3x3xf32> {
  %0 = gen.convolution_weight_gradient %x, %y strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1]
      : (tensor<?x4x9x9xf32>, tensor<?x8x7x7xf32>) -> tensor<8x4x3x3xf32>
  %1 = gen.add %0, %w : (tensor<8x4x3x3xf32>, tensor<8x4x3x3xf32>) -> tensor<8x4x3x3xf32>
  return %1 : tensor<8x4x3x3xf32>
})",
               {wholeNumbers({images, 4, 9, 9}), wholeNumbers({images, 8, 7, 7}),
                wholeNumbers({8, 4, 3, 3})});
}

// The tiles of four warps: 128 x 256, 128 x 128 and 64 x 128, along k and not, with an epilogue.
class DeviceWarpgroups : public DeviceProducts {
protected:
  void SetUp() override {
    DeviceProducts::SetUp();
    setenv("GEN_EMULATOR_CAPABILITY", "9.0", /*overwrite=*/1);
  }
};

INSTANTIATE_TEST_SUITE_P(Types, DeviceWarpgroups, testing::Values("bf16", "f16"),
                         [](const auto &info) { return info.param; });

TEST_P(DeviceWarpgroups, OfMatrices) {
  expectOp("gen.matmul %x, %y", {33, 130, 128}, {33, 128, 136}, {33, 130, 136});
  expectOp("gen.matmul %x, %y transposed", {32, 66, 192}, {32, 130, 192}, {32, 66, 130});
  expectOp("gen.matmul %x transposed, %y", {64, 320, 136}, {64, 320, 256}, {64, 136, 256});
}

// Of which rows, columns or steps of k are known when it runs.
TEST_P(DeviceWarpgroups, OfUnknownSizes) {
  expectSame(R"(
func.func @main(%x: tensor<?x192xf32> {gen.dims = ["n", ""]}, %y: tensor<?x192xf32> {gen.dims = ["m", ""]}) -> tensor<?x?xf32> {
  %0 = gen.matmul %x, %y transposed : (tensor<?x192xf32>, tensor<?x192xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
})",
             {numbers({70, 192}), numbers({130, 192})});
  for (int64_t depth : {70, 0}) // of no elements there are no boxes
    expectSame(R"(
func.func @main(%x: tensor<?x1024xf32> {gen.dims = ["n", ""]}, %y: tensor<?x1024xf32> {gen.dims = ["n", ""]}) -> tensor<1024x1024xf32> {
  %0 = gen.matmul %x transposed, %y : (tensor<?x1024xf32>, tensor<?x1024xf32>) -> tensor<1024x1024xf32>
  return %0 : tensor<1024x1024xf32>
})",
               {numbers({depth, 1024}), numbers({depth, 1024})});
}

// Eight blocks share a tile; some of them have no steps.
TEST_P(DeviceWarpgroups, OfLongSums) {
  for (int64_t depth : {330, 70})
    expectSame(R"(
func.func @main(%x: tensor<?x256xf32> {gen.dims = ["n", ""]}, %y: tensor<?x512xf32> {gen.dims = ["n", ""]}) -> tensor<256x512xf32> {
  %0 = gen.matmul %x transposed, %y : (tensor<?x256xf32>, tensor<?x512xf32>) -> tensor<256x512xf32>
  %1 = gen.partial_sums %0 : tensor<256x512xf32> -> tensor<8x256x512xf32>
  %2 = gen.reduce_sum %1 axes [0] : tensor<8x256x512xf32> -> tensor<256x512xf32>
  return %2 : tensor<256x512xf32>
})",
               {wholeNumbers({depth, 256}), wholeNumbers({depth, 512})});
}

// An epilogue of four columns at once, and one whose columns are no multiple of four.
TEST_P(DeviceWarpgroups, OfMatricesWithEpilogue) {
  for (int64_t columns : {2048, 2050}) {
    std::string text = R"(
func.func @main(%x: tensor<?x192xf32> {gen.dims = ["n", ""]}, %w: tensor<Nx192xf32>, %b: tensor<Nxf32>, %r: tensor<?xNxf32> {gen.dims = ["n", ""]}) -> tensor<?xNxf32> {
  %0 = gen.matmul %x, %w transposed : (tensor<?x192xf32>, tensor<Nx192xf32>) -> tensor<?xNxf32>
  %1 = gen.add %0, %b : (tensor<?xNxf32>, tensor<Nxf32>) -> tensor<?xNxf32>
  %2 = gen.relu %1 : tensor<?xNxf32>
  %3 = gen.add %2, %r : (tensor<?xNxf32>, tensor<?xNxf32>) -> tensor<?xNxf32>
  return %3 : tensor<?xNxf32>
})";
    for (size_t at = 0; (at = text.find('N', at)) != std::string::npos;)
      text.replace(at, 1, std::to_string(columns));
    expectSame(text, {numbers({3, 192}), numbers({columns, 192}), numbers({columns}),
                      numbers({3, columns})});
  }
}

// One of the operands is copied through registers.
TEST_P(DeviceWarpgroups, OfMatricesOfOddDepth) {
  expectOp("gen.matmul %x transposed, %y transposed", {32, 130, 72}, {32, 136, 130}, {32, 72, 136});
}

TEST_P(DeviceWarpgroups, OfConvolutions) {
  expectOp("gen.convolution %x, %y strides [2, 2] low [1, 1] high [1, 1] dilations [1, 1]",
           {512, 16, 9, 8}, {128, 16, 4, 3}, {512, 128, 4, 4});
}

// Of 3 and 10 channels, which are copied one by one, and of two groups of 8 and 16.
TEST_P(DeviceProducts, OfConvolutions) {
  expectConvolutions(3, 3, 10, "");
  expectConvolutions(16, 8, 32, " groups 2");
}

} // namespace
