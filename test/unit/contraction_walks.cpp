//===- contraction_walks.cpp - Products whose operands are walked ---------===//
//
// Convolutions, their gradients and transposed ones as products: every schedule, with sizes known
// and not, against the plain chain of fused multiply-adds, bit for bit.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "test/unit/ProductKernel.h"
#include <cmath>
#include <cstdlib>
#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace mlir::gen::kernels;
using namespace mlir::gen::test;

namespace {

using Change = std::function<void(ContractionSchedule &)>;
using Kernel = void(const float *, const float *, float *, const int64_t *);

/// C = A B by all tasks in turn. The array holds the extents and strides, for dynamic code.
std::unique_ptr<JitModule> compile(const Walked &w, bool isStatic, const Change &change,
                                   bool rhsIsPacked = false) {
  auto context = makeContext();
  OwningOpRef<ModuleOp> module(ModuleOp::create(UnknownLoc::get(context.get())));
  Type pointer = LLVM::LLVMPointerType::get(context.get());
  SmallVector<Type> arguments(4, pointer);
  addProductKernel(*module, arguments, [&](ImplicitLocOpBuilder &b, ValueRange args) {
    int32_t position = 0;
    Contraction c = w.contraction(args[0], args[1], [&](int64_t value) -> Value {
      if (isStatic)
        return arith::ConstantIntOp::create(b, value, 64);
      Value from = LLVM::GEPOp::create(b, pointer, b.getI64Type(), args[3],
                                       ArrayRef<LLVM::GEPArg>{position++});
      return LLVM::LoadOp::create(b, b.getI64Type(), from);
    });
    auto size = [&](int64_t value) { return isStatic ? value : ShapedType::kDynamic; };
    c.schedule = chooseSchedule(size(w.m()), size(w.n), size(w.k()), /*transposeLhs=*/false,
                                w.transposeRhs, c.elementType, {}, 16, rhsIsPacked);
    if (change)
      change(c.schedule);
    return c;
  });
  return std::make_unique<JitModule>(*module);
}

/// What `known` takes, in its order.
std::vector<int64_t> sizesOf(const Walked &w) {
  std::vector<int64_t> sizes;
  for (const Walked::Row &row : w.rows)
    sizes.insert(sizes.end(), {row.extent, row.stride});
  for (const Walked::Depth &digit : w.depth)
    sizes.insert(sizes.end(), {digit.extent, digit.lhsStride, digit.rhsStride});
  sizes.insert(sizes.end(), {w.n, w.rhsStride});
  return sizes;
}

/// Random operands, no larger than what the walks reach.
struct Operands {
  explicit Operands(const Walked &w) : w(w) {
    int64_t rows = 0, lhsDepth = 0, rhsLast = w.rhsStart;
    bool rhsIsEmpty = w.k() == 0 || w.n == 0, lhsIsEmpty = w.k() == 0 || w.m() == 0;
    for (int64_t i = 0; i < w.m(); ++i)
      rows = std::max(rows, w.row(i));
    for (int64_t k = 0; k < w.k(); ++k) {
      lhsDepth = std::max(lhsDepth, w.step(k).first);
      rhsLast = std::max(rhsLast, w.step(k).second);
    }
    lhs.resize(lhsIsEmpty ? 1 : rows + lhsDepth + 1);
    rhs.resize(rhsIsEmpty ? 1 : rhsLast + w.column(w.n - 1) + 1);
    std::mt19937 random(7);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (std::vector<float> *values : {&lhs, &rhs})
      for (float &value : *values)
        value = uniform(random);
  }

  std::vector<float> expected() const {
    std::vector<float> c(w.m() * w.n);
    for (int64_t i = 0; i < w.m(); ++i)
      for (int64_t k = 0; k < w.k(); ++k) {
        auto [a, b] = w.step(k);
        for (int64_t j = 0; j < w.n; ++j)
          c[i * w.n + j] = std::fma(lhs[w.row(i) + a], rhs[b + w.column(j)], c[i * w.n + j]);
      }
    return c;
  }

  /// B as [ceil(n / lanes), k, lanes], zeros beyond n, on a boundary of 64 bytes.
  std::unique_ptr<float, decltype(&std::free)> packedRhs() const {
    constexpr int64_t kLanes = 16, kAlignment = 64;
    int64_t vectors = (w.n + kLanes - 1) / kLanes, count = vectors * kLanes * w.k();
    std::unique_ptr<float, decltype(&std::free)> packed(
        static_cast<float *>(std::aligned_alloc(
            kAlignment,
            std::max<int64_t>(count * static_cast<int64_t>(sizeof(float)), kAlignment))),
        &std::free);
    std::fill_n(packed.get(), count, 0.0f);
    for (int64_t j = 0; j < w.n; ++j)
      for (int64_t k = 0; k < w.k(); ++k)
        packed.get()[(j / kLanes * w.k() + k) * kLanes + j % kLanes] =
            rhs[w.step(k).second + w.column(j)];
    return packed;
  }

  std::vector<float> run(JitModule &code) const { return run(code, w, rhs.data() + w.rhsStart); }
  std::vector<float> run(JitModule &code, const Walked &walked, const float *b) const {
    constexpr int64_t kGuard = 64;
    std::vector<float> result(w.m() * w.n + 2 * kGuard, -77.0f);
    std::vector<int64_t> sizes = sizesOf(walked);
    code.lookup<Kernel>("product")(lhs.data() + w.lhsStart, b, result.data() + kGuard,
                                   sizes.data());
    for (int64_t i = 0; i < kGuard; ++i) {
      EXPECT_EQ(result[i], -77.0f);
      EXPECT_EQ(result[result.size() - 1 - i], -77.0f);
    }
    return {result.begin() + kGuard, result.end() - kGuard};
  }

  Walked w;
  std::vector<float> lhs, rhs;
};

std::vector<ConvolutionLayer> layers() {
  return {
      {.n = 2, .h = 6, .w = 7, .c = 5, .kh = 3, .kw = 3, .o = 19},
      {.n = 1, .h = 9, .w = 18, .c = 16, .kh = 2, .kw = 3, .o = 48},
      {.n = 3, .h = 8, .w = 8, .c = 4, .kh = 4, .kw = 4, .o = 33, .stride = 2},
      {.n = 2, .h = 9, .w = 11, .c = 3, .kh = 3, .kw = 2, .o = 6, .stride = 2, .dilation = 2},
      {.n = 2, .h = 12, .w = 12, .c = 1, .kh = 5, .kw = 5, .o = 3},
      {.n = 1, .h = 20, .w = 20, .c = 16, .kh = 3, .kw = 3, .o = 1},
      {.n = 4, .h = 5, .w = 5, .c = 17, .kh = 1, .kw = 1, .o = 20},
      {.n = 1, .h = 5, .w = 5, .c = 17, .kh = 1, .kw = 1, .o = 20, .stride = 2},
      {.n = 5, .h = 4, .w = 4, .c = 9, .kh = 4, .kw = 4, .o = 2},
      {.n = 0, .h = 6, .w = 6, .c = 3, .kh = 3, .kw = 3, .o = 17},
      {.n = 1, .h = 3, .w = 3, .c = 120, .kh = 3, .kw = 3, .o = 16},
  };
}

std::vector<Walked> problems() {
  std::vector<Walked> result;
  for (const ConvolutionLayer &layer : layers())
    for (const Walked &walked : {layer.forward(), layer.weightGradient(), layer.phase()})
      result.push_back(walked);
  return result;
}

TEST(ContractionWalks, KnownSizes) {
  for (const Walked &w : problems()) {
    Operands operands(w);
    EXPECT_EQ(operands.run(*compile(w, true, nullptr)), operands.expected()) << w.m() << " " << w.n;
  }
}

/// One code a kind of product, for all sizes.
TEST(ContractionWalks, UnknownSizes) {
  std::unique_ptr<JitModule> plain, transposed;
  for (const Walked &w : problems()) {
    std::unique_ptr<JitModule> &code = w.transposeRhs ? transposed : plain;
    if (!code)
      code = compile(w, false, nullptr);
    Operands operands(w);
    EXPECT_EQ(operands.run(*code), operands.expected()) << w.m() << " " << w.n;
  }
}

TEST(ContractionWalks, EverySchedule) {
  const ConvolutionLayer layer{.n = 2, .h = 9, .w = 10, .c = 6, .kh = 3, .kw = 3, .o = 70};
  const Change changes[] = {
      [](ContractionSchedule &s) { s.depth = 7, s.rows = 6, s.vectors = 4, s.rowBlock = 12; },
      [](ContractionSchedule &s) { s.depth = 20, s.panels = 2, s.rowBlock = 16, s.rows = 8; },
      [](ContractionSchedule &s) { s.depth = 40, s.packRhs = false, s.rows = 5, s.rowBlock = 20; },
      [](ContractionSchedule &s) { s.packRhs = true, s.packLhs = true, s.rows = 2, s.depth = 18; },
      [](ContractionSchedule &s) {
        s.packRhs = false, s.packLhs = true, s.rows = 6, s.depth = 48;
      }};
  for (const Walked &w : {layer.forward(), layer.weightGradient(), layer.phase()}) {
    Operands operands(w);
    std::vector<float> expected = operands.expected();
    for (size_t i = 0; i < std::size(changes); ++i)
      for (bool isStatic : {true, false})
        EXPECT_EQ(operands.run(*compile(w, isStatic, changes[i])), expected) << i << isStatic;
  }
}

/// A few columns: the lanes run along the rows, which are anywhere.
TEST(ContractionWalks, TransposedSchedule) {
  for (int64_t channels : {1, 5, 16})
    for (int64_t columns : {1, 3, 9}) {
      const ConvolutionLayer layer{
          .n = 2, .h = 7, .w = 19, .c = channels, .kh = 2, .kw = 3, .o = columns};
      for (const Walked &w : {layer.forward(), layer.weightGradient(), layer.phase()}) {
        Operands operands(w);
        for (int64_t depth : {0, 9, 30})
          EXPECT_EQ(operands.run(*compile(w, true,
                                          [&](ContractionSchedule &s) {
                                            s = {};
                                            s.transposed = true, s.rows = w.n, s.vectors = 2;
                                            s.depth = depth, s.rowBlock = w.n;
                                          })),
                    operands.expected())
              << channels << " " << columns << " " << depth;
      }
    }
}

/// Lanes along k: other sums than the chain, but the same for a row, wherever it is.
TEST(ContractionWalks, DotSchedule) {
  for (int64_t channels : {3, 16, 21})
    for (int64_t columns : {1, 3, 6}) {
      const ConvolutionLayer layer{
          .n = 3, .h = 7, .w = 6, .c = channels, .kh = 2, .kw = 3, .o = columns};
      const ConvolutionLayer gradient{
          .n = 3, .h = 7, .w = 6, .c = columns, .kh = 4, .kw = 4, .o = channels, .stride = 2};
      for (Walked w : {layer.forward(), gradient.phase()}) {
        Operands operands(w);
        auto dot = [](ContractionSchedule &s) {
          s.dot = true, s.rows = 5, s.rowBlock = 20, s.vectors = 1;
        };
        std::vector<float> result = operands.run(*compile(w, true, dot)),
                           chain = operands.expected();
        for (size_t i = 0; i < chain.size(); ++i)
          ASSERT_NEAR(result[i], chain[i], 1e-5 * static_cast<double>(w.k()))
              << channels << columns;
        Operands first(w);
        first.w.rows[0].extent = 1;
        result.resize(first.w.m() * w.n);
        EXPECT_EQ(first.run(*compile(first.w, true, dot)), result) << channels << columns;
      }
    }
}

TEST(ContractionWalks, PackedRhs) {
  for (const Walked &w : problems()) {
    Operands operands(w);
    Walked walked = w.packed();
    auto packed = operands.packedRhs();
    for (bool isStatic : {true, false})
      EXPECT_EQ(operands.run(*compile(walked, isStatic, nullptr, true), walked, packed.get()),
                operands.expected())
          << w.m() << " " << w.n;
  }
}

} // namespace
