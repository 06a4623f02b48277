//===- Pointwise.cpp - kernels without an anchor --------------------------===//
//
// Every element of the results is computed alone. A flat kernel runs over positions; one that
// broadcasts or moves data runs over rows (all axes but the last that is longer than 1) and, within
// a row, over vectors of lanes; one that joins parts runs over a part. Tasks are blocks of a number
// of elements.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/KernelEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

/// Elements of a task, where the schedule says nothing.
static constexpr int64_t kTask = 16384;

namespace {

/// The iteration space as rows of columns.
struct Space {
  Value shape; // a value that has the shape
  SmallVector<int64_t> rowAxes;
  int64_t columnAxis = 0;      // not for a scalar
  Value rows, columns;         // extents
  Value taskRows, taskColumns; // of one task
  Value columnTasks;           // tasks side by side in a row
  bool flat;
};

} // namespace

static Space makeSpace(KernelFunction &function) {
  ImplicitLocOpBuilder &b = function.b;
  Space space;
  space.shape = function.yield.getValues().front();
  if (ConcatOp concat = concatOf(function.kernel, space.shape))
    space.shape = concat.getInputs().front();
  int64_t rank = cast<RankedTensorType>(space.shape.getType()).getRank();
  space.flat = isFlat(function.kernel);
  auto all = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  Value one = i64Constant(b, 1), task = i64Constant(b, scheduled(function.kernel, "task", kTask));
  if (space.flat) {
    space.rows = one;
    space.columns = function.product(space.shape, all);
  } else {
    ArrayRef<int64_t> shape = cast<RankedTensorType>(space.shape.getType()).getShape();
    space.columnAxis = std::max<int64_t>(rank - 1, 0);
    while (space.columnAxis > 0 && shape[space.columnAxis] == 1)
      --space.columnAxis;
    space.rowAxes = all;
    if (rank != 0)
      space.rowAxes.erase(space.rowAxes.begin() + space.columnAxis);
    space.rows = function.product(space.shape, space.rowAxes);
    space.columns = rank == 0 ? one : function.size(space.shape, space.columnAxis);
  }
  space.taskColumns = b.createOrFold<arith::MinUIOp>(space.columns, task);
  Value divisor = b.createOrFold<arith::MaxUIOp>(space.columns, one);
  space.taskRows =
      b.createOrFold<arith::MaxUIOp>(one, b.createOrFold<arith::DivUIOp>(task, divisor));
  space.taskColumns = b.createOrFold<arith::MaxUIOp>(space.taskColumns, one);
  space.columnTasks = ceilDivide(b, space.columns, space.taskColumns);
  return space;
}

Value mlir::gen::kernels::emitPointwiseTaskCount(KernelFunction &function) {
  Space space = makeSpace(function);
  ImplicitLocOpBuilder &b = function.b;
  return b.createOrFold<arith::MulIOp>(ceilDivide(b, space.rows, space.taskRows),
                                       space.columnTasks);
}

/// The elements [from, to) of the row at `row`, an index for each of the row axes.
static void emitRow(KernelFunction &function, const Space &space, ValueRange row, Value from,
                    Value to, int64_t lanes) {
  Indices at;
  for (Value index : row)
    at.push_back({index, Index::Uniform});
  bool scalar = cast<RankedTensorType>(space.shape.getType()).getRank() == 0;
  auto emit = [&](Value column, Value mask) {
    KernelEmitter emitter(function, lanes, space.flat);
    emitter.setMask(mask);
    Indices here = at;
    if (!scalar || space.flat)
      here.insert(here.begin() + space.columnAxis,
                  {column, lanes == 1 ? Index::Uniform : Index::Consecutive});
    emitter.storeResults(here);
  };
  emitLaneLoop(function.b, from, to, lanes, isEmittedOnce(function.kernel), emit);
}

/// The index after `row`: the last one counts up, and carries at the end of its axis. Rows may be
/// short, and divisions take long.
static SmallVector<Value> nextRow(KernelFunction &function, const Space &space, ValueRange row) {
  ImplicitLocOpBuilder &b = function.b;
  SmallVector<Value> next(row);
  Value one = i64Constant(b, 1), zero = i64Constant(b, 0), carry;
  for (size_t i = row.size(); i-- > 0;) {
    Value size = function.size(space.shape, space.rowAxes[i]);
    Value up = arith::AddIOp::create(b, row[i], one), counted = up;
    Value isEnd = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, up, size);
    if (i != 0)
      counted = arith::SelectOp::create(b, isEnd, zero, up);
    next[i] = carry ? arith::SelectOp::create(b, carry, counted, row[i]) : counted;
    carry = carry ? arith::AndIOp::create(b, carry, isEnd).getResult() : isEnd;
  }
  return next;
}

void mlir::gen::kernels::emitPointwiseTask(KernelFunction &function, Value index) {
  ImplicitLocOpBuilder &b = function.b;
  Space space = makeSpace(function);
  Value rowTask = b.createOrFold<arith::DivUIOp>(index, space.columnTasks);
  Value columnTask = b.createOrFold<arith::RemUIOp>(index, space.columnTasks);
  Value firstRow = b.createOrFold<arith::MulIOp>(rowTask, space.taskRows);
  Value lastRow =
      arith::MinUIOp::create(b, arith::AddIOp::create(b, firstRow, space.taskRows), space.rows);
  Value from = b.createOrFold<arith::MulIOp>(columnTask, space.taskColumns);
  Value to =
      arith::MinUIOp::create(b, arith::AddIOp::create(b, from, space.taskColumns), space.columns);
  auto type = cast<RankedTensorType>(space.shape.getType());
  bool narrow = isOneElement(type) || (!space.flat && type.getDimSize(space.columnAxis) == 1);
  SmallVector<Value> row;
  if (!space.flat)
    row = delinearize(function, space.shape, space.rowAxes, firstRow);
  auto loop = scf::ForOp::create(b, firstRow, lastRow, i64Constant(b, 1), row);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  emitRow(function, space, loop.getRegionIterArgs(), from, to, narrow ? 1 : kLanes);
  if (!row.empty())
    scf::YieldOp::create(b, nextRow(function, space, loop.getRegionIterArgs()));
}
