//===- Attention.cpp - kernels around attention ---------------------------===//
//
// A task is one head of one batch element, or a block of its queries:
//
//   pack the keys, transposed, in panels of 64
//   for each tile of a few queries:
//     scores of the tile with all keys                     register tiles, into scratch in L1
//     softmax of each row, not yet divided by its sum
//     product with the values; divided by the sums; epilogue
//
// So scores never reach memory. Queries, keys and values are read where they lie, as views of the
// projection to all heads, keys and values also from two places: a cache and the latest. With a
// causal mask only keys up to the tile's last query are looked at. An element of the result does
// not depend on the batch, on its tile or on threads.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/AttentionTile.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <limits>

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

namespace {

constexpr int64_t kTilesOfTask = 22;

class AttentionEmitter : AttentionTiles {
public:
  AttentionEmitter(KernelFunction &function, AttentionOp op)
      : AttentionTiles(function, op), op(op), panels(*panelsOf(keys).constant()),
        tiles(roundedUpQuotient(queries, tileRows)),
        blocks(roundedUpQuotient(tiles, scheduled(function.kernel, "tiles", kTilesOfTask))) {}

  Value taskCount() { return size(op.getQuery(), 0) * heads * blocks; }

  void emitTask(Int index) {
    query = viewOf(function, op.getQuery());
    keySegments = segmentsOf(op.getKey());
    valueSegments = segmentsOf(op.getValue());
    allocateScratch();
    Int block = index % blocks, rest = index / blocks;
    head = rest % heads;
    batch = rest / heads;
    Int firstTile = block * tiles / blocks, lastTile = (block + 1) * tiles / blocks;
    packKeys(panelsOf(keysSeenBefore(min(lastTile * tileRows, queries))));
    emitLoop(b, firstTile, lastTile, 1, [&](Int tile) { emitTile(tile * tileRows); });
  }

private:
  /// Keys or values that lie together: `count` of them from number `first` on. Those of a cache lie
  /// apart from the latest.
  struct Segment {
    Int first, count;
    View view;
  };

  SmallVector<Segment> segmentsOf(Value operand) {
    auto concat = operand.getDefiningOp<ConcatOp>();
    SmallVector<Segment> segments;
    Int first(b, 0);
    for (Value part : concat ? ValueRange(concat.getInputs()) : ValueRange(operand)) {
      segments.push_back({first, size(part, 1), viewOf(function, part)});
      first = first + segments.back().count;
    }
    return segments;
  }

  //===--------------------------------------------------------------------===//
  // Scratch
  //===--------------------------------------------------------------------===//

  int64_t rowSize() const { return panels * kColumns; }

  void allocateScratch() {
    packed = allocate(panels * kVectors * groupSize(depth));
    scores = allocate(tileRows * rowSize());
    mixed = allocate(tileRows * kColumns);
    factors = allocate(tileRows);
  }

  void packKeys(Int panels) {
    for (const Segment &segment : keySegments) {
      Int before = segment.first / kLanes;
      Int end = min(panels * kVectors - before, roundedUpQuotient(segment.count, kLanes));
      pack(segment.view, Int(b, 0), segment.count, depth, end,
           at(packed, before * groupSize(depth)));
    }
  }

  //===--------------------------------------------------------------------===//
  // A tile of queries
  //===--------------------------------------------------------------------===//

  void emitTile(Int first) {
    bool isWhole = queries.constant() && *queries.constant() % tileRows == 0;
    Int rows = isWhole ? Int(b, tileRows) : min(queries - first, Int(b, tileRows));
    Int seen = keysSeenBefore(first + rows);
    emitScores(first, rows, panelsOf(seen));
    emitLoop(b, Int(b, 0), rows, 1,
             [&](Int row) { emitSoftmax(first + row, row, panelsOf(seen)); });
    for (int64_t column = 0; column < *width.constant(); column += kColumns)
      emitMixture(first, rows, seen, column);
  }

  void emitScores(Int first, Int rows, Int count) {
    Int groups = roundedUpQuotient(keys, kLanes);
    emitLoop(b, Int(b, 0), count, 1, [&](Int panel) {
      emitProducts(*query, first, rows, depth, packed, groups, panel, at(scores, panel * kColumns),
                   rowSize());
    });
  }

  /// Columns from `column` on of sum over j of weight[j] * value[j], divided by the sum of weights.
  void emitMixture(Int first, Int rows, Int seen, int64_t column) {
    int64_t columns = std::min(*width.constant() - column, kColumns);
    int64_t vectors = llvm::divideCeil(columns, kLanes);
    Value mask;
    if (columns % kLanes != 0)
      mask = laneMask(b, Int(b, columns % kLanes), kLanes);
    for (const Segment &segment : valueSegments) {
      Int stride = segment.view.strides[1];
      Int count = max(min(seen - segment.first, segment.count), Int(b, 0));
      RegisterTile tile{tileRows, vectors, type,  {},      {}, {{count, Int(b, 1), stride}},
                        bytes,    mask,    mixed, vectors, {}, {}};
      if (!segment.first.is(0))
        tile.first = arith::ConstantIntOp::create(b, 0, 1);
      for (int64_t row = 0; row < tileRows; ++row)
        tile.lhs.push_back(at(scores, segment.first + row * rowSize()));
      for (int64_t v = 0; v < vectors; ++v)
        tile.rhs.push_back(addressOf(function, segment.view,
                                     {batch, Int(b, 0), head, Int(b, column + v * kLanes)}));
      emitRegisterTile(b, tile);
    }
    emitLoop(b, Int(b, 0), rows, 1, [&](Int row) {
      Value factor = LLVM::LoadOp::create(b, element, at(factors, row));
      Lanes scale = splat(factor);
      for (int64_t v = 0; v < vectors; ++v) {
        Lanes sum = loadLanes(at(mixed, (row * vectors + v) * kLanes));
        KernelEmitter emitter(function, kLanes);
        emitter.setMask(v + 1 == vectors ? mask : Value());
        emitter.bind(op.getResult(), sum * scale);
        Indices where = {
            {batch}, {first + row}, {head}, {Int(b, column + v * kLanes), Index::Consecutive}};
        storeResults(emitter, where, /*ofLogsumexp=*/false);
      }
    });
  }

  void storeResults(KernelEmitter &emitter, const Indices &where, bool ofLogsumexp) {
    for (auto [number, yielded] : llvm::enumerate(function.yield.getValues()))
      if ((yielded == op.getLogsumexp()) == ofLogsumexp)
        emitter.storeResults(static_cast<unsigned>(number), where);
  }

  //===--------------------------------------------------------------------===//
  // Softmax
  //===--------------------------------------------------------------------===//

  /// Folds each of kVectors running values with the vectors of a row, then all into one number.
  Value fold(Int row, Int count, Lanes initial, llvm::function_ref<Lanes(Int, Value)> element,
             llvm::function_ref<Lanes(Lanes, Lanes)> combine) {
    SmallVector<Value> running(kVectors, initial);
    auto loop = scf::ForOp::create(b, Int(b, 0), count * kColumns, Int(b, kColumns), running);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      SmallVector<Value> next;
      for (int64_t v = 0; v < kVectors; ++v) {
        Int column = Int(b, loop.getInductionVar()) + v * kLanes;
        Value pointer = at(scores, row * rowSize() + column);
        next.push_back(combine({&b, loop.getRegionIterArg(v)}, element(column, pointer)));
      }
      scf::YieldOp::create(b, next);
    }
    auto folded = [&](int v) { return Lanes{&b, loop.getResult(v)}; };
    return combineLanes(combine(combine(folded(0), folded(1)), combine(folded(2), folded(3))),
                        combine);
  }

  /// -infinity behind the keys that the query sees.
  Lanes finalScore(Int query, Int column, Lanes product) {
    Value isSeen = seenLanes(query, column);
    Lanes score = scoresOf(query, column, product, isSeen);
    if (!isSeen)
      return score;
    return select({&b, isSeen}, score, constant(-std::numeric_limits<double>::infinity()));
  }

  /// Replaces the scores of a row by e^(score - largest).
  void emitSoftmax(Int query, Int row, Int count) {
    auto larger = [](Lanes x, Lanes y) { return select(x > y, x, y); };
    // Not from -infinity: where all keys are hidden, the differences are -infinity then, not NaN.
    double least = element.isF32() ? std::numeric_limits<float>::lowest()
                                   : std::numeric_limits<double>::lowest();
    Value largest = fold(
        row, count, constant(least),
        [&](Int column, Value pointer) {
          Lanes score = finalScore(query, column, loadLanes(pointer));
          storeVector(b, score, pointer, bytes * kLanes);
          return score;
        },
        [&](Lanes running, Lanes score) { return larger(score, running); });
    Lanes subtracted = splat(largest);
    Value sum = fold(
        row, count, constant(0),
        [&](Int, Value pointer) {
          Lanes weight{&b, math::ExpOp::create(b, loadLanes(pointer) - subtracted)};
          storeVector(b, weight, pointer, bytes * kLanes);
          return weight;
        },
        [](Lanes running, Lanes weight) { return running + weight; });
    Value one = arith::ConstantOp::create(b, b.getFloatAttr(element, 1.0));
    LLVM::StoreOp::create(b, arith::DivFOp::create(b, one, sum), at(factors, row));
    if (!llvm::is_contained(function.yield.getValues(), op.getLogsumexp()))
      return;
    KernelEmitter emitter(function, 1);
    Value logarithm = math::LogOp::create(b, sum);
    emitter.bind(op.getLogsumexp(), arith::AddFOp::create(b, logarithm, largest));
    storeResults(emitter, {{batch}, {head}, {query}}, /*ofLogsumexp=*/true);
  }

  AttentionOp op;
  int64_t panels;
  Int tiles, blocks; ///< Of a head.
  std::optional<View> query;
  SmallVector<Segment> keySegments, valueSegments;
  Value packed, scores, mixed, factors; ///< The scratch.
};

} // namespace

/// The op of the kernel's family that the kernel has, or null.
template <typename Op> static Op opOf(KernelFunction &function) {
  auto ops = function.kernel.getBody().front().getOps<Op>();
  return ops.empty() ? Op() : *ops.begin();
}

Value mlir::gen::kernels::emitAttentionTaskCount(KernelFunction &function) {
  if (auto gradient = opOf<AttentionGradientOp>(function))
    return emitAttentionGradientTaskCount(function, gradient);
  return AttentionEmitter(function, opOf<AttentionOp>(function)).taskCount();
}

void mlir::gen::kernels::emitAttentionTask(KernelFunction &function, Value index) {
  if (auto gradient = opOf<AttentionGradientOp>(function))
    return emitAttentionGradientTask(function, gradient, index);
  AttentionEmitter(function, opOf<AttentionOp>(function)).emitTask({function.b, index});
}
