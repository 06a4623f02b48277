//===- Reduction.cpp - kernels around a reduction -------------------------===//
//
// Two nests. If the last axis is reduced, the lanes run along it and are folded at the end, one
// result at a time. If it is kept, the lanes run along results, and nothing is folded across them.
// What makes the input is emitted where it is read; what follows on the result, after the fold. The
// order of the fold is a function of the shape alone.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/KernelEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

/// Elements read by a task, where the schedule says nothing.
static constexpr int64_t kTask = 32768;
/// Vectors folded side by side, to hide the latency of the fold.
static constexpr int64_t kUnroll = 4;

namespace {

class ReductionEmitter {
public:
  explicit ReductionEmitter(KernelFunction &function) : function(function), b(function.b) {
    for (Operation &op : function.kernel.getBody().front())
      if (auto reduction = dyn_cast<ReductionOpInterface>(op))
        this->reduction = reduction;
    input = reduction->getOperand(0);
    auto type = cast<RankedTensorType>(input.getType());
    elementType = type.getElementType();
    llvm::append_range(reduced, reduction.reductionAxes());
    for (int64_t axis = 0; axis < type.getRank(); ++axis)
      if (!llvm::is_contained(reduced, axis))
        kept.push_back(axis);
    lastReduced = reduced.back() == type.getRank() - 1;
  }

  Value taskCount() {
    Value outputs = function.product(input, outerKept());
    return lastReduced
               ? ceilDivide(b, outputs, taskOutputs())
               : b.createOrFold<arith::MulIOp>(outputs, ceilDivide(b, lastSize(), columnBlock()));
  }

  void emitTask(Value index) {
    if (lastReduced)
      emitRows(index);
    else
      emitColumns(index);
  }

private:
  //===--------------------------------------------------------------------===//
  // The last axis is reduced
  //===--------------------------------------------------------------------===//

  /// Results of one task.
  Value taskOutputs() {
    Value one = i64Constant(b, 1), task = i64Constant(b, scheduled(function.kernel, "task", kTask));
    Value each = b.createOrFold<arith::MaxUIOp>(function.product(input, reduced), one);
    return b.createOrFold<arith::MaxUIOp>(b.createOrFold<arith::DivUIOp>(task, each), one);
  }

  void emitRows(Value index) {
    Value block = taskOutputs(), total = function.product(input, kept);
    Value from = arith::MulIOp::create(b, index, block);
    Value to = arith::MinUIOp::create(b, arith::AddIOp::create(b, from, block), total);
    auto loop = scf::ForOp::create(b, from, to, i64Constant(b, 1));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> at = delinearize(function, input, kept, loop.getInductionVar());
    SmallVector<Value> initial(kUnroll, identity(kLanes));
    SmallVector<Value> folded =
        overOuterReduced(at, 0, {}, initial, [&](const Indices &outer, ValueRange running) {
          return foldRow(outer, running);
        });
    KernelEmitter emitter(function, 1);
    emitter.bind(reduction->getResult(0), foldLanes(foldVectors(folded)));
    Indices result;
    for (Value i : at)
      result.push_back({i, Index::Uniform});
    emitter.storeResults(result);
  }

  /// Folds the last axis at `outer` (indices of the other axes, by axis) into the running vectors.
  SmallVector<Value> foldRow(const Indices &outer, ValueRange running) {
    Value length = lastSize(), zero = i64Constant(b, 0);
    Value wide = i64Constant(b, kUnroll * kLanes), narrow = i64Constant(b, kLanes);
    Value wideEnd =
        b.createOrFold<arith::SubIOp>(length, b.createOrFold<arith::RemUIOp>(length, wide));
    Value narrowEnd =
        b.createOrFold<arith::SubIOp>(length, b.createOrFold<arith::RemUIOp>(length, narrow));
    SmallVector<Value> vectors = loop(zero, wideEnd, wide, running, [&](Value i, ValueRange state) {
      SmallVector<Value> next;
      for (int64_t u = 0; u < kUnroll; ++u)
        next.push_back(fold(state[u], inputAt(outer, offset(i, u * kLanes), {})));
      return next;
    });
    vectors[0] = loop(wideEnd, narrowEnd, narrow, vectors[0], [&](Value i, ValueRange state) {
      return SmallVector<Value>{fold(state[0], inputAt(outer, i, {}))};
    })[0];
    Value left = b.createOrFold<arith::SubIOp>(length, narrowEnd);
    Value some = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, left, zero);
    auto branch =
        scf::IfOp::create(b, TypeRange(vectors[0].getType()), some, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    Value mask = lanesBelow(b, left, kLanes);
    Value value =
        arith::SelectOp::create(b, mask, inputAt(outer, narrowEnd, mask), identity(kLanes));
    scf::YieldOp::create(b, fold(vectors[0], value));
    b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(b, vectors[0]);
    vectors[0] = branch.getResult(0);
    return vectors;
  }

  Value foldVectors(ArrayRef<Value> vectors) {
    return fold(fold(vectors[0], vectors[1]), fold(vectors[2], vectors[3]));
  }

  /// Folds the upper half of the lanes onto the lower until one is left.
  Value foldLanes(Value vector) {
    for (int64_t lanes = kLanes / 2; lanes >= 1; lanes /= 2) {
      auto low = llvm::to_vector(llvm::seq<int64_t>(0, lanes));
      auto high = llvm::to_vector(llvm::seq<int64_t>(lanes, 2 * lanes));
      vector = fold(vector::ShuffleOp::create(b, vector, vector, low),
                    vector::ShuffleOp::create(b, vector, vector, high));
    }
    return vector::ExtractOp::create(b, vector, ArrayRef<int64_t>{0});
  }

  //===--------------------------------------------------------------------===//
  // The last axis is kept
  //===--------------------------------------------------------------------===//

  Value columnBlock() { return i64Constant(b, kUnroll * kLanes); }

  void emitColumns(Value index) {
    Value blocks = ceilDivide(b, lastSize(), columnBlock());
    Value outer = b.createOrFold<arith::DivUIOp>(index, blocks);
    Value first =
        arith::MulIOp::create(b, b.createOrFold<arith::RemUIOp>(index, blocks), columnBlock());
    Value left = arith::SubIOp::create(b, lastSize(), first);
    SmallVector<Value> at = delinearize(function, input, outerKept(), outer);
    Value full = arith::CmpIOp::create(b, arith::CmpIPredicate::sge, left, columnBlock());
    auto branch = scf::IfOp::create(b, full, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    emitColumnVectors(at, first, kUnroll, [](int64_t) { return Value(); });
    b.setInsertionPointToStart(branch.elseBlock());
    // One vector at a time: a block at the edge is narrow.
    auto rest = scf::ForOp::create(b, i64Constant(b, 0), left, i64Constant(b, kLanes));
    b.setInsertionPointToStart(rest.getBody());
    Value remaining = arith::SubIOp::create(b, left, rest.getInductionVar());
    Value count = arith::MinSIOp::create(b, remaining, i64Constant(b, kLanes));
    Value mask = lanesBelow(b, count, kLanes);
    emitColumnVectors(at, arith::AddIOp::create(b, first, rest.getInductionVar()), 1,
                      [&](int64_t) { return mask; });
  }

  void emitColumnVectors(ArrayRef<Value> at, Value first, int64_t count,
                         llvm::function_ref<Value(int64_t)> mask) {
    SmallVector<Value> initial(count, identity(kLanes));
    SmallVector<Value> folded =
        overOuterReduced(at, 0, {}, initial, [&](const Indices &outer, ValueRange running) {
          SmallVector<Value> next;
          for (int64_t u = 0; u < count; ++u)
            next.push_back(fold(running[u], inputAt(outer, offset(first, u * kLanes), mask(u))));
          return next;
        });
    for (int64_t u = 0; u < count; ++u) {
      KernelEmitter emitter(function, kLanes);
      emitter.setMask(mask(u));
      emitter.bind(reduction->getResult(0), folded[u]);
      Indices result;
      for (Value i : at)
        result.push_back({i, Index::Uniform});
      result.push_back({offset(first, u * kLanes), Index::Consecutive});
      emitter.storeResults(result);
    }
  }

  //===--------------------------------------------------------------------===//
  // Both
  //===--------------------------------------------------------------------===//

  /// Loops over the reduced axes but the last axis of the input, and calls `body` with the indices
  /// of all axes but the last.
  SmallVector<Value>
  overOuterReduced(ArrayRef<Value> keptAt, size_t depth, SmallVector<Value> reducedAt,
                   ValueRange running,
                   llvm::function_ref<SmallVector<Value>(const Indices &, ValueRange)> body) {
    size_t outerCount = lastReduced ? reduced.size() - 1 : reduced.size();
    if (depth == outerCount) {
      Indices outer(cast<RankedTensorType>(input.getType()).getRank() - 1);
      for (auto [i, axis] : llvm::enumerate(lastReduced ? ArrayRef<int64_t>(kept) : outerKept()))
        outer[axis] = {keptAt[i], Index::Uniform};
      for (auto [i, index] : llvm::enumerate(reducedAt))
        outer[reduced[i]] = {index, Index::Uniform};
      return body(outer, running);
    }
    return loop(i64Constant(b, 0), function.size(input, reduced[depth]), i64Constant(b, 1), running,
                [&](Value i, ValueRange state) {
                  SmallVector<Value> next = reducedAt;
                  next.push_back(i);
                  return overOuterReduced(keptAt, depth + 1, next, state, body);
                });
  }

  /// scf.for with carried values.
  SmallVector<Value> loop(Value from, Value to, Value step, ValueRange initial,
                          llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body) {
    auto loop = scf::ForOp::create(b, from, to, step, initial);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> next = body(loop.getInductionVar(), loop.getRegionIterArgs());
    scf::YieldOp::create(b, next);
    return SmallVector<Value>(loop.getResults());
  }

  Value inputAt(const Indices &outer, Value last, Value mask) {
    KernelEmitter emitter(function, kLanes);
    emitter.setMask(mask);
    Indices at = outer;
    at.push_back({last, Index::Consecutive});
    return emitter.elementAt(input, at);
  }

  Value fold(Value lhs, Value rhs) { return reduction.combine(b, lhs, rhs); }
  Value identity(int64_t lanes) {
    return arith::ConstantOp::create(b, DenseElementsAttr::get(VectorType::get(lanes, elementType),
                                                               Attribute(reduction.identity())));
  }
  Value offset(Value base, int64_t by) {
    return by == 0 ? base : arith::AddIOp::create(b, base, i64Constant(b, by)).getResult();
  }
  Value lastSize() {
    return function.size(input, cast<RankedTensorType>(input.getType()).getRank() - 1);
  }
  /// The kept axes without the last axis of the input.
  ArrayRef<int64_t> outerKept() {
    return lastReduced ? ArrayRef<int64_t>(kept) : ArrayRef<int64_t>(kept).drop_back();
  }

  KernelFunction &function;
  ImplicitLocOpBuilder &b;
  ReductionOpInterface reduction;
  Value input;
  Type elementType;
  SmallVector<int64_t> reduced, kept;
  bool lastReduced;
};

} // namespace

Value mlir::gen::kernels::emitReductionTaskCount(KernelFunction &function) {
  return ReductionEmitter(function).taskCount();
}

void mlir::gen::kernels::emitReductionTask(KernelFunction &function, Value index) {
  ReductionEmitter(function).emitTask(index);
}
