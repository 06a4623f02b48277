//===- ContractionTile.cpp - The register tile of matrix products ---------===//
//
// Per step of k: one row of B as vectors, one broadcast element of A a row, and an fma each. The
// accumulators live in registers across the loop.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/ContractionTile.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::gen::kernels {

void emitLoop(ImplicitLocOpBuilder &b, Int from, Int to, int64_t step,
              llvm::function_ref<void(Int)> body) {
  if (from.constant() && to.constant() && *from.constant() >= *to.constant())
    return;
  auto loop = scf::ForOp::create(b, from, to, Int(b, step));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body({b, loop.getInductionVar()});
}

void emitIf(ImplicitLocOpBuilder &b, Value condition, llvm::function_ref<void()> then,
            llvm::function_ref<void()> otherwise) {
  if (std::optional<int64_t> constant = getConstantIntValue(condition))
    return *constant ? then() : otherwise();
  auto branch = scf::IfOp::create(b, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  then();
  b.setInsertionPointToStart(branch.elseBlock());
  otherwise();
}

Value laneMask(ImplicitLocOpBuilder &b, Int count, int64_t lanes) {
  auto type = VectorType::get(lanes, b.getI64Type());
  SmallVector<int64_t> numbers = llvm::to_vector(llvm::seq<int64_t>(0, lanes));
  Value steps = arith::ConstantOp::create(b, DenseElementsAttr::get(type, ArrayRef(numbers)));
  Value bound = vector::BroadcastOp::create(b, type, count);
  return arith::CmpIOp::create(b, arith::CmpIPredicate::slt, steps, bound);
}

Value loadVector(ImplicitLocOpBuilder &b, VectorType type, Value pointer, unsigned alignment,
                 Value mask) {
  if (!mask)
    return LLVM::LoadOp::create(b, type, pointer, alignment);
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(type));
  return LLVM::MaskedLoadOp::create(b, type, pointer, mask, zero, alignment);
}

void storeVector(ImplicitLocOpBuilder &b, Value vector, Value pointer, unsigned alignment) {
  LLVM::StoreOp::create(b, vector, pointer, alignment);
}

namespace {

/// Emits one RegisterTile.
class TileEmitter {
public:
  TileEmitter(ImplicitLocOpBuilder &b, const RegisterTile &tile)
      : b(b), tile(tile), element(tile.type.getElementType()), lanes(tile.type.getNumElements()),
        alignment(tile.type.getNumElements() * element.getIntOrFloatBitWidth() / 8) {}

  void emit() {
    for (int64_t row = 0; row < tile.rows; ++row)
      rowPointers.push_back(
          elementPointer(b, element, tile.lhs.base, rowIndex(row) * tile.lhs.rowStride));
    for (int64_t v = 0; v < tile.vectors; ++v)
      vectorPointers.push_back(elementPointer(b, element, tile.rhs, tile.rhsVectorStride * v));
    // Two steps an iteration, then one by one.
    constexpr int64_t kUnroll = 2;
    Int whole = tile.depth / kUnroll * kUnroll;
    SmallVector<Value> sums = initial();
    sums = loop(Int(b, 0), whole, kUnroll, sums);
    sums = loop(whole, tile.depth, 1, sums);
    for (auto [i, sum] : llvm::enumerate(sums))
      storeVector(b, sum, accumulator(i), alignment);
  }

private:
  Int rowIndex(int64_t row) {
    Int index(b, row);
    return tile.limit ? min(index, *tile.limit - 1) : index;
  }

  Value accumulator(int64_t i) {
    int64_t number = i / tile.vectors * tile.accumulatorStride + i % tile.vectors;
    return elementPointer(b, element, tile.accumulators, Int(b, number * lanes));
  }

  SmallVector<Value> initial() {
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(tile.type));
    SmallVector<Value> zeros(tile.rows * tile.vectors, zero);
    if (!tile.first)
      return zeros;
    SmallVector<Type> types(zeros.size(), tile.type);
    auto branch = scf::IfOp::create(b, types, tile.first, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(b, zeros);
    b.setInsertionPointToStart(branch.elseBlock());
    SmallVector<Value> loaded;
    for (size_t i = 0; i < zeros.size(); ++i)
      loaded.push_back(loadVector(b, tile.type, accumulator(i), alignment));
    scf::YieldOp::create(b, loaded);
    return branch.getResults();
  }

  SmallVector<Value> loop(Int from, Int to, int64_t step, ValueRange sums) {
    if (from.value == to.value || (from.constant() && from.constant() == to.constant()))
      return sums;
    auto loop = scf::ForOp::create(b, from, to, Int(b, step), sums);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> current(loop.getRegionIterArgs());
    Int k(b, loop.getInductionVar());
    for (int64_t i = 0; i < step; ++i)
      multiply(k, i, current);
    scf::YieldOp::create(b, current);
    return loop.getResults();
  }

  /// Adds the products of step k + offset.
  void multiply(Int k, int64_t offset, SmallVectorImpl<Value> &sums) {
    auto at = [&](Value base, Int stride) {
      Value pointer = elementPointer(b, element, base, k * stride);
      return elementPointer(b, element, pointer, stride * offset);
    };
    SmallVector<Value> row;
    for (int64_t v = 0; v < tile.vectors; ++v)
      row.push_back(loadVector(b, tile.type, at(vectorPointers[v], tile.rhsStride),
                               tile.rhsAlignment, v + 1 == tile.vectors ? tile.rhsMask : Value()));
    for (int64_t r = 0; r < tile.rows; ++r) {
      Value scalar = LLVM::LoadOp::create(b, element, at(rowPointers[r], tile.lhs.columnStride));
      Value lhs = vector::BroadcastOp::create(b, tile.type, scalar);
      for (int64_t v = 0; v < tile.vectors; ++v) {
        Value &sum = sums[r * tile.vectors + v];
        sum = math::FmaOp::create(b, lhs, row[v], sum);
      }
    }
  }

  ImplicitLocOpBuilder &b;
  const RegisterTile &tile;
  Type element;
  int64_t lanes;
  unsigned alignment;
  SmallVector<Value> rowPointers, vectorPointers;
};

} // namespace

void emitRegisterTile(ImplicitLocOpBuilder &b, const RegisterTile &tile) {
  TileEmitter(b, tile).emit();
}

} // namespace mlir::gen::kernels
