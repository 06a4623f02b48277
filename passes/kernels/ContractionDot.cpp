//===- ContractionDot.cpp - Products of a few columns as dot products -----===//
//
// Lanes along the columns of C would be idle, and along its rows A would have to be turned. Here
// they run along k, where both operands are contiguous once B is packed column by column:
//
//   pack B as [steps of lanes of k][column][lane], zeros beyond the end of each run of k
//   for each tile of rows:
//     rows * columns accumulators over the steps of k
//     the sum of each one's lanes, by halves; the epilogue
//
// An element of C is `lanes` chains of fused multiply-adds and a tree of additions over them.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "passes/kernels/Contraction.h"
#include "passes/kernels/ContractionTile.h"

namespace mlir::gen::kernels {
namespace {

class DotEmitter {
public:
  DotEmitter(ImplicitLocOpBuilder &b, const Contraction &c)
      : b(b), c(c), s(c.schedule), element(c.elementType), lhsType(c.lhsType ? c.lhsType : element),
        rhsType(c.rhsType ? c.rhsType : element), type(VectorType::get(s.lanes, element)),
        bytes(element.getIntOrFloatBitWidth() / 8), columns(*getConstantIntValue(c.n)),
        run(b, int64_t(0)), m(b, int64_t(0)) {
    for (const RowDigit &digit : c.rows)
      rows.push_back({Int(b, digit.extent), Int(b, digit.stride)});
    for (const DepthDigit &digit : c.depth)
      depth.push_back({Int(b, digit.extent), Int(b, digit.lhsStride), Int(b, digit.rhsStride)});
    digits = rows;
    simplify(rows);
    if (c.margins.empty())
      simplify(depth);
    m = extentOf(b, rows);
    // From here on the last digit counts vectors.
    DepthStep &last = depth.back();
    run = last.extent;
    elementStride = last.rhsStride.value;
    last = {roundedUpQuotient(run, s.lanes), last.lhsStride * s.lanes, last.rhsStride * s.lanes};
  }

  Int taskCount() {
    return roundedUpQuotient(roundedUpQuotient(m, s.rows),
                             std::max<int64_t>(s.rowBlock / s.rows, 1));
  }

  void emit(Int index, ContractionEpilogue epilogue) {
    if (taskCount().is(0))
      return;
    int64_t accumulators = llvm::alignTo(s.rows * columns, s.lanes);
    panel = allocate(*extentOf(b, depth).constant() * columns * s.lanes);
    sums = allocate(accumulators);
    packPanel();
    Int tiles = roundedUpQuotient(m, s.rows), tasks = taskCount();
    emitLoop(b, index * tiles / tasks, (index + 1) * tiles / tasks, 1, [&](Int tile) {
      Int first = tile * s.rows;
      bool even = m.constant() && *m.constant() % s.rows == 0;
      Int count = even ? Int(b, s.rows) : min(m - first, Int(b, s.rows));
      std::optional<Int> limit;
      if (!even)
        limit = count;
      lhs = walkPointers(b, lhsType, c.lhs, rows, first, s.rows, isEven(rows, s.rows), limit);
      leaveOutMargins(first);
      Value zero = arith::ConstantOp::create(b, b.getZeroAttr(type));
      SmallVector<Value> zeros(s.rows * columns, zero);
      storeSums(digit(depth, Int(b, 0), Int(b, 0), zeros));
      Value mask = laneMask(b, Int(b, columns), s.lanes);
      emitLoop(b, Int(b, 0), count, 1, [&](Int r) {
        Value row = elementPointer(b, element, sums, r * columns);
        epilogue(b, first + r, Int(b, 0), loadVector(b, type, row, bytes, mask), mask);
      });
    });
  }

private:
  /// Chooses the steps of each digit of k for a tile of rows from `first` on.
  void leaveOutMargins(Int first) {
    steps.clear();
    for (const DepthStep &step : ArrayRef(depth).drop_back())
      steps.push_back({Int(b, 0), step.extent});
    if (c.margins.empty())
      return;
    SmallVector<Range> ranges = rangesOf(digits, first, min(first + (s.rows - 1), m - 1), s.rows);
    for (const Margin &margin : c.margins) {
      auto &[from, to] = steps[margin.depth];
      Range inside = stepsInside(margin, ranges[margin.row]);
      from = inside.first;
      to = min(inside.second, to);
    }
  }

  Value allocate(int64_t size) { return allocateScratch(b, element, std::max<int64_t>(size, 1)); }

  bool hasRest() const { return !run.constant() || *run.constant() % s.lanes != 0; }
  /// The lanes of vector `step` of a run; null: all.
  Value maskOf(Int step) {
    return hasRest() ? laneMask(b, run - step * s.lanes, s.lanes) : Value();
  }

  void packPanel() {
    forEachRun(b, depth, [&](Int position, Int, Int offset) {
      emitLoop(b, Int(b, 0), depth.back().extent, 1, [&](Int step) {
        for (int64_t column = 0; column < columns; ++column) {
          Int start = offset + step * depth.back().rhsStride;
          if (c.transposeRhs)
            start = start + Int(b, c.rhsStride) * column;
          else
            start = start + column;
          Value from = elementPointer(b, rhsType, c.rhs, start);
          Value to =
              elementPointer(b, element, panel, ((position + step) * columns + column) * s.lanes);
          packVector(from, to, step);
        }
      });
    });
  }

  void packVector(Value from, Value to, Int step) {
    Int apart(b, elementStride);
    if (apart.is(1))
      return storeVector(
          b,
          loadConverted(b, type, rhsType, from, rhsType.getIntOrFloatBitWidth() / 8, maskOf(step)),
          to, bytes * s.lanes);
    storeVector(b, arith::ConstantOp::create(b, b.getZeroAttr(type)), to, bytes * s.lanes);
    Int count = hasRest() ? min(run - step * s.lanes, Int(b, s.lanes)) : Int(b, s.lanes);
    emitLoop(b, Int(b, 0), count, 1, [&](Int lane) {
      Value value = loadConverted(b, VectorType::get(1, element), rhsType,
                                  elementPointer(b, rhsType, from, lane * apart),
                                  rhsType.getIntOrFloatBitWidth() / 8);
      storeVector(b, value, elementPointer(b, element, to, lane), bytes);
    });
  }

  /// The sums over the digits `walk` of k; `position` counts the vectors before.
  SmallVector<Value> digit(ArrayRef<DepthStep> walk, Int position, Int lhsOffset,
                           ArrayRef<Value> initial) {
    const DepthStep &step = walk.front();
    bool isLast = walk.size() == 1;
    Int inner = extentOf(b, walk.drop_front());
    auto body = [&](Int i, SmallVector<Value> current, Value mask) {
      Int at = position + i * inner, offset = lhsOffset + i * step.lhsStride;
      return isLast ? multiply(at, offset, std::move(current), mask)
                    : digit(walk.drop_front(), at, offset, current);
    };
    Int start(b, 0), whole = run / s.lanes;
    if (!isLast)
      std::tie(start, whole) = steps[depth.size() - walk.size()];
    auto loop = scf::ForOp::create(b, start, whole, Int(b, 1), initial);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      SmallVector<Value> current(loop.getRegionIterArgs());
      scf::YieldOp::create(b, body(Int(b, loop.getInductionVar()), std::move(current), nullptr));
    }
    SmallVector<Value> result(loop.getResults());
    if (!isLast || !hasRest())
      return result;
    // Where nothing is left, no lane is read.
    return body(whole, std::move(result), maskOf(whole));
  }

  SmallVector<Value> multiply(Int position, Int lhsOffset, SmallVector<Value> sums, Value mask) {
    SmallVector<Value> rhs;
    Value from = elementPointer(b, element, panel, position * (columns * s.lanes));
    for (int64_t column = 0; column < columns; ++column)
      rhs.push_back(loadVector(b, type, elementPointer(b, element, from, Int(b, column * s.lanes)),
                               bytes * s.lanes, mask));
    for (int64_t r = 0; r < s.rows; ++r) {
      Value row = loadConverted(b, type, lhsType, elementPointer(b, lhsType, lhs[r], lhsOffset),
                                lhsType.getIntOrFloatBitWidth() / 8, mask);
      for (int64_t column = 0; column < columns; ++column) {
        Value &sum = sums[r * columns + column];
        sum = math::FmaOp::create(b, row, rhs[column], sum, arith::FastMathFlags::contract);
      }
    }
    return sums;
  }

  /// The sums of the accumulators' lanes, for as many accumulators as there are lanes at once.
  void storeSums(SmallVector<Value> accumulators) {
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(type));
    accumulators.resize(llvm::alignTo(accumulators.size(), s.lanes), zero);
    for (int64_t group = 0; group < static_cast<int64_t>(accumulators.size()); group += s.lanes)
      storeVector(b, sumsOfLanes(b, ArrayRef(accumulators).slice(group, s.lanes)),
                  elementPointer(b, element, sums, Int(b, group)), bytes * s.lanes);
  }

  ImplicitLocOpBuilder &b;
  const Contraction &c;
  const ContractionSchedule &s;
  Type element, lhsType, rhsType;
  VectorType type;
  unsigned bytes;
  int64_t columns;
  Walk rows, digits; ///< Of A; `digits` are not joined where they are one in memory.
  DepthWalk depth;
  SmallVector<Range> steps; ///< Of the digits of `depth` but the last, for a tile.
  Int run, m;               ///< Steps of k in a run; rows.
  Value elementStride;      ///< Of B along a run.
  Value panel, sums;
  SmallVector<Value> lhs;
};

/// Lanes whose number has bit d clear: sums of neighbours in x; the others: in y.
Value sumsOfNeighbours(ImplicitLocOpBuilder &b, Value x, Value y, int64_t lanes, int64_t d) {
  auto pick = [&](bool upper) {
    SmallVector<int64_t> picked;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      int64_t source = upper ? lane | d : lane & ~d;
      picked.push_back((lane & d) != 0 ? source + lanes : source);
    }
    return vector::ShuffleOp::create(b, x, y, picked);
  };
  return arith::AddFOp::create(b, pick(false), pick(true));
}

} // namespace

/// Two vectors become one by adding neighbours at distance d, for d = 1, 2, 4, ...
Value sumsOfLanes(ImplicitLocOpBuilder &b, ArrayRef<Value> vectors) {
  SmallVector<Value> sums(vectors);
  auto lanes = static_cast<int64_t>(sums.size());
  for (int64_t d = 1; d < lanes; d *= 2)
    for (int64_t i = 0; i < lanes; i += 2 * d)
      sums[i] = sumsOfNeighbours(b, sums[i], sums[i + d], lanes, d);
  return sums[0];
}

Value allocateScratch(ImplicitLocOpBuilder &b, Type element, int64_t size) {
  OpBuilder::InsertionGuard guard(b);
  Operation *function = b.getInsertionBlock()->getParentOp();
  while (!isa<FunctionOpInterface>(function))
    function = function->getParentOp();
  b.setInsertionPointToStart(&function->getRegion(0).front());
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  return LLVM::AllocaOp::create(b, pointer, element, Int(b, size), /*alignment=*/64);
}

Int dotTaskCount(ImplicitLocOpBuilder &b, const Contraction &contraction) {
  return DotEmitter(b, contraction).taskCount();
}

void emitDotTask(ImplicitLocOpBuilder &b, const Contraction &contraction, Int index,
                 ContractionEpilogue epilogue) {
  DotEmitter(b, contraction).emit(index, epilogue);
}

} // namespace mlir::gen::kernels
