//===- Scatter.cpp - kernels around a scatter -----------------------------===//
//
// A task makes a few rows of the result. It first looks once through all indices and notes, for
// each of its rows, the first and the last place where the row is named; then each row is the sum
// of the updates between them that have its number, in order, a few vectors at a time. So nothing
// is added up in memory, no two threads meet, and what follows on the result is computed from the
// sums at once.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/ContractionTile.h"
#include "passes/kernels/KernelEmitter.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

namespace {

/// Rows of a task, where the schedule says nothing.
constexpr int64_t kRows = 64;
/// Vectors summed side by side.
constexpr int64_t kVectors = 4;

class ScatterEmitter {
public:
  explicit ScatterEmitter(KernelFunction &function) : function(function), b(function.b) {
    for (Operation &op : function.kernel.getBody().front())
      if (isa<AnchorOpInterface>(op))
        scatter = &op;
    indices = scatter->getOperand(0);
    updates = scatter->getOperand(1);
    result = scatter->getResult(0);
    auto type = cast<RankedTensorType>(result.getType());
    rank = type.getRank();
    element = type.getElementType();
    rowsOfTask = scheduled(function.kernel, "rows", kRows);
  }

  Value taskCount() { return roundedUpQuotient(rows(), rowsOfTask); }

  void emitTask(Value index) {
    Int first = Int(b, index) * rowsOfTask;
    Int count = min(rows() - first, Int(b, rowsOfTask));
    allocateRanges();
    findRanges(first, count);
    emitLoop(b, Int(b, 0), count, 1, [&](Int row) {
      emitOuter(first + row, {loadInt(firsts, row), loadInt(lasts, row)}, 1, {});
    });
  }

private:
  /// Places of the indices, in row-major order: [from, to).
  struct Range {
    Int from, to;
  };

  Int rows() { return {b, function.size(result, 0)}; }
  Int places() {
    auto axes =
        llvm::to_vector(llvm::seq<int64_t>(0, cast<RankedTensorType>(indices.getType()).getRank()));
    return {b, function.product(indices, axes)};
  }

  //===--------------------------------------------------------------------===//
  // Where a row is named
  //===--------------------------------------------------------------------===//

  void allocateRanges() {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&function.function.getBody().front());
    Type pointer = LLVM::LLVMPointerType::get(b.getContext());
    firsts = LLVM::AllocaOp::create(b, pointer, b.getI64Type(), Int(b, rowsOfTask), 64);
    lasts = LLVM::AllocaOp::create(b, pointer, b.getI64Type(), Int(b, rowsOfTask), 64);
  }

  Value slot(Value array, Int row) { return elementPointer(b, b.getI64Type(), array, row); }
  Int loadInt(Value array, Int row) {
    return {b, LLVM::LoadOp::create(b, b.getI64Type(), slot(array, row))};
  }

  void findRanges(Int first, Int count) {
    emitLoop(b, Int(b, 0), count, 1, [&](Int row) {
      LLVM::StoreOp::create(b, places(), slot(firsts, row));
      LLVM::StoreOp::create(b, Int(b, 0), slot(lasts, row));
    });
    emitLoop(b, Int(b, 0), places(), 1, [&](Int place) {
      Int row = numberAt(place) - first;
      // Without sign: rows before the first one are large.
      Value isHere = compare(arith::CmpIPredicate::ult, row, count);
      emitIf(
          b, isHere,
          [&] {
            LLVM::StoreOp::create(b, min(loadInt(firsts, row), place), slot(firsts, row));
            LLVM::StoreOp::create(b, place + 1, slot(lasts, row));
          },
          [] {});
    });
  }

  Int numberAt(Int place) {
    KernelEmitter emitter(function, 1);
    Value number = emitter.elementAtPosition(indices, {place, Index::Uniform});
    if (number.getType() != b.getI64Type())
      number = arith::ExtSIOp::create(b, b.getI64Type(), number);
    return {b, number};
  }

  //===--------------------------------------------------------------------===//
  // Rows
  //===--------------------------------------------------------------------===//

  /// Loops over the axes from `axis` on; `at` are the indices before, without the row.
  void emitOuter(Int row, const Range &range, int64_t axis, const Indices &at) {
    if (axis < rank - 1)
      return emitLoop(b, Int(b, 0), Int(b, function.size(result, axis)), 1, [&](Int i) {
        Indices next = at;
        next.push_back({i, Index::Uniform});
        emitOuter(row, range, axis + 1, next);
      });
    if (rank == 1)
      return emitVectors(row, range, at, Int(b, 0), 1, 1, Value());
    Int size(b, function.size(result, rank - 1)), wide(b, kVectors * kLanes);
    Int wideEnd = size / (kVectors * kLanes) * (kVectors * kLanes);
    emitLoop(b, Int(b, 0), wideEnd, kVectors * kLanes,
             [&](Int column) { emitVectors(row, range, at, column, kVectors, kLanes, Value()); });
    emitLoop(b, wideEnd, size, kLanes, [&](Int column) {
      Value mask = lanesBelow(b, min(size - column, Int(b, kLanes)), kLanes);
      emitVectors(row, range, at, column, 1, kLanes, mask);
    });
  }

  /// The row's elements from `column` on: `count` vectors of `lanes`.
  void emitVectors(Int row, const Range &range, const Indices &at, Int column, int64_t count,
                   int64_t lanes, Value mask) {
    Type type = lanes == 1 ? element : VectorType::get(lanes, element);
    SmallVector<Value> zeros(count,
                             arith::ConstantOp::create(b, cast<TypedAttr>(b.getZeroAttr(type))));
    auto loop = scf::ForOp::create(b, range.from, range.to, Int(b, 1), zeros);
    auto indicesOf = [&](int64_t v, ArrayRef<Value> leading) {
      Indices all;
      for (Value index : leading)
        all.push_back({index, Index::Uniform});
      llvm::append_range(all, at);
      if (rank > 1)
        all.push_back({column + v * lanes, lanes == 1 ? Index::Uniform : Index::Consecutive});
      return all;
    };
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      Int place(b, loop.getInductionVar());
      auto branch = scf::IfOp::create(b, TypeRange(ValueRange(zeros)), numberAt(place) == row,
                                      /*withElseRegion=*/true);
      scf::YieldOp::create(b, branch.getResults());
      b.setInsertionPointToStart(branch.elseBlock());
      scf::YieldOp::create(b, loop.getRegionIterArgs());
      b.setInsertionPointToStart(branch.thenBlock());
      auto axes = llvm::to_vector(
          llvm::seq<int64_t>(0, cast<RankedTensorType>(indices.getType()).getRank()));
      SmallVector<Value> leading = delinearize(function, indices, axes, place);
      SmallVector<Value> sums;
      for (int64_t v = 0; v < count; ++v) {
        KernelEmitter emitter(function, lanes);
        emitter.setMask(mask);
        sums.push_back(
            add(loop.getRegionIterArgs()[v], emitter.elementAt(updates, indicesOf(v, leading))));
      }
      scf::YieldOp::create(b, sums);
    }
    for (int64_t v = 0; v < count; ++v) {
      KernelEmitter emitter(function, lanes);
      emitter.setMask(mask);
      emitter.bind(result, loop.getResult(v));
      emitter.storeResults(indicesOf(v, {row.value}));
    }
  }

  Value add(Value lhs, Value rhs) {
    if (isa<FloatType>(element))
      return arith::AddFOp::create(b, lhs, rhs);
    return arith::AddIOp::create(b, lhs, rhs);
  }

  KernelFunction &function;
  ImplicitLocOpBuilder &b;
  Operation *scatter = nullptr;
  Value indices, updates, result;
  int64_t rank, rowsOfTask;
  Type element;
  Value firsts, lasts; ///< Of each row of the task.
};

} // namespace

Value mlir::gen::kernels::emitScatterTaskCount(KernelFunction &function) {
  return ScatterEmitter(function).taskCount();
}

void mlir::gen::kernels::emitScatterTask(KernelFunction &function, Value index) {
  ScatterEmitter(function).emitTask(index);
}

DictionaryAttr mlir::gen::kernels::chooseScatterSchedule(KernelOp kernel) {
  constexpr int64_t tasks = 8, elements = 65536;
  auto result = *llvm::find_if(kernel.getBody().front(), [](Operation &op) {
                   return isa<AnchorOpInterface>(op);
                 })->result_type_begin();
  ArrayRef<int64_t> shape = cast<RankedTensorType>(result).getShape();
  int64_t row = 1;
  for (int64_t size : shape.drop_front())
    row *= ShapedType::isDynamic(size) ? 256 : std::clamp<int64_t>(size, 1, elements);
  int64_t rows = std::clamp<int64_t>(elements / std::clamp<int64_t>(row, 1, elements), 1, kRows);
  if (!ShapedType::isDynamic(shape[0]))
    rows = std::clamp<int64_t>(shape[0] / tasks, 1, rows);
  Builder b(kernel.getContext());
  return b.getDictionaryAttr(b.getNamedAttr("rows", b.getI64IntegerAttr(rows)));
}
