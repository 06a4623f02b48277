//===- expand-fma.cpp - Fused multiply-add without the instruction ---------===//
//
// The expansion for processors without the instruction has its bits: for operands of all sizes, and
// for sums that cancel to the rounding error of the product, or lie half-way between two numbers.
//
//===----------------------------------------------------------------------===//

#include "gen/artefact.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Pass/PassManager.h"
#include "passes/EntryProgram.h"
#include "passes/Passes.h"
#include "test/unit/JitKernel.h"
#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::test;

namespace {

constexpr int64_t kLanes = 16;
using Kernel = void(const float *, const float *, const float *, float *);

/// out = x * y + z on 16 lanes, expanded.
OwningOpRef<ModuleOp> makeKernel(MLIRContext *context) {
  OwningOpRef<ModuleOp> module(ModuleOp::create(UnknownLoc::get(context)));
  Type pointer = LLVM::LLVMPointerType::get(context);
  addKernel(*module, "kernel", {pointer, pointer, pointer, pointer},
            [&](ImplicitLocOpBuilder &b, ValueRange args) {
              Type type = VectorType::get(kLanes, b.getF32Type());
              auto load = [&](Value from) { return LLVM::LoadOp::create(b, type, from, 4); };
              Value x = load(args[0]), y = load(args[1]), z = load(args[2]);
              LLVM::StoreOp::create(b, math::FmaOp::create(b, x, y, z), args[3], 4);
            });
  (*module)->setAttr(kFeaturesAttr, OpBuilder(context).getI32IntegerAttr(GEN_X86_64_V2));
  PassManager pm(context);
  pm.addPass(createExpandFma());
  EXPECT_TRUE(succeeded(pm.run(*module)));
  module->walk([](math::FmaOp) { ADD_FAILURE() << "not expanded"; });
  return module;
}

uint32_t bitsOf(float x) { return std::isnan(x) ? 0x7fc00000U : std::bit_cast<uint32_t>(x); }

TEST(ExpandFma, HasTheBitsOfTheInstruction) {
  auto context = makeContext();
  OwningOpRef<ModuleOp> module = makeKernel(context.get());
  JitModule jit(*module);
  auto *kernel = jit.lookup<Kernel>("kernel");
  std::mt19937 random(1);
  std::array<float, kLanes> x{}, y{}, z{}, out{};
  for (int round = 0; round < 200000; ++round) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      x[lane] = std::bit_cast<float>(static_cast<uint32_t>(random()));
      y[lane] = std::bit_cast<float>(static_cast<uint32_t>(random()));
      float product = x[lane] * y[lane];
      switch (lane % 4) {
      case 0: // any number
        z[lane] = std::bit_cast<float>(static_cast<uint32_t>(random()));
        break;
      case 1: // what is left is the rounding error of the product
        z[lane] = -product;
        break;
      case 2: // near half an ulp of the product
        z[lane] = std::ldexp(product, -24 - static_cast<int>(random() % 4));
        break;
      default: // the product is near half an ulp of the sum
        z[lane] = std::ldexp(product, 24 + static_cast<int>(random() % 4));
      }
    }
    kernel(x.data(), y.data(), z.data(), out.data());
    for (int64_t lane = 0; lane < kLanes; ++lane)
      ASSERT_EQ(bitsOf(out[lane]), bitsOf(std::fma(x[lane], y[lane], z[lane])))
          << x[lane] << " * " << y[lane] << " + " << z[lane];
  }
}

} // namespace
