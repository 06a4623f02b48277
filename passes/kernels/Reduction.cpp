//===- Reduction.cpp - kernels around reductions --------------------------===//
//
// Two nests. If the last axis is reduced, a row is what one result is folded of: the lanes run
// along it and are folded at the end. If it is kept, the lanes run along results, and nothing is
// folded across them: a row is a block of columns. Each row is gone over in the loops of its plan
// (RowPlan.h): a loop folds reductions side by side and stores results. The order of a fold is a
// function of the shape alone.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/KernelEmitter.h"
#include "passes/kernels/Prefetch.h"
#include "passes/kernels/RowPlan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

/// Elements read by a task, where the schedule says nothing.
static constexpr int64_t kTask = 32768;
/// Vectors folded side by side, to hide the latency of the fold.
static constexpr int64_t kUnroll = 4;

namespace {

/// The elements of values that have one a row: a scalar, or a vector of columns.
using RowValues = llvm::MapVector<Value, Value>;

/// A position in a row: indices of all axes of the domain, the last one along the lanes.
struct Position {
  Indices at;
  Value mask;      ///< null: all lanes
  Value inScratch; ///< of the first lane
};

class ReductionEmitter {
public:
  explicit ReductionEmitter(KernelFunction &function)
      : function(function), b(function.b), plan(function.kernel), domain(plan.space.domain),
        rank(cast<RankedTensorType>(domain.getType()).getRank()),
        lastReduced(plan.space.isLastReduced()) {}

  Value taskCount() {
    Value outputs = function.product(domain, outerKept());
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
    Value each = b.createOrFold<arith::MaxUIOp>(function.product(domain, plan.space.reduced), one);
    return b.createOrFold<arith::MaxUIOp>(b.createOrFold<arith::DivUIOp>(task, each), one);
  }

  void emitRows(Value index) {
    Value block = taskOutputs(), total = function.product(domain, plan.space.kept);
    Value from = arith::MulIOp::create(b, index, block);
    Value to = arith::MinUIOp::create(b, arith::AddIOp::create(b, from, block), total);
    auto rows = scf::ForOp::create(b, from, to, i64Constant(b, 1));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(rows.getBody());
    SmallVector<Value> at = delinearize(function, domain, plan.space.kept, rows.getInductionVar());
    Indices row;
    for (Value i : at)
      row.push_back({i, Index::Uniform});
    RowValues values;
    emitRowOps(0, row, 1, Value(), values);
    for (auto [number, loop] : llvm::enumerate(plan.loops)) {
      SmallVector<Value> folded =
          overOuterReduced(at, 0, {}, i64Constant(b, 0), identities(loop, kUnroll),
                           [&](const Indices &outer, Value scratch, ValueRange running) {
                             return emitRow(loop, outer, scratch, running, values);
                           });
      for (auto [i, reduction] : llvm::enumerate(loop.reductions))
        values[reduction->getResult(0)] = foldLanes(
            reduction, foldVectors(reduction, ArrayRef<Value>(folded).slice(i * kUnroll, kUnroll)));
      emitRowOps(number + 1, row, 1, Value(), values);
    }
    storeRowResults(row, 1, Value(), values);
  }

  /// One loop along the last axis at `outer` (indices of the other axes). `running`: vectors that
  /// each reduction folds into, kUnroll of each.
  SmallVector<Value> emitRow(const RowLoop &loop, const Indices &outer, Value scratch,
                             ValueRange running, const RowValues &values) {
    Value length = lastSize(), zero = i64Constant(b, 0);
    Value wide = i64Constant(b, kUnroll * kLanes), narrow = i64Constant(b, kLanes);
    Value wideEnd = roundedDown(length, wide), narrowEnd = roundedDown(length, narrow);
    auto step = [&](Value i, Value mask, SmallVector<Value> state, int64_t u) {
      Position position{outer, mask, b.createOrFold<arith::AddIOp>(scratch, i)};
      position.at.push_back({i, Index::Consecutive});
      SmallVector<Value> own;
      for (size_t r = 0; r < loop.reductions.size(); ++r)
        own.push_back(state[r * kUnroll + u]);
      own = emitStep(loop, position, own, values);
      for (size_t r = 0; r < loop.reductions.size(); ++r)
        state[r * kUnroll + u] = own[r];
      return state;
    };
    SmallVector<Value> state = emitLoop(zero, wideEnd, wide, running, [&](Value i, ValueRange now) {
      SmallVector<Value> next(now);
      for (int64_t u = 0; u < kUnroll; ++u)
        next = step(offset(i, u * kLanes), Value(), next, u);
      return next;
    });
    state = emitLoop(wideEnd, narrowEnd, narrow, state, [&](Value i, ValueRange now) {
      return step(i, Value(), SmallVector<Value>(now), 0);
    });
    return emitIfSome(b.createOrFold<arith::SubIOp>(length, narrowEnd), state, [&](Value left) {
      return step(narrowEnd, lanesBelow(b, left, kLanes), state, 0);
    });
  }

  Value foldVectors(ReductionOpInterface reduction, ArrayRef<Value> vectors) {
    return reduction.combine(b, reduction.combine(b, vectors[0], vectors[1]),
                             reduction.combine(b, vectors[2], vectors[3]));
  }

  /// Folds the upper half of the lanes onto the lower until one is left.
  Value foldLanes(ReductionOpInterface reduction, Value vector) {
    for (int64_t lanes = kLanes / 2; lanes >= 1; lanes /= 2) {
      auto low = llvm::to_vector(llvm::seq<int64_t>(0, lanes));
      auto high = llvm::to_vector(llvm::seq<int64_t>(lanes, 2 * lanes));
      vector = reduction.combine(b, vector::ShuffleOp::create(b, vector, vector, low),
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
    SmallVector<Value> at = delinearize(function, domain, outerKept(), outer);
    Value full = arith::CmpIOp::create(b, arith::CmpIPredicate::sge, left, columnBlock());
    auto branch = scf::IfOp::create(b, full, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    emitColumnVectors(at, first, kUnroll, Value());
    b.setInsertionPointToStart(branch.elseBlock());
    // One vector at a time: a block at the edge is narrow.
    auto rest = scf::ForOp::create(b, i64Constant(b, 0), left, i64Constant(b, kLanes));
    b.setInsertionPointToStart(rest.getBody());
    Value remaining = arith::SubIOp::create(b, left, rest.getInductionVar());
    Value count = arith::MinSIOp::create(b, remaining, i64Constant(b, kLanes));
    emitColumnVectors(at, arith::AddIOp::create(b, first, rest.getInductionVar()), 1,
                      lanesBelow(b, count, kLanes));
  }

  /// `count` vectors of columns from `first` on.
  void emitColumnVectors(ArrayRef<Value> at, Value first, int64_t count, Value mask) {
    SmallVector<RowValues> values(count);
    SmallVector<Indices> columns;
    for (int64_t u = 0; u < count; ++u) {
      Indices &column = columns.emplace_back();
      for (Value i : at)
        column.push_back({i, Index::Uniform});
      column.push_back({offset(first, u * kLanes), Index::Consecutive});
      emitRowOps(0, column, kLanes, mask, values[u]);
    }
    for (auto [number, loop] : llvm::enumerate(plan.loops)) {
      SmallVector<Value> folded = overOuterReduced(
          at, 0, {}, i64Constant(b, 0), identities(loop, count),
          [&](const Indices &outer, Value scratch, ValueRange running) {
            return emitColumnRow(loop, outer, scratch, running, columns, mask, values);
          });
      for (int64_t u = 0; u < count; ++u) {
        for (auto [r, reduction] : llvm::enumerate(loop.reductions))
          values[u][reduction->getResult(0)] = folded[r * count + u];
        emitRowOps(number + 1, columns[u], kLanes, mask, values[u]);
      }
    }
    for (int64_t u = 0; u < count; ++u)
      storeRowResults(columns[u], kLanes, mask, values[u]);
  }

  /// What one loop does at `outer`, for all columns.
  SmallVector<Value> emitColumnRow(const RowLoop &loop, const Indices &outer, Value scratch,
                                   ValueRange running, ArrayRef<Indices> columns, Value mask,
                                   ArrayRef<RowValues> values) {
    SmallVector<Value> next(running);
    size_t count = columns.size();
    Value first = b.createOrFold<arith::MulIOp>(scratch, columnBlock());
    if (&loop == &plan.loops.front())
      prefetchRows(outer, columns);
    for (size_t u = 0; u < count; ++u) {
      Position position{outer, mask, offset(first, static_cast<int64_t>(u) * kLanes)};
      position.at.push_back(columns[u].back());
      SmallVector<Value> own;
      for (size_t r = 0; r < loop.reductions.size(); ++r)
        own.push_back(next[r * count + u]);
      own = emitStep(loop, position, own, values[u]);
      for (size_t r = 0; r < loop.reductions.size(); ++r)
        next[r * count + u] = own[r];
    }
    return next;
  }

  /// Asks for the columns of later rows: each row is a short run of memory, far from the next.
  void prefetchRows(const Indices &outer, ArrayRef<Indices> columns) {
    constexpr int64_t ahead = 16, large = 1 << 18;
    auto type = cast<RankedTensorType>(domain.getType());
    if (!type.hasStaticShape() || type.getNumElements() < large)
      return;
    KernelEmitter emitter(function, kLanes);
    for (BlockArgument argument : function.kernel.getBody().getArguments())
      if (argument.getType() == type)
        for (const Indices &column : columns) {
          Indices later = outer;
          Index &row = later[plan.space.reduced.back()];
          row = emitter.add(row, i64Constant(b, ahead));
          later.push_back(column.back());
          Value pointer = function.pointer(argument);
          emitPrefetch(b, type.getElementType(), pointer,
                       Int(b, emitter.position(argument, later).value), CacheLevel::Second);
        }
  }

  //===--------------------------------------------------------------------===//
  // Both
  //===--------------------------------------------------------------------===//

  /// One vector of one loop: folds into `running`, one vector a reduction, and stores.
  SmallVector<Value> emitStep(const RowLoop &loop, const Position &position,
                              ArrayRef<Value> running, const RowValues &values) {
    KernelEmitter emitter(function, kLanes);
    emitter.setMask(position.mask);
    for (auto [value, element] : values)
      emitter.bind(value, element);
    for (const KeptValue &kept : loop.loads) {
      auto [pointer, index] = placeOf(emitter, kept, position);
      emitter.bind(kept.value, emitter.load(pointer, getElementTypeOrSelf(kept.value), index));
    }
    SmallVector<Value> next;
    for (auto [reduction, state] : llvm::zip_equal(loop.reductions, running)) {
      Value element = emitter.elementAt(reduction->getOperand(0), position.at);
      if (position.mask && lastReduced)
        element = arith::SelectOp::create(b, position.mask, element, identity(reduction));
      next.push_back(ReductionOpInterface(reduction).combine(b, state, element));
    }
    SmallVector<Value> keeps;
    for (const KeptValue &kept : loop.keeps)
      keeps.push_back(emitter.elementAt(kept.value, position.at));
    emitter.storeResults(loop.results, position.at);
    for (auto [kept, element] : llvm::zip_equal(loop.keeps, keeps)) {
      auto [pointer, index] = placeOf(emitter, kept, position);
      emitter.store(pointer, getElementTypeOrSelf(kept.value), element, index);
    }
    return next;
  }

  std::pair<Value, Index> placeOf(KernelEmitter &emitter, const KeptValue &kept,
                                  const Position &position) {
    if (kept.result < 0)
      return {scratchOf(kept.value), {position.inScratch, Index::Consecutive}};
    Value result = function.yield.getValues()[kept.result];
    return {function.resultPointer(kept.result), emitter.position(result, position.at)};
  }

  /// Stack for one value of a row, allocated once.
  Value scratchOf(Value value) {
    Value &pointer = scratch[value];
    if (!pointer) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(&function.function.getBody().front());
      int64_t elements = *plan.elements * (lastReduced ? 1 : kUnroll * kLanes);
      constexpr int64_t cacheLine = 64;
      pointer =
          LLVM::AllocaOp::create(b, LLVM::LLVMPointerType::get(b.getContext()),
                                 getElementTypeOrSelf(value), i64Constant(b, elements), cacheLine);
    }
    return pointer;
  }

  /// Computes the values of one element a row that loop `number` may use, and binds them.
  void emitRowOps(size_t number, const Indices &row, int64_t lanes, Value mask, RowValues &values) {
    KernelEmitter emitter(function, lanes);
    emitter.setMask(mask);
    for (auto [value, element] : values)
      emitter.bind(value, element);
    for (Operation *op : plan.rowOps[number]) {
      Value element = emitter.elementAt(op->getResult(0), row);
      values[op->getResult(0)] = element;
      emitter.bind(op->getResult(0), element);
    }
  }

  void storeRowResults(const Indices &row, int64_t lanes, Value mask, const RowValues &values) {
    KernelEmitter emitter(function, lanes);
    emitter.setMask(mask);
    for (auto [value, element] : values)
      emitter.bind(value, element);
    emitter.storeResults(plan.rowResults, row);
  }

  /// Loops over the reduced axes but the last axis of the domain, and calls `body` with the indices
  /// of all axes but the last, and the position in scratch.
  SmallVector<Value> overOuterReduced(
      ArrayRef<Value> keptAt, size_t depth, SmallVector<Value> reducedAt, Value position,
      ValueRange running,
      llvm::function_ref<SmallVector<Value>(const Indices &, Value, ValueRange)> body) {
    ArrayRef<int64_t> reduced = plan.space.reduced;
    size_t outerCount = lastReduced ? reduced.size() - 1 : reduced.size();
    if (depth == outerCount) {
      Indices outer(rank - 1);
      for (auto [i, axis] : llvm::enumerate(outerKept()))
        outer[axis] = {keptAt[i], Index::Uniform};
      for (auto [i, index] : llvm::enumerate(reducedAt))
        outer[reduced[i]] = {index, Index::Uniform};
      if (lastReduced)
        position = b.createOrFold<arith::MulIOp>(position, lastSize());
      return body(outer, position, running);
    }
    Value size = function.size(domain, reduced[depth]);
    return emitLoop(
        i64Constant(b, 0), size, i64Constant(b, 1), running, [&](Value i, ValueRange state) {
          SmallVector<Value> next = reducedAt;
          next.push_back(i);
          Value inner =
              b.createOrFold<arith::AddIOp>(b.createOrFold<arith::MulIOp>(position, size), i);
          return overOuterReduced(keptAt, depth + 1, next, inner, state, body);
        });
  }

  /// scf.for with carried values; nothing if it is known to be empty.
  SmallVector<Value> emitLoop(Value from, Value to, Value step, ValueRange initial,
                              llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body) {
    std::optional<int64_t> first = getConstantIntValue(from), end = getConstantIntValue(to);
    if (first && first == end)
      return SmallVector<Value>(initial);
    auto loop = scf::ForOp::create(b, from, to, step, initial);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> next = body(loop.getInductionVar(), loop.getRegionIterArgs());
    if (!initial.empty())
      scf::YieldOp::create(b, next);
    return SmallVector<Value>(loop.getResults());
  }

  /// `body(left)` if `left` is not 0, else `otherwise`.
  SmallVector<Value> emitIfSome(Value left, ArrayRef<Value> otherwise,
                                llvm::function_ref<SmallVector<Value>(Value)> body) {
    if (getConstantIntValue(left) == 0)
      return SmallVector<Value>(otherwise);
    Value some = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, left, i64Constant(b, 0));
    auto branch = scf::IfOp::create(b, ValueRange(otherwise).getTypes(), some, !otherwise.empty());
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    SmallVector<Value> next = body(left);
    if (otherwise.empty())
      return {};
    scf::YieldOp::create(b, next);
    b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(b, otherwise);
    return SmallVector<Value>(branch.getResults());
  }

  /// `count` vectors for each reduction of a loop to fold into.
  SmallVector<Value> identities(const RowLoop &loop, int64_t count) {
    SmallVector<Value> vectors;
    for (ReductionOpInterface reduction : loop.reductions)
      vectors.append(count, identity(reduction));
    return vectors;
  }
  Value identity(ReductionOpInterface reduction) {
    auto type = VectorType::get(kLanes, getElementTypeOrSelf(reduction->getResult(0)));
    return arith::ConstantOp::create(b,
                                     DenseElementsAttr::get(type, Attribute(reduction.identity())));
  }

  Value roundedDown(Value value, Value multiple) {
    return b.createOrFold<arith::SubIOp>(value, b.createOrFold<arith::RemUIOp>(value, multiple));
  }
  Value offset(Value base, int64_t by) {
    return by == 0 ? base : b.createOrFold<arith::AddIOp>(base, i64Constant(b, by));
  }
  Value lastSize() { return function.size(domain, rank - 1); }
  /// The kept axes without the last axis of the domain.
  ArrayRef<int64_t> outerKept() {
    ArrayRef<int64_t> kept = plan.space.kept;
    return lastReduced ? kept : kept.drop_back();
  }

  KernelFunction &function;
  ImplicitLocOpBuilder &b;
  RowPlan plan;
  Value domain;
  int64_t rank;
  bool lastReduced;
  llvm::DenseMap<Value, Value> scratch;
};

} // namespace

Value mlir::gen::kernels::emitReductionTaskCount(KernelFunction &function) {
  return ReductionEmitter(function).taskCount();
}

void mlir::gen::kernels::emitReductionTask(KernelFunction &function, Value index) {
  ReductionEmitter(function).emitTask(index);
}
