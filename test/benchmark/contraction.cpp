//===- contraction.cpp - Speed of the emitted matrix products -------------===//
//
// Prints GFLOP/s and the share of the measured FMA peak for the products of a VAE (784-400-20,
// batch 128) and an MLP GAN (100-256-512-1024-784; 784-512-256-1): forward X W^T, input gradient dY
// W and weight gradient dY^T X. One thread runs all tasks. Each figure is the best of several
// rounds.
//
//   contraction [SECONDS A SHAPE] [M N K TRANSPOSES(nn, nt, tn, tt)] [f32, bf16, f16, i8]
//
// With a type, both operands are stored so, and B is a packed weight.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "test/benchmark/Benchmark.h"
#include "test/unit/ProductKernel.h"
#include "llvm/TargetParser/Host.h"
#include <algorithm>
#include <cstdio>

using namespace mlir;
using namespace mlir::gen::kernels;
using namespace mlir::gen::test;

namespace {

using Kernel = void(const float *, const float *, float *);

/// 24 independent chains of fused multiply-adds on registers.
double measurePeak() {
  auto context = makeContext();
  OwningOpRef<ModuleOp> module(ModuleOp::create(UnknownLoc::get(context.get())));
  Type pointer = LLVM::LLVMPointerType::get(context.get());
  constexpr int64_t kSteps = 200000, kChains = 24;
  addKernel(*module, "peak", {pointer}, [&](ImplicitLocOpBuilder &b, ValueRange args) {
    auto type = VectorType::get(16, b.getF32Type());
    Value x = LLVM::LoadOp::create(b, type, args[0], 4);
    auto constant = [&](int64_t i) { return arith::ConstantIntOp::create(b, i, 64).getResult(); };
    auto loop = scf::ForOp::create(b, constant(0), constant(kSteps), constant(1),
                                   SmallVector<Value>(kChains, x));
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      SmallVector<Value> sums;
      for (Value sum : loop.getRegionIterArgs())
        sums.push_back(math::FmaOp::create(b, sum, x, sum));
      scf::YieldOp::create(b, sums);
    }
    Value total = loop.getResult(0);
    for (Value sum : loop.getResults().drop_front())
      total = arith::AddFOp::create(b, total, sum);
    LLVM::StoreOp::create(b, total, args[0], 4);
  });
  JitModule jit(*module);
  auto *run = jit.lookup<void(float *)>("peak");
  double best = 0;
  for (int i = 0; i < 20; ++i) {
    float data[16] = {};
    double start = now();
    run(data);
    best = std::max(best, 2.0 * kSteps * kChains * 16 / (now() - start) * 1e-9);
  }
  return best;
}

struct Shape {
  const char *what;
  int64_t m, n, k;
  bool transposeLhs, transposeRhs;
  std::string stored = {}; ///< Of both operands, B being packed; "": f32, not packed.
};

Type storedType(MLIRContext *context, StringRef name) {
  Builder b(context);
  return name == "bf16"  ? Type(b.getBF16Type())
         : name == "f16" ? Type(b.getF16Type())
         : name == "i8"  ? Type(b.getI8Type())
                         : b.getF32Type();
}

void benchmark(const Shape &shape, double peak, double duration) {
  auto context = makeContext();
  OwningOpRef<ModuleOp> module(ModuleOp::create(UnknownLoc::get(context.get())));
  Type pointer = LLVM::LLVMPointerType::get(context.get());
  bool avx2 = std::getenv("AVX2") != nullptr;
  Contraction c;
  Type f32 = Float32Type::get(context.get());
  c.schedule = chooseSchedule(shape.m, shape.n, shape.k, shape.transposeLhs, shape.transposeRhs,
                              f32, avx2 ? VectorTarget{32, 16} : VectorTarget{64, 32}, 16,
                              /*rhsIsPacked=*/!shape.stored.empty());
  applyEnvironment(c.schedule);
  SmallVector<Type> arguments(3, pointer);
  int64_t tasks =
      addProductKernel(*module, arguments, [&](ImplicitLocOpBuilder &b, ValueRange args) {
        auto constant = [&](int64_t i) {
          return arith::ConstantIntOp::create(b, i, 64).getResult();
        };
        c.lhs = args[0];
        c.rhs = args[1];
        c.m = constant(shape.m);
        c.n = constant(shape.n);
        c.k = constant(shape.k);
        c.lhsStride = constant(shape.transposeLhs ? shape.m : shape.k);
        c.rhsStride = constant(shape.transposeRhs ? shape.k : shape.n);
        c.transposeLhs = shape.transposeLhs;
        c.transposeRhs = shape.transposeRhs;
        c.elementType = f32;
        c.lhsType = c.rhsType = storedType(context.get(), shape.stored);
        bool hasFours = llvm::sys::getHostCPUFeatures().lookup("avx512vnni");
        c.target = {64, 32, hasFours ? VectorTarget::Fours : VectorTarget::Pairs};
        if (avx2)
          c.target = {32, 16, VectorTarget::Pairs};
        return c;
      });
  double compileStart = now();
  JitModule jit(*module, avx2 ? "x86-64-v3" : "");
  auto *run = jit.lookup<Kernel>("product");
  double compileMs = (now() - compileStart) * 1e3;

  auto a = filled(shape.m * shape.k, 0.5f), b = filled(shape.k * shape.n, 0.25f),
       out = filled(shape.m * shape.n, 0);
  double flops = 2.0 * shape.m * shape.n * shape.k, best = 0;
  int64_t repeats = std::max<int64_t>(1, static_cast<int64_t>(2e8 / std::max(flops, 1.0)));
  for (double start = now(); now() - start < duration;) {
    double round = now();
    for (int64_t i = 0; i < repeats; ++i)
      run(a.get(), b.get(), out.get());
    best = std::max(best, flops * repeats / (now() - round) * 1e-9);
  }
  const ContractionSchedule &s = c.schedule;
  std::printf(
      "%-22s %s%s%4ld x %4ld x %4ld %c%c  %6.1f GFLOP/s %5.1f %%  %6.1f us %3ld tasks  %ldx%ld "
      "%s%s %4.0f ms to compile\n",
      shape.what, shape.stored.c_str(), shape.stored.empty() ? "" : " ", shape.m, shape.n, shape.k,
      shape.transposeLhs ? 't' : 'n', shape.transposeRhs ? 't' : 'n', best, 100 * best / peak,
      flops / best * 1e-3, tasks, s.rows, s.vectors, s.packLhs ? "A" : "-", s.packRhs ? "B" : "-",
      compileMs);
}

} // namespace

int main(int argc, char **argv) {
  double duration = argc > 1 ? std::atof(argv[1]) : 0.2, peak = measurePeak();
  std::printf("FMA peak %.1f GFLOP/s\n", peak);
  if (argc > 5) {
    Shape shape{"",
                std::atol(argv[2]),
                std::atol(argv[3]),
                std::atol(argv[4]),
                argv[5][0] == 't',
                argv[5][1] == 't',
                argc > 6 ? argv[6] : ""};
    benchmark(shape, peak, duration);
    return 0;
  }
  struct Layer {
    const char *model;
    int64_t in, out;
  };
  const Layer layers[] = {{"vae", 784, 400},  {"vae", 400, 40},   {"vae", 20, 400},
                          {"vae", 400, 784},  {"gan", 100, 256},  {"gan", 256, 512},
                          {"gan", 512, 1024}, {"gan", 1024, 784}, {"gan", 784, 512},
                          {"gan", 512, 256},  {"gan", 256, 1}};
  constexpr int64_t kBatch = 128;
  for (const Layer &layer : layers) {
    auto name = [&](const char *what) { return std::string(layer.model) + " " + what; };
    benchmark({name("forward").c_str(), kBatch, layer.out, layer.in, false, true}, peak, duration);
    benchmark({name("input gradient").c_str(), kBatch, layer.in, layer.out, false, false}, peak,
              duration);
    benchmark({name("weight gradient").c_str(), layer.out, layer.in, kBatch, true, false}, peak,
              duration);
  }
}
