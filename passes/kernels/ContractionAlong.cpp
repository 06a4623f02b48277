//===- ContractionAlong.cpp - Long sums along memory ----------------------===//
//
// Where k is contiguous in A and B, and long, both are read as vectors from where they are:
//
//   for each block of k:                        (so long that the part of A stays in a cache)
//     for each tile of columns of the task:
//       rows * vectors accumulators of lanes, from and to a buffer
//   the sum of each accumulator's lanes, by halves; the epilogue
//
// An element of C is `lanes` chains of fused multiply-adds and a tree of additions over them.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/kernels/Contraction.h"
#include "passes/kernels/ContractionTile.h"

namespace mlir::gen::kernels {
namespace {

class AlongEmitter {
public:
  AlongEmitter(ImplicitLocOpBuilder &b, const Contraction &c)
      : b(b), c(c), s(c.schedule), element(c.elementType), type(VectorType::get(s.lanes, element)),
        bytes(element.getIntOrFloatBitWidth() / 8), m(b, int64_t(0)), n(m), columnTiles(m) {
    for (const RowDigit &digit : c.rows)
      rows.push_back({Int(b, digit.extent), Int(b, digit.stride)});
    for (const RowDigit &digit : c.columns)
      columns.push_back({Int(b, digit.extent), Int(b, digit.stride)});
    for (const DepthDigit &digit : c.depth)
      depth.push_back({Int(b, digit.extent), Int(b, digit.lhsStride), Int(b, digit.rhsStride)});
    m = extentOf(b, rows);
    n = extentOf(b, columns);
    simplify(rows);
    simplify(depth);
    columnTiles = roundedUpQuotient(n, s.vectors);
  }

  Int taskCount() { return roundedUpQuotient(m, s.rows) * columnTasks(); }

  void emit(Int index, ContractionEpilogue epilogue) {
    Int parts = columnTasks(), row = index / parts * s.rows, part = index % parts;
    Int first = part * columnTiles / parts, last = (part + 1) * columnTiles / parts;
    int64_t tile = s.rows * s.vectors;
    sums = allocateScratch(b, element, s.panels * tile * s.lanes);
    totals = allocateScratch(b, element, llvm::alignTo(s.panels * tile, s.lanes));
    lhs = walkPointers(b, element, c.lhs, rows, row, s.rows, isEven(rows, s.rows), m - row);
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(type));
    emitLoop(b, Int(b, 0), (last - first) * tile, 1,
             [&](Int i) { storeVector(b, zero, accumulator(i), bytes * s.lanes); });
    block(depth, Int(b, 0), Int(b, 0), first, last);
    sumLanes((last - first) * tile);
    emitLoop(b, Int(b, 0), min(m - row, Int(b, s.rows)), 1, [&](Int r) {
      emitLoop(b, first * s.vectors, min(last * s.vectors, n), 1, [&](Int column) {
        Int at = column - first * s.vectors, number = at / s.vectors * tile + r * s.vectors;
        Value total = elementPointer(b, element, totals, number + at % s.vectors);
        epilogue(b, row + r, column, LLVM::LoadOp::create(b, element, total), nullptr);
      });
    });
  }

private:
  Int columnTasks() { return roundedUpQuotient(columnTiles, s.panels); }

  Value accumulator(Int number) { return elementPointer(b, element, sums, number * s.lanes); }

  /// How many digits of k, the last ones, the sums stay in registers for: enough of them to be
  /// worth a trip to the buffer.
  size_t innerDigits() {
    constexpr int64_t kLong = 2048;
    std::optional<int64_t> last = depth.back().extent.constant();
    return last && *last >= kLong ? 1 : std::min<size_t>(depth.size(), 2);
  }

  /// Chooses the digits of k before those; then goes over the tiles.
  void block(ArrayRef<DepthStep> walk, Int lhsOffset, Int rhsOffset, Int first, Int last) {
    const DepthStep &step = walk.front();
    if (walk.size() > innerDigits())
      return emitLoop(b, Int(b, 0), step.extent, 1, [&](Int i) {
        block(walk.drop_front(), lhsOffset + i * step.lhsStride, rhsOffset + i * step.rhsStride,
              first, last);
      });
    emitLoop(b, first, last, 1, [&](Int tile) {
      rhs = walkPointers(b, element, c.rhs, columns, tile * s.vectors, s.vectors,
                         isEven(columns, s.vectors), n - tile * s.vectors);
      int64_t accumulators = s.rows * s.vectors;
      auto at = [&](int64_t i) { return accumulator((tile - first) * accumulators + i); };
      SmallVector<Value> current;
      for (int64_t i = 0; i < accumulators; ++i)
        current.push_back(loadVector(b, type, at(i), bytes * s.lanes));
      current = digits(walk, lhsOffset, rhsOffset, current);
      for (int64_t i = 0; i < accumulators; ++i)
        storeVector(b, current[i], at(i), bytes * s.lanes);
    });
  }

  /// for (i = 0; i < to; i += step) sums = body(i, sums).
  SmallVector<Value> loop(Int to, int64_t step, ArrayRef<Value> sums,
                          llvm::function_ref<SmallVector<Value>(Int, ArrayRef<Value>)> body) {
    auto loop = scf::ForOp::create(b, Int(b, 0), to, Int(b, step), sums);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> before(loop.getRegionIterArgs());
    scf::YieldOp::create(b, body(Int(b, loop.getInductionVar()), before));
    return loop.getResults();
  }

  /// The sums with the products of the digits `walk` of k, from the offsets in both operands on.
  SmallVector<Value> digits(ArrayRef<DepthStep> walk, Int lhsOffset, Int rhsOffset,
                            ArrayRef<Value> sums) {
    const DepthStep &step = walk.front();
    if (walk.size() > 1)
      return loop(step.extent, 1, sums, [&](Int i, ArrayRef<Value> current) {
        return digits(walk.drop_front(), lhsOffset + i * step.lhsStride,
                      rhsOffset + i * step.rhsStride, current);
      });
    Int whole = step.extent / s.lanes * s.lanes, rest = step.extent - whole;
    SmallVector<Value> current = loop(whole, s.lanes, sums, [&](Int k, ArrayRef<Value> before) {
      return multiply(lhsOffset + k, rhsOffset + k, nullptr, before);
    });
    if (rest.is(0))
      return current;
    SmallVector<Type> types(current.size(), type);
    auto branch = scf::IfOp::create(b, types, Int(b, 0) < rest, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(b, current);
    b.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(
        b, multiply(lhsOffset + whole, rhsOffset + whole, laneMask(b, rest, s.lanes), current));
    return branch.getResults();
  }

  SmallVector<Value> multiply(Int lhsOffset, Int rhsOffset, Value mask, ArrayRef<Value> before) {
    SmallVector<Value> current(before);
    auto load = [&](Value base, Int offset) {
      return loadVector(b, type, elementPointer(b, element, base, offset), bytes, mask);
    };
    SmallVector<Value> column;
    for (Value base : rhs)
      column.push_back(load(base, rhsOffset));
    for (int64_t r = 0; r < s.rows; ++r) {
      Value row = load(lhs[r], lhsOffset);
      for (int64_t v = 0; v < s.vectors; ++v) {
        Value &sum = current[r * s.vectors + v];
        sum = math::FmaOp::create(b, row, column[v], sum, arith::FastMathFlags::contract);
      }
    }
    return current;
  }

  /// totals[i] = the sum of the lanes of accumulator i. Beyond the last one, the last one's again.
  void sumLanes(Int count) {
    emitLoop(b, Int(b, 0), count, s.lanes, [&](Int i) {
      SmallVector<Value> vectors;
      for (int64_t lane = 0; lane < s.lanes; ++lane)
        vectors.push_back(
            loadVector(b, type, accumulator(min(i + lane, count - 1)), bytes * s.lanes));
      storeVector(b, sumsOfLanes(b, vectors), elementPointer(b, element, totals, i),
                  bytes * s.lanes);
    });
  }

  ImplicitLocOpBuilder &b;
  const Contraction &c;
  const ContractionSchedule &s;
  Type element;
  VectorType type;
  unsigned bytes;
  Walk rows, columns; ///< Of A, of B.
  DepthWalk depth;
  Int m, n, columnTiles;
  SmallVector<Value> lhs, rhs; ///< Pointers to the tile's rows and columns.
  Value sums, totals;
};

} // namespace

Int alongTaskCount(ImplicitLocOpBuilder &b, const Contraction &contraction) {
  return AlongEmitter(b, contraction).taskCount();
}

void emitAlongTask(ImplicitLocOpBuilder &b, const Contraction &contraction, Int index,
                   ContractionEpilogue epilogue) {
  AlongEmitter(b, contraction).emit(index, epilogue);
}

} // namespace mlir::gen::kernels
