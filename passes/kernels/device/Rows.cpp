//===- Rows.cpp - kernels around reductions, for a GPU --------------------===//
//
// Several threads, the lanes of a row, go over it together in the loops of its plan (RowPlan.h):
// each folds every so-manieth element, then they fold what they have. If the last axis is reduced,
// neighbouring threads are lanes of one row; if it is kept, they are neighbouring rows. Where it
// can, a thread takes four neighbours along the last axis at once: elements of its row, or rows.
// The order of a fold is a function of the shape alone: where memory does not begin at a multiple
// of 16 bytes, the four are read one by one.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/RowPlan.h"
#include "passes/kernels/device/DeviceEmitter.h"
#include "passes/kernels/device/Warp.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

namespace {

/// The elements of values that have one a row.
using RowValues = llvm::MapVector<Value, Value>;

class RowsEmitter : public DeviceEmitter {
public:
  explicit RowsEmitter(KernelFunction &function)
      : DeviceEmitter(function), plan(function.kernel, /*mostScratch=*/0),
        domain(plan.space.domain), isLastReduced(plan.space.isLastReduced()) {
    constexpr int64_t kFour = 4;
    if (areTogether(domain, kFour) && (isLastReduced || areManyRows()))
      (isLastReduced ? elements : columns) = kFour;
    chooseSizes();
  }

  int64_t threads() const override { return lanes * rows; }
  Value blocks() override { return roundedUpQuotient(rowGroups(), rows); }

  void emitThread(Int block, Int thread) override {
    this->thread = thread;
    lane = isLastReduced ? thread % lanes : thread / rows;
    Int total = rowGroups();
    Int row = block * rows + (isLastReduced ? thread / lanes : thread % rows);
    // The last block may have more rows than there are: they fold no elements, and store nothing.
    Value exists = row < total;
    for (Value index :
         delinearize(function, domain, plan.space.kept, min(row, total - Int(b, 1)) * columns))
      at.push_back({index, Index::Uniform});
    if (columns > 1)
      at.back().kind = Index::Consecutive;
    if (elements * columns > 1)
      isAligned = areAligned(b, memory());
    Int none(b, 0), all = product(plan.space.reduced) / elements;
    Int end = threads() == lanes
                  ? all
                  : Int(b, arith::SelectOp::create(b, exists, all.value, none.value));
    RowValues values;
    emitRowOps(0, values);
    for (auto [number, loop] : llvm::enumerate(plan.loops)) {
      SmallVector<Value> folded = emitRowLoop(loop, end, values);
      for (auto [reduction, own] : llvm::zip_equal(loop.reductions, folded))
        values[reduction->getResult(0)] = foldLanes(reduction, own);
      emitRowOps(number + 1, values);
    }
    storeRowResults(exists, values);
  }

private:
  /// True if there are enough rows for four of them to be one thread's.
  bool areManyRows() const {
    constexpr int64_t kMany = 1 << 14;
    int64_t known = 1;
    for (int64_t axis : plan.space.kept)
      if (int64_t size = cast<RankedTensorType>(domain.getType()).getDimSize(axis); size > 0)
        known *= size;
    return known >= kMany;
  }

  /// Lanes for a row: about four elements each; more for a row that is alone. Rows kept side by
  /// side in memory are as many as the threads that run in step.
  void chooseSizes() {
    constexpr int64_t kThreads = 256, kElementsOfLane = 4;
    ArrayRef<int64_t> shape = cast<RankedTensorType>(domain.getType()).getShape();
    bool isAlone = llvm::all_of(plan.space.kept, [&](int64_t axis) { return shape[axis] == 1; });
    bool haveFew = registers() <= 128; // or so many threads would not have them
    int64_t most = !isLastReduced ? kThreads / kWarp : isAlone && haveFew ? 2 * kThreads : kThreads;
    int64_t all = std::max<int64_t>(plan.elements.value_or(most * kElementsOfLane), 1);
    auto wanted = static_cast<int64_t>(llvm::PowerOf2Ceil(llvm::divideCeil(all, kElementsOfLane)));
    lanes = std::min(wanted, most);
    rows = isLastReduced ? std::max<int64_t>(kThreads / 2 / lanes, 1) : kWarp;
  }

  /// This lane's part of a loop: what each reduction folds of it.
  SmallVector<Value> emitRowLoop(const RowLoop &loop, Int end, const RowValues &values) {
    SmallVector<Type> types;
    for (ReductionOpInterface reduction : loop.reductions)
      types.push_back(KernelEmitter(function, columns).laneType(reduction.identity().getType()));
    return emitAligned(
        types, [&](int64_t alignment) { return emitRowLoop(loop, end, values, alignment); });
  }

  /// Emits `body` for memory that begins at a multiple of so many bytes.
  SmallVector<Value> emitAligned(TypeRange types,
                                 llvm::function_ref<SmallVector<Value>(int64_t)> body) {
    if (!isAligned)
      return body(1);
    return emitChoice(
        b, types, isAligned, [&] { return body(kBytesAtOnce); }, [&] { return body(1); });
  }

  /// The same, in several parts side by side, so that loads need not wait for each other.
  SmallVector<Value> emitRowLoop(const RowLoop &loop, Int end, const RowValues &values,
                                 int64_t alignment) {
    size_t count = loop.reductions.size();
    int64_t parts = count == 0 ? 1 : elements * columns == 1 ? 4 : 2;
    SmallVector<Value> initial;
    for (int64_t part = 0; part < parts; ++part)
      for (ReductionOpInterface reduction : loop.reductions)
        initial.push_back(
            KernelEmitter(function, elements * columns).constant(reduction.identity()));
    auto step = [&](Int first, int64_t part, MutableArrayRef<Value> state) {
      Int number = (first + part * lanes) * elements;
      MutableArrayRef<Value> own = state.slice(part * count, count);
      llvm::copy(emitStep(loop, placeOf(number), own, values, alignment), own.begin());
    };
    Int whole = (end + (lanes - 1) - *lane) / (lanes * parts) * (lanes * parts);
    SmallVector<Value> state =
        emitLoop(*lane, *lane + whole, lanes * parts, initial, [&](Int i, auto now) {
          for (int64_t part = 0; part < parts; ++part)
            step(i, part, now);
        });
    if (parts > 1)
      state = emitLoop(*lane + whole, end, lanes, state, [&](Int i, auto now) { step(i, 0, now); });
    SmallVector<Value> folded;
    for (auto [i, reduction] : llvm::enumerate(loop.reductions))
      folded.push_back(
          foldParts(reduction, llvm::map_to_vector(llvm::seq(parts), [&](int64_t part) {
                      return state[part * count + i];
                    })));
    return folded;
  }

  /// Folds what a lane has in several parts, each of `elements`.
  Value foldParts(ReductionOpInterface reduction, ArrayRef<Value> parts) {
    Value folded = parts.front();
    for (Value part : parts.drop_front())
      folded = reduction.combine(b, folded, part);
    if (elements == 1)
      return folded;
    Value all = vector::ExtractOp::create(b, folded, 0);
    for (int64_t i = 1; i < elements; ++i)
      all = reduction.combine(b, all, vector::ExtractOp::create(b, folded, i));
    return all;
  }

  /// The indices of element `number` of the row, the first of `elements`.
  Indices placeOf(Value number) {
    Indices place(cast<RankedTensorType>(domain.getType()).getRank());
    for (auto [axis, index] : llvm::zip_equal(plan.space.kept, at))
      place[axis] = index;
    for (auto [axis, index] : llvm::zip_equal(
             plan.space.reduced, delinearize(function, domain, plan.space.reduced, number)))
      place[axis] = {index, Index::Uniform};
    if (elements > 1)
      place.back().kind = Index::Consecutive;
    return place;
  }

  SmallVector<Value> emitStep(const RowLoop &loop, const Indices &place, ValueRange running,
                              const RowValues &values, int64_t alignment) {
    KernelEmitter emitter = makeEmitter(values, elements * columns, alignment);
    auto positionOf = [&](const KeptValue &kept) {
      return emitter.position(function.yield.getValues()[kept.result], place);
    };
    for (const KeptValue &kept : loop.loads)
      emitter.bind(kept.value, emitter.load(function.resultPointer(kept.result),
                                            getElementTypeOrSelf(kept.value), positionOf(kept)));
    SmallVector<Value> next, keeps;
    for (auto [reduction, state] : llvm::zip_equal(loop.reductions, running))
      next.push_back(ReductionOpInterface(reduction).combine(
          b, state, emitter.elementAt(reduction->getOperand(0), place)));
    for (const KeptValue &kept : loop.keeps)
      keeps.push_back(emitter.elementAt(kept.value, place));
    emitter.storeResults(loop.results, place);
    for (auto [kept, element] : llvm::zip_equal(loop.keeps, keeps))
      emitter.store(function.resultPointer(kept.result), getElementTypeOrSelf(kept.value), element,
                    positionOf(kept));
    return next;
  }

  /// Folds what the lanes of a row have; all get the result. Those of a warp fold theirs without
  /// memory; what is left is in shared memory, and each lane folds all of it.
  Value foldLanes(ReductionOpInterface reduction, Value own) {
    auto combine = [&](Value x, Value y) { return reduction.combine(b, x, y); };
    int64_t together = isLastReduced ? std::min(lanes, kWarp) : 1;
    own = foldNeighbours(b, own, together, combine);
    if (lanes == together)
      return own;
    if (hasFolded) // the last one's results have to be read by all before
      emitBarrier();
    hasFolded = true;
    // One after another, those of a row; or side by side, as neighbouring threads are.
    int64_t left = lanes / together, next = isLastReduced ? 1 : rows;
    Int first = isLastReduced ? *thread / lanes * left : *thread % rows;
    store(first + *lane / together * next, own);
    emitBarrier();
    Value folded = load(first, own.getType());
    for (int64_t i = 1; i < left; ++i)
      folded = combine(folded, load(first + i * next, own.getType()));
    return folded;
  }

  /// Where lanes leave what they have.
  Value slots() {
    return sharedMemory(kMostBytes * columns * threads() / (isLastReduced ? kWarp : 1));
  }
  Index slot(Int number) {
    return {number * columns, columns > 1 ? Index::Consecutive : Index::Uniform};
  }
  /// Threads that have the same store the same.
  void store(Int number, Value value) {
    makeEmitter({}, columns, kBytesAtOnce)
        .store(slots(), getElementTypeOrSelf(value), value, slot(number));
  }
  Value load(Int number, Type type) {
    return makeEmitter({}, columns, kBytesAtOnce)
        .load(slots(), getElementTypeOrSelf(type), slot(number));
  }

  /// Computes the values of one element a row that loop `number` may use.
  void emitRowOps(size_t number, RowValues &values) {
    KernelEmitter emitter = makeEmitter(values, columns);
    for (Operation *op : plan.rowOps[number]) {
      Value element = emitter.elementAt(op->getResult(0), at);
      values[op->getResult(0)] = element;
      emitter.bind(op->getResult(0), element);
    }
  }

  void storeRowResults(Value exists, const RowValues &values) {
    if (plan.rowResults.empty())
      return;
    emitBarrier(); // a result may lie where an argument is still to be read
    Value isFirst = *lane == Int(b, 0);
    auto branch =
        scf::IfOp::create(b, b.createOrFold<arith::AndIOp>(exists, isFirst), /*withElse=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    emitAligned({}, [&](int64_t alignment) {
      makeEmitter(values, columns, alignment).storeResults(plan.rowResults, at);
      return SmallVector<Value>();
    });
  }

  /// Of so many neighbours, in memory that begins at a multiple of `alignment`.
  KernelEmitter makeEmitter(const RowValues &values, int64_t neighbours, int64_t alignment = 1) {
    KernelEmitter emitter(function, neighbours);
    emitter.setAlignment(alignment);
    for (auto [value, element] : values)
      emitter.bind(value, element);
    return emitter;
  }

  /// Rows, or groups of those that are one thread's.
  Int rowGroups() { return product(plan.space.kept) / columns; }
  Int product(ArrayRef<int64_t> axes) { return {b, function.product(domain, axes)}; }

  static constexpr int64_t kMostBytes = 8; ///< Of an element.

  RowPlan plan;
  Value domain;
  bool isLastReduced;
  int64_t elements = 1;            ///< Of a row that a lane takes at once.
  int64_t columns = 1;             ///< Rows that a thread has, side by side.
  int64_t lanes, rows;             ///< Of a row; of a block.
  std::optional<Int> thread, lane; ///< Of the block; of the row.
  Indices at;                      ///< The row's.
  Value isAligned;                 ///< All memory; null if elements are taken one by one.
  bool hasFolded = false;
};

} // namespace

std::unique_ptr<DeviceEmitter> mlir::gen::kernels::makeRowsEmitter(KernelFunction &function) {
  return std::make_unique<RowsEmitter>(function);
}
