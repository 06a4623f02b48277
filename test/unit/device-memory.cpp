//===- device-memory.cpp - tensors, streams and events of a GPU, emulated -===//
//
// Calls in the GPU's memory, between the work of a program on a stream of its own.
//
//===----------------------------------------------------------------------===//

#include "Compiled.h"
#include "DeviceProgram.h"
#include <algorithm>
#include <dlfcn.h>
#include <filesystem>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <numeric>

using optable::DeviceProgram;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

const char *const kTotal = R"(
gen.variable @total : tensor<2xf32> = dense<0.0> : tensor<2xf32>
func.func @add(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = gen.read @total : tensor<2xf32>
  %1 = gen.add %0, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  gen.assign @total, %1 : tensor<2xf32>
  return %1 : tensor<2xf32>
}
func.func @repeat(%x: tensor<?x1xf32> {gen.dims = ["n", ""]}) -> tensor<?x2xf32> {
  %0 = gen.concat %x, %x axis 1 : (tensor<?x1xf32>, tensor<?x1xf32>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}
func.func @negate(%x: tensor<?xf32> {gen.dims = ["n"]}) -> tensor<?xf32> {
  %0 = gen.neg %x : tensor<?xf32>
  return %0 : tensor<?xf32>
}
func.func @square(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %0 = gen.matmul %x, %x transposed : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  return %0 : tensor<8x8xf32>
}
)";

const char *const kRows = R"(
func.func @softmax(%x: tensor<?x24xf32> {gen.dims = ["n", ""]}) -> tensor<?x24xf32> {
  %0 = gen.softmax %x axis 1 : tensor<?x24xf32>
  return %0 : tensor<?x24xf32>
}
func.func @sum(%x: tensor<?x5x24xf32> {gen.dims = ["n", "", ""]}) -> tensor<?xf32> {
  %0 = gen.reduce_sum %x axes [1, 2] : tensor<?x5x24xf32> -> tensor<?xf32>
  return %0 : tensor<?xf32>
}
func.func @columns(%x: tensor<?x3x16384xf32> {gen.dims = ["n", "", ""]}) -> tensor<?x16384xf32> {
  %0 = gen.reduce_sum %x axes [1] : tensor<?x3x16384xf32> -> tensor<?x16384xf32>
  %1 = gen.neg %0 : tensor<?x16384xf32>
  return %1 : tensor<?x16384xf32>
}
func.func @turned(%x: tensor<?x2x3x4xf32> {gen.dims = ["n", "", "", ""]}) -> tensor<?x3x2x4xf32> {
  %0 = gen.transpose %x permutation [0, 2, 1, 3] : tensor<?x2x3x4xf32> -> tensor<?x3x2x4xf32>
  %1 = gen.neg %0 : tensor<?x3x2x4xf32>
  return %1 : tensor<?x3x2x4xf32>
}
)";

const char *const kLarge = R"(
func.func @large(%x: tensor<?x192xf32> {gen.dims = ["n", ""]}, %w: tensor<2048x192xf32>, %b: tensor<2048xf32>) -> tensor<?x2048xf32> {
  %0 = gen.matmul %x, %w transposed : (tensor<?x192xf32>, tensor<2048x192xf32>) -> tensor<?x2048xf32>
  %1 = gen.add %0, %b : (tensor<?x2048xf32>, tensor<2048xf32>) -> tensor<?x2048xf32>
  return %1 : tensor<?x2048xf32>
}
)";

class DeviceMemory : public testing::Test {
protected:
  void SetUp() override {
    setenv("GEN_CUDA_DRIVER", GEN_CUDA_EMULATOR, /*overwrite=*/1);
    compile(kTotal, "cpu,cuda");
  }
  void TearDown() override {
    for (const char *variable : {"GEN_EMULATOR_FAIL", "GEN_EMULATOR_CAPABILITY"})
      unsetenv(variable);
    std::filesystem::remove(path);
  }
  void compile(const char *text, const char *target, const char *precision = "f32") const {
    mlir::gen::CompileOptions options;
    options.precision = precision;
    options.target = target;
    options.deviceCode = mlir::gen::DeviceCode::Bitcode;
    optable::compileText(text, options, path);
  }
  gen::Session open(void *stream = nullptr, const char *device = "cuda") const {
    gen::SessionOptions options;
    options.device = device;
    options.stream = stream;
    return gen::Session(gen::Model::open(path), options);
  }
  template <class Body> static std::string errorOf(Body &&body) {
    try {
      body();
    } catch (const gen::Error &error) {
      return error.what();
    }
    return "";
  }

  std::string path = (std::filesystem::path(testing::TempDir()) /
                      (std::string("device-memory-") +
                       testing::UnitTest::GetInstance()->current_test_info()->name() + ".so"))
                         .string();
};

// Two streams, ordered by events, in calls that are launches, recorded, and replayed.
TEST_F(DeviceMemory, EventsOrderStreams) {
  gen::Session session = open();
  DeviceProgram program;
  for (float step = 1; step < 5; ++step) {
    float elements[] = {step, 10 * step};
    program.write(elements);
    program.record();
    session.waitEvent(program.event);
    gen::Results results = session.callOnDevice("add", {program.view(session)});
    session.recordEvent(program.event);
    program.wait();
    float total = step * (step + 1) / 2;
    EXPECT_THAT(program.read(results[0]), ElementsAre(total, 10 * total));
  }
  EXPECT_THAT(session.variable("total").values<float>(), ElementsAre(10, 100));
}

TEST_F(DeviceMemory, SessionsUseTheStreamOfAProgram) {
  DeviceProgram program;
  gen::Session session = open(program.stream);
  EXPECT_EQ(session.stream(), program.stream);
  for (float step = 1; step < 4; ++step) {
    float elements[] = {1, 2};
    program.write(elements);
    EXPECT_THAT(program.read(session.callOnDevice("add", {program.view(session)})[0]),
                ElementsAre(step, 2 * step));
  }
}

// Kernels read 16 bytes at once only where the memory of an argument begins at a multiple of them.
TEST_F(DeviceMemory, ArgumentsLieAnywhere) {
  constexpr size_t kSide = 8;
  std::vector<float> numbers(kSide * kSide + 3);
  std::iota(numbers.begin(), numbers.end(), 0.0f);
  DeviceProgram program(numbers.size());
  gen::Session session = open(program.stream);
  program.write(numbers.data());
  for (size_t offset : {0, 1, 2, 3}) {
    const float *x = numbers.data() + offset;
    std::vector<float> expected;
    for (size_t i = 0; i < kSide; ++i)
      for (size_t j = 0; j < kSide; ++j)
        expected.push_back(
            std::inner_product(x + i * kSide, x + (i + 1) * kSide, x + j * kSide, 0.0f));
    gen::View argument(static_cast<const float *>(program.view(session).raw()) + offset, GEN_F32,
                       {kSide, kSide});
    EXPECT_EQ(program.read(session.callOnDevice("square", {argument})[0]), expected);
    for (size_t count : {kSide * kSide, kSide * kSide - 1, size_t(3)}) {
      std::vector<float> negative;
      std::transform(x, x + count, std::back_inserter(negative), std::negate<>());
      gen::View some(argument.raw(), GEN_F32, {int64_t(count)});
      EXPECT_EQ(program.read(session.callOnDevice("negate", {some})[0]), negative);
    }
  }
}

// Rows, columns and elements of memory that begins anywhere are the same bits.
TEST_F(DeviceMemory, RowsLieAnywhere) {
  compile(kRows, "cpu,cuda");
  std::vector<float> numbers(2 * 3 * 16384);
  for (size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = float(i * 7919 % 1009 % 11);
  DeviceProgram program(numbers.size() + 3);
  gen::Session session = open(program.stream), cpu = open(nullptr, "cpu");
  auto expectSame = [&](const char *entry, const std::vector<int64_t> &shape) {
    gen::View onHost(numbers.data(), GEN_F32, shape);
    std::vector<float> expected = cpu.call(entry, {onHost})[0].values<float>(), first;
    for (int64_t offset : {0, 1, 2, 3}) {
      std::vector<float> moved(numbers.size() + 3);
      std::copy(numbers.begin(), numbers.end(), moved.begin() + offset);
      program.write(moved.data());
      gen::View x(static_cast<const float *>(program.view(session).raw()) + offset, GEN_F32, shape);
      std::vector<float> results = program.read(session.callOnDevice(entry, {x})[0]);
      if (offset == 0)
        first = results;
      EXPECT_EQ(results, first) << entry << " at " << offset;
      EXPECT_THAT(results, testing::Pointwise(testing::FloatNear(1e-6f), expected)) << entry;
    }
  };
  for (int64_t rows : {10, 1, 0}) {
    expectSame("softmax", {rows, 24});
    expectSame("sum", {rows, 5, 24});
    expectSame("turned", {rows, 2, 3, 4});
    expectSame("columns", {std::min<int64_t>(rows, 2), 3, 16384});
  }
}

// Large products read what is added, and store results, four at once or one by one.
TEST_F(DeviceMemory, EpiloguesOfMemoryAnywhere) {
  constexpr int64_t kRows = 3, kColumns = 2048, kDepth = 192, kBehind = kColumns + 4;
  setenv("GEN_EMULATOR_CAPABILITY", "9.0", /*overwrite=*/1);
  compile(kLarge, "cuda", "bf16");
  std::vector<float> numbers(kBehind + kColumns * kDepth), expected;
  std::iota(numbers.begin(), numbers.begin() + kBehind, 0.0f);
  auto weight = numbers.begin() + kBehind; // exact in 16 bits
  for (int64_t i = 0; i < kColumns * kDepth; ++i)
    weight[i] = float(1 + i * 5 % 7);
  for (int64_t i = 0; i < kRows * kColumns; ++i)
    expected.push_back(std::inner_product(weight + i / kColumns * kDepth,
                                          weight + (i / kColumns + 1) * kDepth,
                                          weight + i % kColumns * kDepth, float(i % kColumns)));
  DeviceProgram program(numbers.size());
  gen::Session session = open(program.stream);
  program.write(numbers.data());
  auto *memory = static_cast<const float *>(program.view(session).raw());
  gen::View x(memory + kBehind, GEN_F32, {kRows, kDepth}),
      w(memory + kBehind, GEN_F32, {kColumns, kDepth});
  for (int64_t offset : {0, 1}) {
    gen::View b(memory + offset, GEN_F32, {kColumns});
    std::vector<float> results = program.read(session.callOnDevice("large", {x, w, b})[0]);
    for (float &result : results)
      result -= float(offset);
    EXPECT_EQ(results, expected) << offset;
  }
}

// A result is an argument of the next call, also where its memory has to grow; calls in host memory
// and variables that are set come in between.
TEST_F(DeviceMemory, ResultsAreArguments) {
  DeviceProgram program;
  gen::Session session = open(program.stream);
  float elements[] = {1, 2};
  program.write(elements);
  gen::View now = program.view(session);
  for (float factor : {1, 2, 4, 8}) {
    now = session.callOnDevice("add", {now})[0];
    EXPECT_THAT(program.read(now), ElementsAre(factor, 2 * factor));
  }
  session.setVariable("total", gen::Array(std::vector<float>{0, 0}, {2}));
  gen::Array x(std::vector<float>{1, 1}, {2});
  EXPECT_THAT(session.call("add", {x})[0].values<float>(), ElementsAre(1, 1));

  gen::View column(program.view(session).raw(), GEN_F32, {2, 1});
  gen::View row = session.callOnDevice("repeat", {column})[0];
  EXPECT_THAT(program.read(row), ElementsAre(1, 1, 2, 2));
  gen::View all(row.raw(), GEN_F32, {4, 1});
  EXPECT_THAT(program.read(session.callOnDevice("repeat", {all})[0]),
              ElementsAre(1, 1, 1, 1, 2, 2, 2, 2));
}

TEST_F(DeviceMemory, DLPackNamesTheDevice) {
  gen::Session session = open(), onCpu = open(nullptr, "cpu");
  DeviceProgram program;
  gen::View view = program.view(session);
  DLManagedTensor *managed = gen::toDLPack(session, view);
  EXPECT_EQ(managed->dl_tensor.device.device_type, kDLCUDA);
  EXPECT_EQ(managed->dl_tensor.device.device_id, 0);
  EXPECT_EQ(managed->dl_tensor.data, view.raw());
  managed->deleter(managed);
  EXPECT_EQ(errorOf([&] { program.view(session, {kDLCUDA, 1}); }),
            "DLPack tensor: expected memory of GPU 0 (device type 2), got device type 2, number 1");
  EXPECT_EQ(errorOf([&] { program.view(session, {kDLCPU, 0}); }),
            "DLPack tensor: expected memory of GPU 0 (device type 2), got device type 1, number 0");
  EXPECT_THAT(errorOf([&] { program.view(onCpu); }), HasSubstr("expected host memory"));
}

// On the CPU the device's memory is the host's; there is no stream.
TEST_F(DeviceMemory, OnTheCpu) {
  gen::Session session = open(nullptr, "cpu");
  gen::Array x(std::vector<float>{1, 2}, {2});
  EXPECT_THAT(session.callOnDevice("add", {x})[0].values<float>(), ElementsAre(1, 2));
  session.wait();
  EXPECT_EQ(errorOf([&] { session.stream(); }),
            "gen_session_stream: the session runs on the CPU; hint: choose the device 'cuda'");
  int stream = 0;
  EXPECT_EQ(errorOf([&] { open(&stream, "cpu"); }),
            "options.stream: a session on the CPU has no stream");
}

// A kernel's failure is known when someone waits; while a profile is recorded, it is named.
TEST_F(DeviceMemory, FailuresAreNamed) {
  gen::Session session = open();
  DeviceProgram program;
  setenv("GEN_EMULATOR_FAIL", "1", /*overwrite=*/1);
  session.callOnDevice("add", {program.view(session)});
  EXPECT_EQ(errorOf([&] { session.wait(); }),
            "GPU: cannot run the model's code (while a profile is recorded, the error names the "
            "kernel): unspecified launch failure (CUDA error 719)");
  session.startProfile();
  EXPECT_THAT(errorOf([&] { session.callOnDevice("add", {program.view(session)}); }),
              testing::MatchesRegex("GPU: cannot run kernel '.*' \\(.*\\) with 1 blocks of .* "
                                    "threads: unspecified launch failure \\(CUDA error 719\\)"));
}

} // namespace
