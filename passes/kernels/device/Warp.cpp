//===- Warp.cpp - what the threads of a warp do together ------------------===//

#include "passes/kernels/device/Warp.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::gen::kernels;

static Value word(ImplicitLocOpBuilder &b, int32_t number) {
  return arith::ConstantOp::create(b, b.getI32IntegerAttr(number));
}

static Value allLanes(ImplicitLocOpBuilder &b) { return word(b, -1); }

void mlir::gen::kernels::emitWarpBarrier(ImplicitLocOpBuilder &b) {
  NVVM::SyncWarpOp::create(b, allLanes(b));
}

/// `own` of the lane whose number differs in the bit `offset`.
static Value exchangeWord(ImplicitLocOpBuilder &b, Value own, int64_t offset) {
  return NVVM::ShflOp::create(b, own.getType(), allLanes(b), own,
                              word(b, static_cast<int32_t>(offset)), word(b, kWarp - 1),
                              NVVM::ShflKind::bfly, UnitAttr());
}

/// Of any type up to 64 bits.
static Value exchange(ImplicitLocOpBuilder &b, Value own, int64_t offset) {
  Type type = own.getType();
  unsigned bits = type.getIntOrFloatBitWidth();
  if (type.isF32() || type.isInteger(32))
    return exchangeWord(b, own, offset);
  if (bits == 64) {
    auto halves = VectorType::get(2, b.getI32Type());
    Value words = LLVM::BitcastOp::create(b, halves, own);
    SmallVector<Value> other;
    for (int64_t i : {0, 1})
      other.push_back(exchangeWord(b, vector::ExtractOp::create(b, words, i), offset));
    words = vector::FromElementsOp::create(b, halves, other);
    return LLVM::BitcastOp::create(b, type, words);
  }
  Type integer = b.getIntegerType(bits);
  Value narrow = type == integer ? own : arith::BitcastOp::create(b, integer, own).getResult();
  Value wide = arith::ExtUIOp::create(b, b.getI32Type(), narrow);
  narrow = arith::TruncIOp::create(b, integer, exchangeWord(b, wide, offset));
  return type == integer ? narrow : arith::BitcastOp::create(b, type, narrow).getResult();
}

Value mlir::gen::kernels::foldNeighbours(ImplicitLocOpBuilder &b, Value own, int64_t lanes,
                                         llvm::function_ref<Value(Value, Value)> combine) {
  for (int64_t offset = 1; offset < lanes; offset *= 2)
    own = combine(own, exchange(b, own, offset));
  return own;
}
