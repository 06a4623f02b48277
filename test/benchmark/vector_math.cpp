//===- vector_math.cpp - Speed of the emitted elementary functions --------===//
//
// Prints elements a nanosecond of each function over 65536 elements (in the second-level cache).
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/kernels/VectorMath.h"
#include "test/benchmark/Benchmark.h"
#include "test/unit/JitKernel.h"
#include <algorithm>
#include <cstdio>
#include <vector>

using namespace mlir;
using namespace mlir::gen::kernels;
using namespace mlir::gen::test;

namespace {

constexpr int64_t kElements = 65536;

void benchmark(const char *name, float low, float high,
               Value (*emit)(ImplicitLocOpBuilder &, Value)) {
  auto context = makeContext();
  OwningOpRef<ModuleOp> module(ModuleOp::create(UnknownLoc::get(context.get())));
  Type pointer = LLVM::LLVMPointerType::get(context.get());
  addKernel(*module, "kernel", {pointer, pointer}, [&](ImplicitLocOpBuilder &b, ValueRange args) {
    auto constant = [&](int64_t i) { return arith::ConstantIntOp::create(b, i, 64).getResult(); };
    auto loop = scf::ForOp::create(b, constant(0), constant(kElements), constant(16));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    auto at = [&](Value base) -> Value {
      return LLVM::GEPOp::create(b, pointer, b.getF32Type(), base,
                                 ValueRange{loop.getInductionVar()});
    };
    Value x = LLVM::LoadOp::create(b, VectorType::get(16, b.getF32Type()), at(args[0]), 4);
    LLVM::StoreOp::create(b, emit(b, x), at(args[1]), 4);
  });
  JitModule jit(*module);
  auto *run = jit.lookup<void(const float *, float *)>("kernel");
  std::vector<float> x(kElements), out(kElements);
  for (int64_t i = 0; i < kElements; ++i)
    x[i] = low + (high - low) * static_cast<float>(i) / kElements;
  double best = 1;
  for (int round = 0; round < 30; ++round) {
    double start = now();
    for (int i = 0; i < 20; ++i)
      run(x.data(), out.data());
    best = std::min(best, (now() - start) / 20);
  }
  std::printf("%-8s %5.2f elements/ns\n", name, kElements / best * 1e-9);
}

} // namespace

int main() {
  benchmark("copy", -5, 5, [](ImplicitLocOpBuilder &, Value x) { return x; });
  benchmark("exp", -20, 20, emitExp);
  benchmark("expm1", -20, 20, emitExpm1);
  benchmark("log", 0.01f, 100, emitLog);
  benchmark("log1p", -0.5f, 100, emitLog1p);
  benchmark("tanh", -5, 5, emitTanh);
  benchmark("sigmoid", -10, 10, emitSigmoid);
  benchmark("erf", -3, 3, emitErf);
  benchmark("sqrt", 0, 100, emitSqrt);
  benchmark("rsqrt", 0.1f, 100, emitRsqrt);
  benchmark("sin", -10, 10, emitSin);
  benchmark("cos", -10, 10, emitCos);
  benchmark("sin big", 1e6f, 1e7f, emitSin);
  benchmark("pow 1.5", 0.1f, 10, [](ImplicitLocOpBuilder &b, Value x) {
    Value y =
        arith::ConstantOp::create(b, DenseElementsAttr::get(cast<ShapedType>(x.getType()), 1.5f));
    return emitPow(b, x, y);
  });
}
