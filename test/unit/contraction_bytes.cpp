//===- contraction_bytes.cpp - Emitted products of i8 ---------------------===//
//
// Matrix products and convolutions of i8 against sums of integers, which they have to equal: all
// ways to multiply, sizes that are no multiples of anything, sums in several blocks.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "test/unit/ProductKernel.h"
#include "llvm/TargetParser/Host.h"
#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace mlir::gen::kernels;
using namespace mlir::gen::test;

namespace {

constexpr int64_t kLanes = 16, kFours = 4;

struct Target {
  const char *name;
  VectorTarget numbers;
  const char *cpu, *feature; ///< Of LLVM; what the host must have.
};

const Target kTargets[] = {
    {"Single", {16, 16, VectorTarget::Single}, "x86-64-v2", "sse4.2"},
    {"PairsOfSSE", {16, 16, VectorTarget::Pairs}, "x86-64-v2", "sse4.2"},
    {"PairsOfAVX2", {32, 16, VectorTarget::Pairs}, "x86-64-v3", "avx2"},
    {"PairsOfAVX512", {64, 32, VectorTarget::Pairs}, "x86-64-v4", "avx512bw"},
    {"Fours", {64, 32, VectorTarget::Fours}, "", "avx512vnni"}};

/// Images and weights of numbers, -127 and 127 among them, and the weight packed.
struct Operands {
  explicit Operands(const ConvolutionLayer &l)
      : layer(l), fours(llvm::divideCeil(l.c, kFours)), input(l.n * l.h * l.w * l.c),
        weight(l.kh * l.kw * l.c * l.o) {
    std::mt19937 random(3);
    std::uniform_int_distribution<int> uniform(-127, 127);
    for (std::vector<int8_t> *values : {&input, &weight})
      for (int8_t &value : *values)
        value = static_cast<int8_t>(uniform(random));
    std::fill_n(input.begin(), std::min<size_t>(l.c, input.size()), int8_t(-127));
    storage.resize(llvm::divideCeil(l.o, kLanes) * vectorSize() + 64);
    packed = storage.data() + (64 - reinterpret_cast<uintptr_t>(storage.data()) % 64) % 64;
    for (int64_t tap = 0; tap < l.kh * l.kw; ++tap)
      for (int64_t c = 0; c < l.c; ++c)
        for (int64_t o = 0; o < l.o; ++o)
          packed[o / kLanes * vectorSize() +
                 ((tap * fours + c / kFours) * kLanes + o % kLanes) * kFours + c % kFours] =
              weight[(tap * l.c + c) * l.o + o];
  }
  /// Bytes of a vector of columns.
  int64_t vectorSize() const { return layer.kh * layer.kw * fours * kFours * kLanes; }

  /// The layer's product: k counts numbers, of which four are one step of the packed weight.
  Walked walked() const {
    Walked product = layer.forward();
    product.rhsStride = vectorSize();
    int64_t tap = fours * kFours * kLanes, strides[] = {layer.kw * tap, tap, kLanes};
    for (auto [digit, stride] : llvm::zip_equal(product.depth, strides))
      digit.rhsStride = stride;
    return product;
  }

  std::vector<float> expected() const {
    const ConvolutionLayer &l = layer;
    std::vector<float> result;
    for (int64_t n = 0; n < l.n; ++n)
      for (int64_t y = 0; y < l.outHeight(); ++y)
        for (int64_t x = 0; x < l.outWidth(); ++x)
          for (int64_t o = 0; o < l.o; ++o)
            result.push_back(static_cast<float>(sum(n, y, x, o)));
    return result;
  }

  ConvolutionLayer layer;
  int64_t fours;
  std::vector<int8_t> input, weight, storage;
  int8_t *packed;

private:
  int64_t sum(int64_t n, int64_t y, int64_t x, int64_t o) const {
    const ConvolutionLayer &l = layer;
    int64_t result = 0;
    for (int64_t tap = 0; tap < l.kh * l.kw; ++tap)
      for (int64_t c = 0; c < l.c; ++c) {
        int64_t row = y * l.stride + tap / l.kw * l.dilation,
                column = x * l.stride + tap % l.kw * l.dilation;
        result += int64_t(input[((n * l.h + row) * l.w + column) * l.c + c]) *
                  weight[(tap * l.c + c) * l.o + o];
      }
    return result;
  }
};

class ContractionBytes : public testing::TestWithParam<Target> {
protected:
  void SetUp() override {
    if (!llvm::sys::getHostCPUFeatures().lookup(GetParam().feature))
      GTEST_SKIP() << "the processor lacks " << GetParam().feature;
  }

  /// Runs the layer; its sizes are constants of the code, or the rows' are arguments.
  static std::vector<float> run(const Operands &operands, bool isStatic,
                                llvm::function_ref<void(ContractionSchedule &)> change = nullptr) {
    auto context = makeContext();
    OwningOpRef<ModuleOp> module(ModuleOp::create(UnknownLoc::get(context.get())));
    Type pointer = LLVM::LLVMPointerType::get(context.get());
    Type i64 = IntegerType::get(context.get(), 64);
    Walked walked = operands.walked();
    const Target &target = GetParam();
    addProductKernel(
        *module, {pointer, pointer, pointer, i64}, [&](ImplicitLocOpBuilder &b, ValueRange args) {
          auto known = [&](int64_t value) -> Value {
            return arith::ConstantIntOp::create(b, value, 64);
          };
          Contraction c = walked.contraction(args[0], args[1], known);
          if (!isStatic)
            c.rows.front().extent = args[3];
          c.lhsType = c.rhsType = b.getI8Type();
          c.target = target.numbers;
          int64_t m = isStatic ? walked.m() : ShapedType::kDynamic;
          c.schedule = chooseConvolutionSchedule(m, walked.n, walked.k(), operands.layer.c, false,
                                                 b.getF32Type(), target.numbers, kLanes,
                                                 /*rhsIsPacked=*/true);
          if (change)
            change(c.schedule);
          return c;
        });
    JitModule jit(*module, target.cpu);
    std::vector<float> result(walked.m() * walked.n, -1);
    using Kernel = void(const int8_t *, const int8_t *, float *, int64_t);
    jit.lookup<Kernel>("product")(operands.input.data(), operands.packed, result.data(),
                                  operands.layer.n);
    return result;
  }
};

/// A matrix [m, k] times one of n columns.
ConvolutionLayer matrix(int64_t m, int64_t n, int64_t k) { return {m, 1, 1, k, 1, 1, n}; }

TEST_P(ContractionBytes, EqualsTheSumsOfMatrices) {
  for (auto [m, n, k] : {std::array<int64_t, 3>{1, 1, 1},
                         {1, 17, 5},
                         {3, 48, 16},
                         {9, 33, 31},
                         {33, 50, 130},
                         {130, 100, 64}}) {
    Operands operands(matrix(m, n, k));
    EXPECT_EQ(run(operands, true), operands.expected()) << m << " " << n << " " << k;
    EXPECT_EQ(run(operands, false), operands.expected()) << m << " " << n << " " << k;
  }
}

TEST_P(ContractionBytes, EqualsTheSumsOfConvolutions) {
  for (const ConvolutionLayer &layer : {ConvolutionLayer{2, 5, 7, 16, 3, 3, 33},
                                        {1, 6, 6, 18, 2, 3, 20, 2},
                                        {1, 9, 8, 7, 3, 2, 40, 1, 2}}) {
    Operands operands(layer);
    EXPECT_EQ(run(operands, true), operands.expected()) << layer.c;
    EXPECT_EQ(run(operands, false), operands.expected()) << layer.c;
  }
}

TEST_P(ContractionBytes, ContinuesSumsBlockByBlock) {
  for (int64_t k : {4 * 600, 4 * 600 + 3}) {
    Operands operands(matrix(11, 50, k));
    for (int64_t depth : {8, 512})
      EXPECT_EQ(run(operands, true, [&](ContractionSchedule &s) { s.depth = depth; }),
                operands.expected())
          << k << " in blocks of " << depth;
  }
  Operands operands(ConvolutionLayer{1, 6, 6, 18, 3, 3, 20});
  EXPECT_EQ(run(operands, true, [](ContractionSchedule &s) { s.depth = 7; }), operands.expected());
}

TEST_P(ContractionBytes, NothingIsWrittenForNoRows) {
  Operands operands(matrix(0, 20, 16));
  EXPECT_TRUE(run(operands, false).empty());
}

INSTANTIATE_TEST_SUITE_P(Targets, ContractionBytes, testing::ValuesIn(kTargets),
                         [](const auto &info) { return std::string(info.param.name); });

} // namespace
