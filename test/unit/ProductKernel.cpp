//===- ProductKernel.cpp - Matrix products as functions of a test ---------===//

#include "test/unit/ProductKernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::gen::test;
using mlir::gen::kernels::Contraction;

/// C[row, column ...] = sum.
static void storeSums(ImplicitLocOpBuilder &b, const Contraction &c, Value base, Value row,
                      Value column, Value sum, Value mask) {
  Value index = arith::AddIOp::create(b, arith::MulIOp::create(b, row, c.n), column);
  Value to = LLVM::GEPOp::create(b, base.getType(), c.elementType, base, ValueRange{index});
  unsigned alignment = c.elementType.getIntOrFloatBitWidth() / 8;
  if (mask)
    LLVM::MaskedStoreOp::create(b, sum, to, mask, alignment);
  else
    LLVM::StoreOp::create(b, sum, to, alignment);
}

int64_t mlir::gen::test::addProductKernel(
    ModuleOp module, TypeRange arguments,
    llvm::function_ref<Contraction(ImplicitLocOpBuilder &, ValueRange)> describe) {
  int64_t tasks = -1;
  addKernel(module, "product", arguments, [&](ImplicitLocOpBuilder &b, ValueRange args) {
    Contraction c = describe(b, args);
    Value count = kernels::emitTaskCount(b, c);
    tasks = getConstantIntValue(count).value_or(-1);
    auto constant = [&](int64_t i) { return arith::ConstantIntOp::create(b, i, 64).getResult(); };
    auto loop = scf::ForOp::create(b, constant(0), count, constant(1));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    kernels::emitTask(b, c, loop.getInductionVar(),
                      [&](ImplicitLocOpBuilder &b, Value row, Value column, Value sum, Value mask) {
                        storeSums(b, c, args[2], row, column, sum, mask);
                      });
  });
  return tasks;
}

int64_t Walked::m() const {
  int64_t product = 1;
  for (const Row &row : rows)
    product *= row.extent;
  return product;
}

int64_t Walked::k() const {
  int64_t product = 1;
  for (const Depth &digit : depth)
    product *= digit.extent;
  return product;
}

int64_t Walked::row(int64_t i) const {
  int64_t offset = lhsStart;
  for (size_t d = rows.size(); d-- > 0; i /= rows[d].extent)
    offset += i % rows[d].extent * rows[d].stride;
  return offset;
}

std::pair<int64_t, int64_t> Walked::step(int64_t k) const {
  std::pair<int64_t, int64_t> offsets(0, rhsStart);
  for (size_t d = depth.size(); d-- > 0; k /= depth[d].extent) {
    offsets.first += k % depth[d].extent * depth[d].lhsStride;
    offsets.second += k % depth[d].extent * depth[d].rhsStride;
  }
  return offsets;
}

Walked Walked::packed() const {
  Walked w = *this;
  w.rhsStart = 0;
  w.rhsStride = 16;
  for (Depth &digit : llvm::reverse(w.depth)) {
    digit.rhsStride = w.rhsStride;
    w.rhsStride *= digit.extent;
  }
  return w;
}

Contraction Walked::contraction(Value lhs, Value rhs,
                                llvm::function_ref<Value(int64_t)> known) const {
  Contraction c;
  c.lhs = lhs;
  c.rhs = rhs;
  for (const Row &row : rows) {
    Value extent = known(row.extent);
    c.rows.push_back({extent, known(row.stride)});
  }
  for (const Depth &digit : depth) {
    Value extent = known(digit.extent), lhsStride = known(digit.lhsStride);
    c.depth.push_back({extent, lhsStride, known(digit.rhsStride)});
  }
  c.n = known(n);
  c.rhsStride = known(rhsStride);
  c.transposeRhs = transposeRhs;
  c.elementType = Float32Type::get(lhs.getContext());
  return c;
}

Walked ConvolutionLayer::forward() const {
  int64_t line = w * c;
  return {{{n, h * line}, {outHeight(), stride * line}, {outWidth(), stride * c}},
          {{kh, dilation * line, kw * c * o}, {kw, dilation * c, c * o}, {c, 1, o}},
          o,
          o};
}

Walked ConvolutionLayer::weightGradient() const {
  int64_t line = w * c, oh = outHeight(), ow = outWidth();
  return {{{kh, dilation * line}, {kw, dilation * c}, {c, 1}},
          {{n, h * line, oh * ow * o}, {oh, stride * line, ow * o}, {ow, stride * c, o}},
          o,
          o};
}

Walked ConvolutionLayer::phase() const {
  int64_t line = w * o, tapsHigh = (kh + stride - 1) / stride,
          tapsWide = (kw + stride - 1) / stride, column = c * o, row = kw * column;
  return {{{n, h * line}, {h - tapsHigh + 1, line}, {w - tapsWide + 1, o}},
          {{tapsHigh, line, -stride * row}, {tapsWide, o, -stride * column}, {o, 1, 1}},
          c,
          o,
          true,
          0,
          (tapsHigh - 1) * stride * row + (tapsWide - 1) * stride * column};
}
