//===- contraction_test.cpp - Emitted matrix products ---------------------===//
//
// Products of all transposes, sizes and schedules against sums in f64, and the bit contract: an
// element of C depends on its row of A and column of B alone.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "test/unit/ProductKernel.h"
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace mlir::gen::kernels;
using namespace mlir::gen::test;

namespace {

struct Problem {
  int64_t m, n, k;
  bool transposeLhs = false, transposeRhs = false;
};

struct Variant {
  bool isStatic = true;
  int64_t lanes = 16;
  VectorTarget target = {};
  std::function<void(ContractionSchedule &)> change = nullptr;
  const char *cpu = "";
  bool rhsIsPacked = false;
};

template <typename T>
using Kernel = void(const T *, const T *, T *, int64_t, int64_t, int64_t, int64_t, int64_t);

/// C = A B by all tasks in turn; arguments: A, B, C, m, n, k, strides of A and B.
template <typename T>
void addProduct(ModuleOp module, const Problem &problem, const Variant &variant) {
  MLIRContext *context = module.getContext();
  Type pointer = LLVM::LLVMPointerType::get(context), i64 = IntegerType::get(context, 64);
  Type element = sizeof(T) == 4 ? Type(Float32Type::get(context)) : Float64Type::get(context);
  auto size = [&](int64_t value) { return variant.isStatic ? value : ShapedType::kDynamic; };
  SmallVector<Type> arguments = {pointer, pointer, pointer, i64, i64, i64, i64, i64};
  addProductKernel(module, arguments, [&](ImplicitLocOpBuilder &b, ValueRange args) {
    auto known = [&](unsigned i, int64_t value) -> Value {
      return variant.isStatic ? arith::ConstantIntOp::create(b, value, 64).getResult() : args[i];
    };
    Contraction c;
    c.lhs = args[0];
    c.rhs = args[1];
    c.m = known(3, problem.m);
    c.n = known(4, problem.n);
    c.k = known(5, problem.k);
    c.lhsStride = args[6];
    c.rhsStride = args[7];
    c.transposeLhs = problem.transposeLhs;
    c.transposeRhs = problem.transposeRhs;
    c.elementType = element;
    c.schedule = chooseSchedule(size(problem.m), size(problem.n), size(problem.k),
                                problem.transposeLhs, problem.transposeRhs, element, variant.target,
                                variant.lanes, variant.rhsIsPacked);
    if (variant.change)
      variant.change(c.schedule);
    return c;
  });
}

/// Random operands with padded rows, so that a wrong stride shows.
template <typename T> struct Operands {
  explicit Operands(const Problem &p)
      : p(p), lhsStride((p.transposeLhs ? p.m : p.k) + 3),
        rhsStride((p.transposeRhs ? p.k : p.n) + 5), lhs(lhsStride * (p.transposeLhs ? p.k : p.m)),
        rhs(rhsStride * (p.transposeRhs ? p.n : p.k)) {
    std::mt19937 random(7);
    std::uniform_real_distribution<T> uniform(-1, 1);
    for (std::vector<T> *values : {&lhs, &rhs})
      for (T &value : *values)
        value = uniform(random);
  }
  T a(int64_t i, int64_t k) const {
    return p.transposeLhs ? lhs[k * lhsStride + i] : lhs[i * lhsStride + k];
  }
  T b(int64_t k, int64_t j) const {
    return p.transposeRhs ? rhs[j * rhsStride + k] : rhs[k * rhsStride + j];
  }

  Problem p;
  int64_t lhsStride, rhsStride;
  std::vector<T> lhs, rhs;
};

/// B as [ceil(n / lanes), k, lanes], zeros beyond n, on a boundary of 64 bytes.
struct PackedRhs {
  PackedRhs(const Operands<float> &o, int64_t n, int64_t k) {
    constexpr int64_t kLanes = 16;
    values.resize((n + kLanes - 1) / kLanes * kLanes * k + kLanes);
    while (reinterpret_cast<uintptr_t>(data()) % 64)
      ++offset;
    for (int64_t j = 0; j < n; ++j)
      for (int64_t i = 0; i < k; ++i)
        values[offset + (j / kLanes * k + i) * kLanes + j % kLanes] = o.b(i, j);
  }
  const float *data() const { return values.data() + offset; }
  std::vector<float> values;
  size_t offset = 0;
};

/// The product of the first `rows` rows; guards around C must survive.
template <typename T>
std::vector<T> product(JitModule &jit, const Operands<T> &o, int64_t m, int64_t n, int64_t k,
                       const T *rhs = nullptr) {
  constexpr int64_t kGuard = 64;
  std::vector<T> result(m * n + 2 * kGuard, T(-77));
  jit.lookup<Kernel<T>>("product")(o.lhs.data(), rhs ? rhs : o.rhs.data(), result.data() + kGuard,
                                   m, n, k, o.lhsStride, o.rhsStride);
  for (int64_t i = 0; i < kGuard; ++i) {
    EXPECT_EQ(result[i], T(-77));
    EXPECT_EQ(result[result.size() - 1 - i], T(-77));
  }
  return {result.begin() + kGuard, result.end() - kGuard};
}

template <typename T>
std::unique_ptr<JitModule> compile(const Problem &problem, const Variant &variant) {
  auto context = makeContext();
  OwningOpRef<ModuleOp> module(ModuleOp::create(UnknownLoc::get(context.get())));
  addProduct<T>(*module, problem, variant);
  return std::make_unique<JitModule>(*module, variant.cpu);
}

/// Largest error relative to the sum of |a||b|, in units of the type's epsilon and sqrt(k).
template <typename T> void expectRight(const std::vector<T> &c, const Operands<T> &o) {
  const Problem &p = o.p;
  for (int64_t i = 0; i < p.m; ++i)
    for (int64_t j = 0; j < p.n; ++j) {
      long double sum = 0, size = 0;
      for (int64_t k = 0; k < p.k; ++k) {
        long double term = static_cast<long double>(o.a(i, k)) * o.b(k, j);
        sum += term;
        size += std::abs(term);
      }
      long double bound = size * std::numeric_limits<T>::epsilon() * (2 + std::sqrt(p.k));
      ASSERT_LE(std::abs(c[i * p.n + j] - sum), bound)
          << p.m << "x" << p.n << "x" << p.k << " at " << i << ", " << j;
    }
}

std::vector<Problem> problems() {
  const int64_t sizes[][3] = {{1, 1, 1},     {2, 3, 4},    {7, 5, 3},     {8, 48, 16},
                              {1, 40, 20},   {128, 1, 33}, {5, 16, 0},    {0, 7, 3},
                              {3, 0, 9},     {13, 17, 19}, {33, 100, 65}, {64, 400, 20},
                              {20, 40, 130}, {1, 300, 70}, {9, 49, 1},    {150, 200, 37},
                              {40, 3, 50},   {100, 2, 0},  {17, 4, 600},  {6, 7, 2100}};
  std::vector<Problem> result;
  for (auto [m, n, k] : sizes)
    for (int transposes = 0; transposes < 4; ++transposes)
      result.push_back({m, n, k, (transposes & 1) != 0, (transposes & 2) != 0});
  return result;
}

TEST(Contraction, StaticSizesAreRight) {
  for (const Problem &p : problems()) {
    Operands<float> o(p);
    expectRight(product(*compile<float>(p, {}), o, p.m, p.n, p.k), o);
  }
}

/// One code for all sizes, and it gives the bits of the static one.
TEST(Contraction, DynamicSizesEqualStaticOnes) {
  for (int transposes = 0; transposes < 4; ++transposes) {
    Variant dynamic{.isStatic = false};
    auto code = compile<float>({1, 1, 1, (transposes & 1) != 0, (transposes & 2) != 0}, dynamic);
    for (const Problem &p : problems()) {
      if (p.transposeLhs != ((transposes & 1) != 0) || p.transposeRhs != ((transposes & 2) != 0))
        continue;
      Operands<float> o(p);
      std::vector<float> c = product(*code, o, p.m, p.n, p.k);
      expectRight(c, o);
      EXPECT_EQ(c, product(*compile<float>(p, {}), o, p.m, p.n, p.k))
          << p.m << "x" << p.n << "x" << p.k;
    }
  }
}

TEST(Contraction, LanesAndTargetsGiveEqualBits) {
  for (int transposes = 0; transposes < 4; ++transposes) {
    Problem p{37, 53, 130, (transposes & 1) != 0, (transposes & 2) != 0};
    Operands<float> o(p);
    std::vector<float> c = product(*compile<float>(p, {}), o, p.m, p.n, p.k);
    for (int64_t lanes : {4, 8, 16})
      for (VectorTarget target : {VectorTarget{32, 16}, VectorTarget{16, 16}, VectorTarget{64, 32}})
        EXPECT_EQ(c,
                  product(*compile<float>(p, {.lanes = lanes, .target = target}), o, p.m, p.n, p.k))
            << lanes;
    VectorTarget avx2{32, 16};
    Variant variant{.lanes = 16, .target = avx2, .cpu = "x86-64-v3"};
    EXPECT_EQ(c, product(*compile<float>(p, variant), o, p.m, p.n, p.k));
  }
}

TEST(Contraction, SchedulesGiveEqualBits) {
  for (int transposes = 0; transposes < 4; ++transposes)
    for (bool isStatic : {true, false}) {
      Problem p{45, 150, 100, (transposes & 1) != 0, (transposes & 2) != 0};
      Operands<float> o(p);
      std::vector<float> c = product(*compile<float>(p, {}), o, p.m, p.n, p.k);
      auto check = [&](auto change) {
        auto code = compile<float>(p, {.isStatic = isStatic, .change = change});
        EXPECT_EQ(c, product(*code, o, p.m, p.n, p.k));
      };
      check([](ContractionSchedule &s) { s.depth = 16, s.panels = 2, s.rowBlock = 16; });
      check(
          [](ContractionSchedule &s) { s.depth = 7, s.rows = 6, s.vectors = 4, s.rowBlock = 12; });
      check([&](ContractionSchedule &s) {
        s.packRhs = p.transposeRhs, s.packLhs = false, s.depth = 64;
      });
      check([&](ContractionSchedule &s) {
        s.packRhs = true, s.packLhs = p.transposeLhs, s.depth = 64, s.panels = 3, s.rows = 4;
      });
    }
}

/// A right-hand side packed before gives the bits of one packed on the way.
TEST(Contraction, PackedRhsGivesEqualBits) {
  for (const Problem &p : problems()) {
    if (!p.transposeRhs || p.n == 0)
      continue;
    Operands<float> o(p);
    PackedRhs packed(o, p.n, p.k);
    std::vector<float> c = product(*compile<float>(p, {}), o, p.m, p.n, p.k);
    for (bool isStatic : {true, false}) {
      auto code = compile<float>(p, {.isStatic = isStatic, .rhsIsPacked = true});
      EXPECT_EQ(c, product(*code, o, p.m, p.n, p.k, packed.data()))
          << p.m << "x" << p.n << "x" << p.k << (isStatic ? "" : " dynamic");
    }
  }
}

/// A row has the same bits in a batch of 1 and of 128.
TEST(Contraction, RowsDoNotDependOnTheBatch) {
  for (bool transposeRhs : {false, true})
    for (bool isStatic : {false, true}) {
      Problem p{128, 100, 77, false, transposeRhs}, single{1, 100, 77, false, transposeRhs};
      Operands<float> o(p);
      std::vector<float> all = product(*compile<float>(p, {isStatic}), o, p.m, p.n, p.k);
      std::vector<float> one = product(*compile<float>(single, {isStatic}), o, 1, p.n, p.k);
      EXPECT_EQ(one, std::vector<float>(all.begin(), all.begin() + p.n));
    }
}

TEST(Contraction, F64) {
  for (const Problem &p :
       {Problem{20, 30, 40}, Problem{9, 17, 33, true, true}, Problem{130, 50, 70, true, false}})
    for (bool isStatic : {true, false}) {
      Operands<double> o(p);
      expectRight(
          product(*compile<double>(p, {.isStatic = isStatic, .lanes = 8}), o, p.m, p.n, p.k), o);
    }
}

/// Enough tasks for many threads, and a bounded stack, for the layers of ordinary models.
TEST(Contraction, TasksAndScratchAreReasonable) {
  auto context = makeContext();
  Type f32 = Float32Type::get(context.get());
  const int64_t sizes[][3] = {{128, 400, 784},
                              {400, 784, 128},
                              {128, 784, 1024},
                              {1, 4096, 4096},
                              {ShapedType::kDynamic, ShapedType::kDynamic, ShapedType::kDynamic}};
  for (auto [m, n, k] : sizes)
    for (int transposes = 0; transposes < 4; ++transposes) {
      ContractionSchedule s = chooseSchedule(m, n, k, transposes & 1, transposes & 2, f32);
      EXPECT_LE(s.rows * s.vectors, 28);
      EXPECT_EQ(s.rowBlock % s.rows, 0);
      EXPECT_FALSE(ShapedType::isDynamic(k) && s.depth == 0);
      EXPECT_TRUE(s.packRhs || (transposes & 2) == 0);
    }
}

} // namespace
