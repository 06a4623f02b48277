//===- convolution.cpp - Speed of emitted convolutions --------------------===//
//
// Prints GFLOP/s of convolutions, channels last, as products: forward, gradient of the weight, and
// of the input by phases (all phases have the size of the first). One thread runs all tasks; best
// of several rounds. The input is padded already.
//
//   convolution SECONDS N H W C KH KW O STRIDE [f|d|w ...]
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/kernels/Contraction.h"
#include "test/unit/JitKernel.h"
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>

using namespace mlir;
using namespace mlir::gen::kernels;
using namespace mlir::gen::test;

namespace {

using Kernel = void(const float *, const float *, float *);

double now() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

struct Layer {
  int64_t n, h, w, c, kh, kw, o, stride;
  int64_t outHeight() const { return (h - kh) / stride + 1; }
  int64_t outWidth() const { return (w - kw) / stride + 1; }
};

/// Extents and strides of one product.
struct Product {
  struct Row {
    int64_t extent, stride;
  };
  struct Depth {
    int64_t extent, lhsStride, rhsStride;
  };
  std::vector<Row> rows;
  std::vector<Depth> depth;
  int64_t n, rhsStride;
  bool transposeRhs;
  int64_t repeats; ///< Products of this size that make the whole.
  int64_t m() const {
    int64_t product = 1;
    for (const Row &row : rows)
      product *= row.extent;
    return product;
  }
  int64_t k() const {
    int64_t product = 1;
    for (const Depth &digit : depth)
      product *= digit.extent;
    return product;
  }
};

Product productOf(const Layer &l, char kind) {
  int64_t line = l.w * l.c, oh = l.outHeight(), ow = l.outWidth();
  if (kind == 'f')
    return {{{l.n, l.h * line}, {oh, l.stride * line}, {ow, l.stride * l.c}},
            {{l.kh, line, l.kw * l.c * l.o}, {l.kw, l.c, l.c * l.o}, {l.c, 1, l.o}},
            l.o,
            l.o,
            false,
            1};
  if (kind == 'w')
    return {{{l.kh, line}, {l.kw, l.c}, {l.c, 1}},
            {{l.n, l.h * line, oh * ow * l.o},
             {oh, l.stride * line, ow * l.o},
             {ow, l.stride * l.c, l.o}},
            l.o,
            l.o,
            false,
            1};
  // Lines of the padded gradient of the output, h / stride positions of the input a residue.
  int64_t high = (l.kh + l.stride - 1) / l.stride, wide = (l.kw + l.stride - 1) / l.stride,
          outHigh = (l.h - 2) / l.stride, outWide = (l.w - 2) / l.stride,
          padded = (outWide + wide - 1) * l.o, column = l.c * l.o;
  return {{{l.n, (outHigh + high - 1) * padded}, {outHigh, padded}, {outWide, l.o}},
          {{high, padded, -l.stride * l.kw * column}, {wide, l.o, -l.stride * column}, {l.o, 1, 1}},
          l.c,
          l.o,
          true,
          l.stride * l.stride};
}

/// Overrides from the environment, for experiments; RHS_IS_PACKED: the weight is packed before.
void applyEnvironment(ContractionSchedule &s) {
  auto number = [](const char *name, auto &field) {
    if (const char *text = std::getenv(name))
      field = std::atoll(text);
  };
  number("ROWS", s.rows);
  number("VECTORS", s.vectors);
  number("DEPTH", s.depth);
  number("ROW_BLOCK", s.rowBlock);
  number("PANELS", s.panels);
  number("PACK_LHS", s.packLhs);
  number("PACK_RHS", s.packRhs);
  number("TRANSPOSED", s.transposed);
  number("DOT", s.dot);
}

void benchmark(const Layer &layer, char kind, double duration) {
  Product p = productOf(layer, kind);
  bool packed = std::getenv("RHS_IS_PACKED") != nullptr && kind != 'w';
  if (packed) { // steps of k follow each other, a vector of columns each
    p.rhsStride = 16;
    for (Product::Depth &digit : llvm::reverse(p.depth)) {
      digit.rhsStride = p.rhsStride;
      p.rhsStride *= digit.extent;
    }
  }
  auto context = makeContext();
  OwningOpRef<ModuleOp> module(ModuleOp::create(UnknownLoc::get(context.get())));
  Type pointer = LLVM::LLVMPointerType::get(context.get());
  Contraction c;
  Type f32 = Float32Type::get(context.get());
  c.schedule = kind == 'w' ? chooseWeightGradientSchedule(p.m(), p.n, p.k(), f32, {}, 16)
                           : chooseConvolutionSchedule(p.m(), p.n, p.k(), p.depth.back().extent,
                                                       p.transposeRhs, f32, {}, 16, packed);
  applyEnvironment(c.schedule);
  int64_t tasks = 0;
  SmallVector<Type> arguments(3, pointer);
  addKernel(*module, "product", arguments, [&](ImplicitLocOpBuilder &b, ValueRange args) {
    auto constant = [&](int64_t i) { return arith::ConstantIntOp::create(b, i, 64).getResult(); };
    c.lhs = args[0];
    c.rhs = args[1];
    for (auto [extent, stride] : p.rows)
      c.rows.push_back({constant(extent), constant(stride)});
    for (auto [extent, lhsStride, rhsStride] : p.depth)
      c.depth.push_back({constant(extent), constant(lhsStride), constant(rhsStride)});
    c.n = constant(p.n);
    c.rhsStride = constant(p.rhsStride);
    c.transposeRhs = p.transposeRhs;
    c.elementType = f32;
    Value count = emitTaskCount(b, c);
    tasks = getConstantIntValue(count).value_or(-1);
    auto loop = scf::ForOp::create(b, constant(0), count, constant(1));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    emitTask(b, c, loop.getInductionVar(),
             [&](ImplicitLocOpBuilder &b, Value row, Value column, Value sum, Value mask) {
               Value start = arith::MulIOp::create(b, row, c.n);
               Value index = arith::AddIOp::create(b, start, column);
               Value to = LLVM::GEPOp::create(b, pointer, f32, args[2], ValueRange{index});
               if (mask)
                 LLVM::MaskedStoreOp::create(b, sum, to, mask, 4);
               else
                 LLVM::StoreOp::create(b, sum, to, 4);
             });
  });
  double compileStart = now();
  JitModule jit(*module);
  auto *run = jit.lookup<Kernel>("product");
  double compileMs = (now() - compileStart) * 1e3;

  auto filled = [](int64_t count, float value) {
    std::unique_ptr<float, decltype(&std::free)> data(
        static_cast<float *>(std::aligned_alloc(64, llvm::alignTo(count * sizeof(float), 64))),
        &std::free);
    std::fill_n(data.get(), count, value);
    return data;
  };
  int64_t input = std::max(layer.n * (layer.h + 4) * (layer.w + 4), int64_t(1)) *
                  std::max(layer.c, layer.o),
          weight = layer.kh * layer.kw * llvm::alignTo(layer.c, 16) * llvm::alignTo(layer.o, 16);
  auto a = filled(input, 0.5f), b = filled(std::max(input, 2 * weight), 0.25f),
       out = filled(std::max(input, weight), 0);
  const float *rhs = b.get() + (kind == 'd' && !packed ? weight : 0);
  double flops = 2.0 * static_cast<double>(p.m() * p.n * p.k() * p.repeats), best = 0;
  run(a.get(), rhs, out.get());
  double start = now();
  do {
    double round = now();
    for (int64_t i = 0; i < p.repeats; ++i)
      run(a.get(), rhs, out.get());
    best = std::max(best, flops / (now() - round) * 1e-9);
  } while (now() - start < duration);
  const ContractionSchedule &s = c.schedule;
  std::printf("%c %5ld x %4ld x %6ld  %9.1f us %6.1f GFLOP/s %3ld tasks  %ldx%ld depth %ld block "
              "%ld panels %ld %s%s%s "
              "%4.0f ms to compile\n",
              kind, p.m(), p.n, p.k(), flops / best * 1e-3, best, tasks, s.rows, s.vectors, s.depth,
              s.rowBlock, s.panels, s.packLhs ? "A" : "-", s.packRhs ? "B" : "-",
              s.dot          ? "D"
              : s.transposed ? "T"
                             : "",
              compileMs);
  std::fflush(stdout);
}

} // namespace

int main(int argc, char **argv) {
  if (argc < 10) {
    std::fprintf(stderr, "usage: %s SECONDS N H W C KH KW O STRIDE [f|d|w ...]\n", argv[0]);
    return 2;
  }
  auto number = [&](int i) { return static_cast<int64_t>(std::atoll(argv[i])); };
  Layer layer{number(2), number(3), number(4), number(5),
              number(6), number(7), number(8), number(9)};
  std::string kinds = argc > 10 ? argv[10] : "fdw";
  for (char kind : kinds)
    benchmark(layer, kind, std::atof(argv[1]));
  return 0;
}
