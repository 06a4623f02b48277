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
#include "test/benchmark/Benchmark.h"
#include "test/unit/ProductKernel.h"
#include <algorithm>
#include <cstdio>
#include <string>

using namespace mlir;
using namespace mlir::gen::kernels;
using namespace mlir::gen::test;

namespace {

using Kernel = void(const float *, const float *, float *);

/// One product of a layer, and how many of its size make the whole.
std::pair<Walked, int64_t> productOf(const ConvolutionLayer &l, char kind) {
  if (kind == 'f')
    return {l.forward(), 1};
  if (kind == 'w')
    return {l.weightGradient(), 1};
  // Of the padded gradient of the output; h / stride positions of the input a residue.
  ConvolutionLayer gradient = l;
  gradient.h = (l.h - 2) / l.stride + (l.kh + l.stride - 1) / l.stride - 1;
  gradient.w = (l.w - 2) / l.stride + (l.kw + l.stride - 1) / l.stride - 1;
  return {gradient.phase(), l.stride * l.stride};
}

void benchmark(const ConvolutionLayer &layer, char kind, double duration) {
  auto [p, repeats] = productOf(layer, kind);
  // The weight is packed before.
  bool packed = std::getenv("RHS_IS_PACKED") != nullptr && kind != 'w';
  if (packed)
    p = p.packed();
  auto context = makeContext();
  OwningOpRef<ModuleOp> module(ModuleOp::create(UnknownLoc::get(context.get())));
  Type pointer = LLVM::LLVMPointerType::get(context.get());
  Type f32 = Float32Type::get(context.get());
  ContractionSchedule s = kind == 'w'
                              ? chooseWeightGradientSchedule(p.m(), p.n, p.k(), f32, {}, 16)
                              : chooseConvolutionSchedule(p.m(), p.n, p.k(), p.depth.back().extent,
                                                          p.transposeRhs, f32, {}, 16, packed);
  applyEnvironment(s);
  SmallVector<Type> arguments(3, pointer);
  int64_t tasks =
      addProductKernel(*module, arguments, [&, &p = p](ImplicitLocOpBuilder &b, ValueRange args) {
        Contraction c = p.contraction(args[0], args[1], [&](int64_t number) -> Value {
          return arith::ConstantIntOp::create(b, number, 64);
        });
        c.schedule = s;
        return c;
      });
  double compileStart = now();
  JitModule jit(*module);
  auto *run = jit.lookup<Kernel>("product");
  double compileMs = (now() - compileStart) * 1e3;

  int64_t input = std::max(layer.n * (layer.h + 4) * (layer.w + 4), int64_t(1)) *
                  std::max(layer.c, layer.o),
          weight = layer.kh * layer.kw * llvm::alignTo(layer.c, 16) * llvm::alignTo(layer.o, 16);
  auto a = filled(input, 0.5f), b = filled(std::max(input, 2 * weight), 0.25f),
       out = filled(std::max(input, weight), 0);
  const float *rhs = b.get() + p.rhsStart;
  double flops = 2.0 * static_cast<double>(p.m() * p.n * p.k() * repeats), best = 0;
  run(a.get(), rhs, out.get());
  double start = now();
  do {
    double round = now();
    for (int64_t i = 0; i < repeats; ++i)
      run(a.get(), rhs, out.get());
    best = std::max(best, flops / (now() - round) * 1e-9);
  } while (now() - start < duration);
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
  ConvolutionLayer layer{number(2), number(3), number(4), number(5),
                         number(6), number(7), number(8), number(9)};
  std::string kinds = argc > 10 ? argv[10] : "fdw";
  for (char kind : kinds)
    benchmark(layer, kind, std::atof(argv[1]));
  return 0;
}
