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

#include "passes/kernels/ContractionTile.h"
#include "passes/kernels/KernelEmitter.h"
#include "passes/kernels/Lanes.h"
#include "passes/kernels/View.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <limits>

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

namespace {

constexpr int64_t kVectors = 4;                 ///< Vectors of a row of a register tile.
constexpr int64_t kColumns = kVectors * kLanes; ///< Keys of a panel.
constexpr int64_t kTileRows = 6;                ///< Queries of a tile.
constexpr int64_t kTilesOfTask = 22;

class AttentionEmitter {
public:
  explicit AttentionEmitter(KernelFunction &function)
      : function(function), b(function.b),
        op(*function.kernel.getBody().front().getOps<AttentionOp>().begin()),
        element(op.getQuery().getType().getElementType()), type(VectorType::get(kLanes, element)),
        bytes(element.getIntOrFloatBitWidth() / 8), queries(size(op.getQuery(), 1)),
        heads(size(op.getQuery(), 2)), keys(size(op.getKey(), 1)), depth(size(op.getQuery(), 3)),
        width(*size(op.getValue(), 3).constant()),
        panels(llvm::divideCeil(*keys.constant(), kColumns)),
        tileRows(std::clamp<int64_t>(queries.constant().value_or(kTileRows), 1, kTileRows)),
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
  Int size(Value x, int64_t axis) { return {b, function.size(x, axis)}; }
  static Int panelsOf(Int count) { return roundedUpQuotient(count, kColumns); }

  /// How many keys the query in front of `end` sees, and so none of the tile's before it more.
  Int keysSeenBefore(Int end) {
    return op.getCausal() ? max(min(end + keys - queries, keys), Int(b, 0)) : keys;
  }

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

  /// Of the packed keys of one vector; up to kLanes - 1 rows beyond the last are written.
  int64_t groupSize() const { return llvm::alignTo(*depth.constant(), kLanes) * kLanes; }
  int64_t rowSize() const { return panels * kColumns; }

  void allocateScratch() {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&function.function.getBody().front());
    auto allocate = [&](int64_t count) {
      Type pointer = LLVM::LLVMPointerType::get(b.getContext());
      return LLVM::AllocaOp::create(b, pointer, element, Int(b, count), /*alignment=*/64);
    };
    packed = allocate(panels * kVectors * groupSize());
    scores = allocate(tileRows * rowSize());
    mixed = allocate(tileRows * kColumns);
    factors = allocate(tileRows);
  }

  Value at(Value array, Int index) { return elementPointer(b, element, array, index); }

  /// Vectors of 16 keys: [depth, 16] each.
  Int groups() { return roundedUpQuotient(keys, kLanes); }

  void packKeys(Int count) {
    for (const Segment &segment : keySegments) {
      Value source = addressOf(function, segment.view, {batch, Int(b, 0), head, Int(b, 0)});
      Walk walk = {{segment.count, segment.view.strides[1]}};
      DepthWalk steps = {{depth, Int(b, 0), segment.view.strides[3]}};
      Int before = segment.first / kLanes;
      Int end = min(count * kVectors - before, roundedUpQuotient(segment.count, kLanes));
      emitLoop(b, Int(b, 0), end, 1, [&](Int group) {
        Int first = group * kLanes;
        bool isRagged = *segment.count.constant() % kLanes != 0;
        Int columns = isRagged ? min(segment.count - first, Int(b, kLanes)) : Int(b, kLanes);
        packTransposedPanel(b, source, walk, first, steps, columns, Int(b, 1), type,
                            at(packed, (before + group) * groupSize()));
      });
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
    for (int64_t column = 0; column < width; column += kColumns)
      emitMixture(first, rows, seen, column);
  }

  void emitScores(Int first, Int rows, Int count) {
    emitLoop(b, Int(b, 0), count, 1, [&](Int panel) {
      RegisterTile tile{tileRows,
                        kVectors,
                        type,
                        {},
                        {},
                        {{depth, query->strides[3], Int(b, kLanes)}},
                        static_cast<unsigned>(bytes * kLanes),
                        {},
                        at(scores, panel * kColumns),
                        rowSize() / kLanes,
                        {},
                        {}};
      for (int64_t row = 0; row < tileRows; ++row) { // behind the last query, that one again
        Int index = row == 0 ? first : first + min(Int(b, row), rows - 1);
        tile.lhs.push_back(addressOf(function, *query, {batch, index, head, Int(b, 0)}));
      }
      for (int64_t v = 0; v < kVectors; ++v) {
        Int group = min(panel * kVectors + v, groups() - 1);
        tile.rhs.push_back(at(packed, group * groupSize()));
      }
      emitRegisterTile(b, tile);
    });
  }

  /// Columns from `column` on of sum over j of weight[j] * value[j], divided by the sum of weights.
  void emitMixture(Int first, Int rows, Int seen, int64_t column) {
    int64_t columns = std::min(width - column, kColumns);
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

  Lanes splat(Value scalar) { return {&b, vector::BroadcastOp::create(b, type, scalar)}; }
  Lanes constant(double number) {
    return {&b, arith::ConstantOp::create(
                    b, DenseElementsAttr::get(type, b.getFloatAttr(element, number)))};
  }
  Lanes loadLanes(Value pointer) {
    return {&b, LLVM::LoadOp::create(b, type, pointer, static_cast<unsigned>(bytes * kLanes))};
  }

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
    Lanes all = combine(combine(folded(0), folded(1)), combine(folded(2), folded(3)));
    for (int64_t lanes = kLanes / 2; lanes >= 1; lanes /= 2) {
      auto low = llvm::to_vector(llvm::seq<int64_t>(0, lanes));
      auto high = llvm::to_vector(llvm::seq<int64_t>(lanes, 2 * lanes));
      all = combine({&b, vector::ShuffleOp::create(b, all, all, low)},
                    {&b, vector::ShuffleOp::create(b, all, all, high)});
    }
    return vector::ExtractOp::create(b, all, ArrayRef<int64_t>{0});
  }

  /// Scores as they count: scaled, masked, -infinity behind the keys that the query sees.
  Lanes finalScore(Int query, Int column, Lanes product, Lanes scale) {
    Lanes score = product * scale;
    Int seen = keysSeenBefore(query + 1);
    Value isSeen;
    if (op.getCausal() || *keys.constant() % kColumns != 0)
      isSeen = laneMask(b, seen - column, kLanes);
    if (op.getMask()) {
      ArrayRef<int64_t> shape = op.getMask().getType().getShape();
      Indices where = {{batch}, {head}, {query}, {column, Index::Consecutive}};
      for (auto [index, extent] : llvm::zip_equal(where, shape))
        if (extent == 1)
          index = {Int(b, 0), Index::Uniform};
      KernelEmitter emitter(function, kLanes);
      emitter.setMask(isSeen);
      score = score + Lanes{&b, emitter.elementAt(op.getMask(), where)};
    }
    if (isSeen)
      score = select({&b, isSeen}, score, constant(-std::numeric_limits<double>::infinity()));
    return score;
  }

  /// Replaces the scores of a row by e^(score - largest).
  void emitSoftmax(Int query, Int row, Int count) {
    Lanes scale = constant(op.getScale().convertToDouble());
    auto larger = [](Lanes x, Lanes y) { return select(x > y, x, y); };
    // Not from -infinity: where all keys are hidden, the differences are -infinity then, not NaN.
    double least = element.isF32() ? std::numeric_limits<float>::lowest()
                                   : std::numeric_limits<double>::lowest();
    Value largest = fold(
        row, count, constant(least),
        [&](Int column, Value pointer) {
          Lanes score = finalScore(query, column, loadLanes(pointer), scale);
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

  KernelFunction &function;
  ImplicitLocOpBuilder &b;
  AttentionOp op;
  Type element;
  VectorType type;
  unsigned bytes;
  Int queries, heads, keys, depth;
  int64_t width, panels, tileRows;
  Int tiles, blocks; ///< Of a head.
  std::optional<View> query;
  SmallVector<Segment> keySegments, valueSegments;
  Value packed, scores, mixed, factors; ///< The scratch.
  Int batch = Int(b, 0), head = Int(b, 0);
};

} // namespace

Value mlir::gen::kernels::emitAttentionTaskCount(KernelFunction &function) {
  return AttentionEmitter(function).taskCount();
}

void mlir::gen::kernels::emitAttentionTask(KernelFunction &function, Value index) {
  AttentionEmitter(function).emitTask({function.b, index});
}
