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

Value converted(ImplicitLocOpBuilder &b, VectorType type, Value numbers) {
  Type stored = getElementTypeOrSelf(numbers);
  if (stored == type.getElementType())
    return numbers;
  if (isa<FloatType>(stored))
    return arith::ExtFOp::create(b, type, numbers);
  Value wide = stored.isInteger(32)
                   ? numbers
                   : arith::ExtSIOp::create(b, type.clone(b.getI32Type()), numbers).getResult();
  return arith::SIToFPOp::create(b, type, wide);
}

Value loadConverted(ImplicitLocOpBuilder &b, VectorType type, Type stored, Value pointer,
                    unsigned alignment, Value mask) {
  return converted(b, type, loadVector(b, type.clone(stored), pointer, alignment, mask));
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
    Int zero(b, 0);
    if (tile.prefetch && !spreadsPrefetch())
      emitLoop(b, zero, Int(b, tile.rows), 1, tile.prefetch);
    if (isChained())
      return emitChains();
    SmallVector<Value> sums = digit(tile.depth, zero, zero, initial());
    for (auto [i, sum] : llvm::enumerate(sums))
      storeVector(b, sum, accumulator(i), alignment);
  }

private:
  /// Whether k is one chain or several.
  bool isChained() const {
    if (tile.chain == 0 || tile.bytes || tile.depth.size() != 1)
      return false;
    std::optional<int64_t> steps = tile.depth.front().extent.constant();
    return !steps || *steps > tile.chain;
  }

  /// Adds the sums of the chains to the accumulators.
  void emitChains() {
    for (auto [i, sum] : llvm::enumerate(initial()))
      storeVector(b, sum, accumulator(i), alignment);
    const DepthStep &all = tile.depth.front();
    std::optional<int64_t> steps = all.extent.constant();
    bool isEven = steps && *steps % tile.chain == 0;
    emitLoop(b, Int(b, 0), all.extent, tile.chain, [&](Int from) {
      Int chain(b, tile.chain);
      DepthStep step{isEven ? chain : min(all.extent - from, chain), all.lhsStride, all.rhsStride};
      SmallVector<Value> zeros(tile.rows * tile.vectors,
                               arith::ConstantOp::create(b, b.getZeroAttr(tile.type)));
      auto sums = run(step, from * all.lhsStride, from * all.rhsStride, zeros);
      for (auto [i, sum] : llvm::enumerate(sums)) {
        Value before = loadVector(b, tile.type, accumulator(i), alignment);
        storeVector(b, arith::AddFOp::create(b, before, sum), accumulator(i), alignment);
      }
    });
  }

  bool spreadsPrefetch() const { return tile.depth.size() == 1 && !isChained(); }

  Value accumulator(int64_t i) {
    int64_t number = i / tile.vectors * tile.accumulatorStride + i % tile.vectors;
    return elementPointer(b, element, tile.accumulators, Int(b, number * lanes));
  }

  SmallVector<Value> initial() {
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(tile.type));
    SmallVector<Value> zeros(tile.rows * tile.vectors, zero);
    SmallVector<Value> sums = tile.first ? zerosOrLoaded(zeros) : zeros;
    for (int64_t v = 0; tile.excess && v < tile.vectors; ++v) {
      Value pointer = elementPointer(b, element, tile.excess, Int(b, v * lanes));
      Value excess = loadVector(b, tile.type, pointer, alignment);
      for (int64_t r = 0; r < tile.rows; ++r) {
        Value &sum = sums[r * tile.vectors + v];
        sum = arith::SubIOp::create(b, sum, excess);
      }
    }
    return sums;
  }

  SmallVector<Value> zerosOrLoaded(ArrayRef<Value> zeros) {
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

  /// The sums over the digits `depth` of k, from the offsets in both operands on.
  SmallVector<Value> digit(ArrayRef<DepthStep> depth, Int lhsOffset, Int rhsOffset,
                           ArrayRef<Value> sums) {
    const DepthStep &step = depth.front();
    if (depth.size() == 1)
      return run(step, lhsOffset, rhsOffset, SmallVector<Value>(sums));
    return loop(Int(b, 0), step.extent, 1, sums, [&](Int i, SmallVectorImpl<Value> &current) {
      current = digit(depth.drop_front(), lhsOffset + i * step.lhsStride,
                      rhsOffset + i * step.rhsStride, current);
    });
  }

  /// The last digit: two steps an iteration, then one by one; a short one inside others at once.
  SmallVector<Value> run(const DepthStep &step, Int lhsOffset, Int rhsOffset,
                         SmallVector<Value> sums) {
    constexpr int64_t kUnroll = 2, kShort = 8;
    auto products = [&](int64_t count) {
      return [this, &step, lhsOffset, rhsOffset, count](Int k, SmallVectorImpl<Value> &current) {
        for (int64_t i = 0; i < count; ++i)
          multiply(step, lhsOffset, rhsOffset, k, i, current);
      };
    };
    std::optional<int64_t> steps = step.extent.constant();
    int64_t unroll = tile.depth.size() > 1 && steps && *steps <= kShort ? *steps : kUnroll;
    if (unroll == 0)
      return sums;
    Int start(b, 0), whole = step.extent / unroll * unroll;
    if (tile.prefetch && spreadsPrefetch()) {
      Int part = step.extent / (tile.rows * unroll) * unroll; // of a row's turn
      sums = loop(start, Int(b, tile.rows), 1, sums, [&](Int row, SmallVectorImpl<Value> &current) {
        tile.prefetch(row);
        Int from = row * part;
        current = loop(from, from + part, unroll, current, products(unroll));
      });
      start = part * tile.rows;
    }
    sums = loop(start, whole, unroll, sums, products(unroll));
    return loop(whole, step.extent, 1, sums, products(1));
  }

  SmallVector<Value> loop(Int from, Int to, int64_t step, ValueRange sums,
                          llvm::function_ref<void(Int, SmallVectorImpl<Value> &)> body) {
    if (from.value == to.value || (from.constant() && from.constant() == to.constant()))
      return sums;
    auto loop = scf::ForOp::create(b, from, to, Int(b, step), sums);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> current(loop.getRegionIterArgs());
    body(Int(b, loop.getInductionVar()), current);
    scf::YieldOp::create(b, current);
    return loop.getResults();
  }

  /// Adds the products of step k + ahead of the last digit.
  void multiply(const DepthStep &step, Int lhsOffset, Int rhsOffset, Int k, int64_t ahead,
                SmallVectorImpl<Value> &sums) {
    auto at = [&](Type type, Value base, Int offset, Int stride) {
      Value pointer = elementPointer(b, type, base, offset + k * stride);
      return elementPointer(b, type, pointer, stride * ahead);
    };
    if (tile.bytes)
      return multiplyBytes(
          [&](int64_t r) { return at(element, tile.lhs[r], lhsOffset, step.lhsStride); },
          [&](int64_t v) { return at(tile.rhsType, tile.rhs[v], rhsOffset, step.rhsStride); },
          sums);
    SmallVector<Value> row;
    for (int64_t v = 0; v < tile.vectors; ++v)
      row.push_back(loadConverted(
          b, tile.type, tile.rhsType, at(tile.rhsType, tile.rhs[v], rhsOffset, step.rhsStride),
          tile.rhsAlignment, v + 1 == tile.vectors ? tile.rhsMask : Value()));
    for (int64_t r = 0; r < tile.rows; ++r) {
      Value scalar =
          LLVM::LoadOp::create(b, element, at(element, tile.lhs[r], lhsOffset, step.lhsStride));
      Value lhs = vector::BroadcastOp::create(b, tile.type, scalar);
      for (int64_t v = 0; v < tile.vectors; ++v) {
        Value &sum = sums[r * tile.vectors + v];
        // Where the processor has no such instruction, a product and a sum will do.
        sum = math::FmaOp::create(b, lhs, row[v], sum, arith::FastMathFlags::contract);
      }
    }
  }

  /// Part by part, so that few registers hold those of B.
  void multiplyBytes(llvm::function_ref<Value(int64_t)> lhsAt,
                     llvm::function_ref<Value(int64_t)> rhsAt, SmallVectorImpl<Value> &sums) {
    Bytes bytes(b, *tile.bytes);
    for (int64_t part = 0; part < bytes.parts(); ++part) {
      SmallVector<Value> row;
      for (int64_t v = 0; v < tile.vectors; ++v)
        row.push_back(bytes.part(loadVector(b, tile.type, rhsAt(v), tile.rhsAlignment), part));
      for (int64_t r = 0; r < tile.rows; ++r) {
        Value from = elementPointer(b, element, lhsAt(r), Int(b, part * tile.planeSize));
        Value lhs =
            vector::BroadcastOp::create(b, tile.type, LLVM::LoadOp::create(b, element, from));
        for (int64_t v = 0; v < tile.vectors; ++v) {
          Value &sum = sums[r * tile.vectors + v];
          sum = bytes.add(sum, lhs, row[v]);
        }
      }
    }
  }

  ImplicitLocOpBuilder &b;
  const RegisterTile &tile;
  Type element;
  int64_t lanes;
  unsigned alignment;
};

} // namespace

void emitRegisterTile(ImplicitLocOpBuilder &b, const RegisterTile &tile) {
  TileEmitter(b, tile).emit();
}

} // namespace mlir::gen::kernels
