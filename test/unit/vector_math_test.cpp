//===- vector_math_test.cpp - Accuracy of the emitted elementary functions ===//
//
// Each function, compiled into a loop kernel, against libm in f64: over bit patterns spread evenly
// over all of f32 (so every exponent, denormals, infinities and NaNs of both signs are met), and at
// the corners. Also: the bits do not depend on the number of lanes or the instruction set.
//
//===----------------------------------------------------------------------===//

#include "gen/artefact.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/EntryProgram.h"
#include "passes/kernels/VectorMath.h"
#include "test/unit/JitKernel.h"
#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <vector>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;
using namespace mlir::gen::test;

namespace {

using Emit = Value (*)(ImplicitLocOpBuilder &, Value);
using Kernel = void(const float *, const float *, float *, int64_t);
using EmitBinary = std::function<Value(ImplicitLocOpBuilder &, Value, Value)>;

/// out[i] = f(x[i], y[i]) for i < n, a multiple of `lanes`.
void addLoop(ModuleOp module, StringRef name, int64_t lanes, Type element, const EmitBinary &f) {
  MLIRContext *context = module.getContext();
  Type pointer = LLVM::LLVMPointerType::get(context), i64 = IntegerType::get(context, 64);
  addKernel(module, name, {pointer, pointer, pointer, i64},
            [&](ImplicitLocOpBuilder &b, ValueRange args) {
              Type type = lanes > 1 ? VectorType::get(lanes, element) : element;
              Value zero = arith::ConstantIntOp::create(b, 0, 64);
              Value step = arith::ConstantIntOp::create(b, lanes, 64);
              auto loop = scf::ForOp::create(b, zero, args[3], step);
              b.setInsertionPointToStart(loop.getBody());
              auto at = [&](Value base) -> Value {
                return LLVM::GEPOp::create(b, pointer, element, base, loop.getInductionVar());
              };
              Value x = LLVM::LoadOp::create(b, type, at(args[0]), 4);
              Value y = LLVM::LoadOp::create(b, type, at(args[1]), 4);
              LLVM::StoreOp::create(b, f(b, x, y), at(args[2]), 4);
              b.setInsertionPointAfter(loop);
            });
}

/// `features`: what the emitters may assume of the processor.
std::vector<float> run(const EmitBinary &f, const std::vector<float> &x,
                       const std::vector<float> &y, int64_t lanes = 16, StringRef cpu = "",
                       int features = 0) {
  auto context = makeContext();
  OwningOpRef<ModuleOp> module(ModuleOp::create(UnknownLoc::get(context.get())));
  (*module)->setAttr(kFeaturesAttr,
                     IntegerAttr::get(IntegerType::get(context.get(), 32), features));
  addLoop(*module, "kernel", lanes, Float32Type::get(context.get()), f);
  JitModule jit(*module, cpu);
  std::vector<float> out(x.size());
  jit.lookup<Kernel>("kernel")(x.data(), y.data(), out.data(), static_cast<int64_t>(x.size()));
  return out;
}

/// Distance of `got` from the exact value in units of the last place of f32 there.
double ulpError(float got, double exact) {
  if (std::isnan(exact) || std::isnan(got))
    return std::isnan(exact) && std::isnan(got) ? 0 : std::numeric_limits<double>::infinity();
  float rounded = static_cast<float>(exact);
  if (rounded == got) // also infinities
    return std::isinf(got)
               ? 0
               : std::abs(got - exact) / std::ldexp(1.0, std::max(std::ilogb(exact), -126) - 23);
  double bound = std::numeric_limits<float>::max();
  if (std::isinf(got) || std::isinf(rounded)) // overflow a little too early or late
    return std::abs(std::clamp<double>(got, -0x1p128, 0x1p128) -
                    std::clamp(exact, -0x1p128, 0x1p128)) /
           (bound * 0x1p-24);
  int exponent = exact == 0 ? -126 : std::max(std::ilogb(exact), -126);
  return std::abs(got - exact) / std::ldexp(1.0, exponent - 23);
}

std::vector<float> allRange(uint32_t stride) {
  std::vector<float> x;
  for (uint64_t bits = 0; bits < (uint64_t(1) << 32); bits += stride)
    x.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  for (float special : {0.0f,       -0.0f,      INFINITY,   -INFINITY,       NAN,
                        1.0f,       -1.0f,      0x1p-149f,  -0x1p-149f,      0x1p-126f,
                        -0x1p-126f, 88.72283f,  88.72284f,  -103.97f,        -87.4f,
                        0x1p16f,    1.5707964f, 3.1415927f, 0x1.fffffep127f, -0x1.fffffep127f,
                        0.75f,      1.5f})
    x.push_back(special);
  while (x.size() % 16)
    x.push_back(0.5f);
  return x;
}

struct Function {
  const char *name;
  Emit emit;
  double (*exact)(double);
  double limit; ///< ulp
};

const Function kFunctions[] = {
    {"exp", emitExp, std::exp, 4},
    {"expm1", emitExpm1, std::expm1, 4},
    {"log", emitLog, std::log, 4},
    {"log1p", emitLog1p, std::log1p, 4},
    {"tanh", emitTanh, std::tanh, 4},
    {"sigmoid", emitSigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }, 4},
    {"erf", emitErf, std::erf, 4},
    {"sqrt", emitSqrt, std::sqrt, 0.51},
    {"rsqrt", emitRsqrt, [](double x) { return 1 / std::sqrt(x); }, 1.6},
    {"sin", emitSin, std::sin, 4},
    {"cos", emitCos, std::cos, 4},
};

class VectorMath : public testing::TestWithParam<Function> {};

TEST_P(VectorMath, IsAccurateOverTheWholeRange) {
  const Function &f = GetParam();
  std::vector<float> x = allRange(1021); // a prime: 4.2 million patterns of all mantissas
  auto got = run([&](auto &b, Value x, Value) { return f.emit(b, x); }, x, x);
  double worst = 0;
  float where = 0;
  for (size_t i = 0; i < x.size(); ++i)
    if (double error = ulpError(got[i], f.exact(x[i])); !(error <= worst)) {
      worst = error;
      where = x[i];
    }
  std::printf("%-8s max error %.3f ulp at %a (%g)\n", f.name, worst, where, where);
  EXPECT_LE(worst, f.limit);
}

TEST_P(VectorMath, KeepsSignedZeros) {
  const Function &f = GetParam();
  std::vector<float> x(16, -0.0f);
  auto got = run([&](auto &b, Value x, Value) { return f.emit(b, x); }, x, x);
  EXPECT_EQ(std::signbit(got[3]), std::signbit(f.exact(-0.0)));
}

TEST_P(VectorMath, HasTheSameBitsForAnyLanesAndTarget) {
  const Function &f = GetParam();
  std::vector<float> x = allRange(250007);
  auto emit = [&](auto &b, Value x, Value) { return f.emit(b, x); };
  auto bits = [](const std::vector<float> &v) {
    std::vector<uint32_t> result;
    for (float value : v)
      result.push_back(std::isnan(value) ? 0x7fc00000u : std::bit_cast<uint32_t>(value));
    return result;
  };
  auto reference = bits(run(emit, x, x));
  for (int64_t lanes : {1, 4, 8})
    EXPECT_EQ(reference, bits(run(emit, x, x, lanes))) << lanes << " lanes";
  EXPECT_EQ(reference, bits(run(emit, x, x, 8, "x86-64-v3")));
}

#if defined(__SSE2__)
/// Where the thread flushes denormals, they count as zeros, and nothing else changes.
TEST_P(VectorMath, IsSaneWhenDenormalsAreFlushed) {
  const Function &f = GetParam();
  std::vector<float> x = allRange(65521);
  unsigned saved = _mm_getcsr();
  _mm_setcsr(saved | 0x8040);
  auto got = run([&](auto &b, Value x, Value) { return f.emit(b, x); }, x, x);
  _mm_setcsr(saved);
  for (size_t i = 0; i < x.size(); ++i) {
    bool isDenormal = x[i] != 0 && std::abs(x[i]) < 0x1p-126f;
    double exact = f.exact(isDenormal ? std::copysign(0.0, x[i]) : x[i]);
    if (std::abs(exact) < 0x1p-125)
      EXPECT_LE(std::abs(got[i]), 0x1p-125f) << f.name << " of " << x[i];
    else
      EXPECT_LE(ulpError(got[i], exact), f.limit) << f.name << " of " << x[i];
  }
}
#endif

INSTANTIATE_TEST_SUITE_P(Functions, VectorMath, testing::ValuesIn(kFunctions),
                         [](const auto &info) { return std::string(info.param.name); });

TEST(VectorMathPow, IsAccurateAndHandlesAllSpecialPairs) {
  std::vector<float> values = {
      0.0f,          -0.0f,  1.0f,        -1.0f,       0.5f,        -0.5f,        2.0f,
      -2.0f,         3.0f,   -3.0f,       INFINITY,    -INFINITY,   NAN,          0x1p-149f,
      1e30f,         -1e30f, 16777215.0f, 16777216.0f, 16777217.0f, -16777215.0f, 0x1.fffffep-1f,
      0x1.000002p0f, 1.5f,   -2.5f,       0x1p-126f};
  std::vector<float> x, y;
  for (float base : values)
    for (float exponent : values) {
      x.push_back(base);
      y.push_back(exponent);
    }
  uint64_t state = 1;
  auto next = [&] {
    return static_cast<uint32_t>((state = state * 6364136223846793005u + 1442695040888963407u) >>
                                 32);
  };
  for (int i = 0; i < 1 << 20; ++i) { // any base with exponents that keep many results in range
    float base = std::bit_cast<float>(next());
    x.push_back(i % 4 ? std::abs(base) : base);
    float log = std::log2(std::abs(base));
    float scale = static_cast<float>(next()) * 0x1p-31f - 1;
    y.push_back(i % 4 == 0 ? std::nearbyint(scale * 40) : scale * 150 / (log == 0 ? 1 : log));
  }
  while (x.size() % 16) {
    x.push_back(1);
    y.push_back(1);
  }
  auto got = run([](auto &b, Value x, Value y) { return emitPow(b, x, y); }, x, y);
  double worst = 0;
  size_t where = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    double exact = std::pow(static_cast<double>(x[i]), static_cast<double>(y[i]));
    double error = ulpError(got[i], exact);
    if (!std::isnan(exact) && std::signbit(exact) != std::signbit(got[i]))
      error = INFINITY;
    if (!(error <= worst)) {
      worst = error;
      where = i;
    }
  }
  std::printf("pow      max error %.3f ulp at (%a, %a)\n", worst, x[where], y[where]);
  EXPECT_LE(worst, 4.0) << got[where];
}

#if defined(__x86_64__)
TEST(VectorMathAvx512, HasTheSameBits) {
  if (!__builtin_cpu_supports("avx512f"))
    GTEST_SKIP() << "this processor has no AVX-512";
  std::vector<float> x = allRange(1021);
  for (const Function &f : kFunctions) {
    auto emit = [&](auto &b, Value x, Value) { return f.emit(b, x); };
    auto plain = run(emit, x, x), own = run(emit, x, x, 16, "", GEN_X86_64_V4);
    for (size_t i = 0; i < x.size(); ++i)
      ASSERT_TRUE(std::bit_cast<uint32_t>(plain[i]) == std::bit_cast<uint32_t>(own[i]) ||
                  (std::isnan(plain[i]) && std::isnan(own[i])))
          << f.name << "(" << x[i] << "): " << plain[i] << ", " << own[i];
  }
}
#endif

/// Not the name of the libm function that it calls.
std::string kernelName(const char *function) { return std::string("kernel_") + function; }

TEST(VectorMathF64, CallsLibm) {
  auto context = makeContext();
  OwningOpRef<ModuleOp> module(ModuleOp::create(UnknownLoc::get(context.get())));
  using Kernel64 = void(const double *, const double *, double *, int64_t);
  for (const Function &f : kFunctions)
    addLoop(*module, kernelName(f.name), 8, Float64Type::get(context.get()),
            [&](auto &b, Value x, Value) { return f.emit(b, x); });
  addLoop(*module, kernelName("pow"), 8, Float64Type::get(context.get()),
          [&](auto &b, Value x, Value y) { return emitPow(b, x, y); });
  JitModule jit(*module);
  std::vector<double> x = {0.1, 1e-12, 0.5, 0.75, 1.25, 2, 7.5, 30}, out(8);
  for (const Function &f : kFunctions) {
    jit.lookup<Kernel64>(kernelName(f.name))(x.data(), x.data(), out.data(), 8);
    for (int i = 0; i < 8; ++i)
      EXPECT_NEAR(out[i], f.exact(x[i]), 1e-15 * std::abs(f.exact(x[i]))) << f.name << x[i];
  }
  jit.lookup<Kernel64>(kernelName("pow"))(x.data(), x.data(), out.data(), 8);
  for (int i = 0; i < 8; ++i)
    EXPECT_NEAR(out[i], std::pow(x[i], x[i]), 1e-15 * std::pow(x[i], x[i]));
}

} // namespace
