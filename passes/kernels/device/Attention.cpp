//===- Attention.cpp - attention, a tile of queries for each block --------===//
//
// A tile of keys at a time, the threads of a block copy keys and values of their head to shared
// memory, compute scores of their queries, and add the weighted values. A query's largest score is
// known up to that tile only: when it grows, what was summed is scaled. So scores never reach
// memory. In the end the results are in shared memory, and each thread stores some: neighbours for
// neighbouring columns. Dao: FlashAttention-2, 2023.
//
//===----------------------------------------------------------------------===//

#include "passes/DeviceCode.h"
#include "passes/kernels/device/DeviceEmitter.h"
#include "passes/kernels/device/HeadRows.h"
#include "passes/kernels/device/ScoreTile.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <array>
#include <limits>

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

namespace {

/// What a thread has of its queries.
struct Running {
  Running(MutableArrayRef<Value> values, int64_t queries)
      : sums(values.drop_back(2 * queries)),
        largest(values.take_back(2 * queries).drop_back(queries)),
        totals(values.take_back(queries)) {}
  MutableArrayRef<Value> sums;    ///< Of weighted values.
  MutableArrayRef<Value> largest; ///< Scores.
  MutableArrayRef<Value> totals;  ///< Of its own weights.
};

class AttentionEmitter : public DeviceEmitter {
public:
  explicit AttentionEmitter(KernelFunction &function)
      : DeviceEmitter(function),
        op(*function.kernel.getBody().front().getOps<AttentionOp>().begin()),
        queries(size(op.getQuery(), 1)), heads(size(op.getQuery(), 2)), keys(size(op.getKey(), 1)),
        width(*size(op.getValue(), 3).constant()), half(op->getAttrOfType<TypeAttr>(kProductsAttr)),
        tile(half ? tensorScores(b, chooseShape(), half.getValue())
                  : scalarScores(b, chooseShape())) {}

  int64_t threads() const override { return tile->shape.threads(); }
  int64_t registers() const override { return width > kLong || half ? 168 : 128; }
  Value blocks() override { return size(op.getQuery(), 0) * heads * tiles(); }

  void emitThread(Int block, Int thread) override {
    this->thread = thread;
    // First those that see most keys, if the attention is causal.
    firstQuery = (tiles() - 1 - block % tiles()) * tile->shape.queries;
    head = block / tiles() % heads;
    batch = block / tiles() / heads;
    HeadRows query = rowsOf(op.getQuery(), tile->shape.depth, tile->strideOfDepth()),
             key = rowsOf(op.getKey(), tile->shape.depth, tile->strideOfDepth()),
             value = rowsOf(op.getValue(), width, tile->strideOfWidth());
    allocate(query.bytes(tile->shape.queries), key.bytes(tile->shape.keys),
             value.bytes(tile->shape.keys));
    query.copy(thread, threads(), firstQuery, tile->shape.queries, queryMemory);
    Int seen = keysSeenBefore(min(firstQuery + tile->shape.queries, queries));
    SmallVector<Value> state = emitLoop(
        Int(b, 0), seen, tile->shape.keys, initial(), [&](Int first, MutableArrayRef<Value> now) {
          emitBarrier(); // the keys before have been read
          key.copy(thread, threads(), first, tile->shape.keys, keyMemory);
          value.copy(thread, threads(), first, tile->shape.keys, valueMemory);
          emitBarrier();
          addKeys(first, Running(now, tile->queries()));
        });
    storeResults(Running(state, tile->queries()));
  }

private:
  Int size(Value x, int64_t axis) { return {b, function.size(x, axis)}; }
  Int tiles() { return roundedUpQuotient(queries, tile->shape.queries); }
  /// How many keys the query in front of `end` sees, and so none of those before it more.
  Int keysSeenBefore(Int end) {
    return op.getCausal() ? max(min(end + keys - queries, keys), Int(b, 0)) : keys;
  }
  HeadRows rowsOf(Value operand, int64_t length, int64_t stride) {
    return {function, operand, batch, head, length, stride, tile->storedType};
  }

  /// Tiles are smaller where rows are long, for the sake of shared memory, or where there are few.
  ScoreShape chooseShape() {
    constexpr int64_t kMost = 64, kFewBlocks = 128;
    int64_t elements = *size(op.getQuery(), 3).constant();
    int64_t depth = llvm::alignTo(elements, half ? 16 : 4);
    int64_t scale = std::max(depth, width) > kLong ? 2 : 1;
    int64_t rows = half ? kMost : kMost / scale, columns = (half ? kMost : kMost / 2) / scale;
    Int heads = this->heads * size(op.getQuery(), 0);
    auto blocks = [&] { return roundedUpQuotient(queries, rows) * heads; };
    auto isTooLarge = [&] {
      return rows / 2 >= queries.constant().value_or(rows) ||
             blocks().constant().value_or(kFewBlocks) < kFewBlocks;
    };
    while (rows > ScoreShape::kQueriesOfWarp && isTooLarge())
      rows /= 2;
    return {rows, columns, depth, width};
  }

  /// The results lie where operands were.
  void allocate(int64_t queryBytes, int64_t keyBytes, int64_t valueBytes) {
    int64_t operandBytes = queryBytes + keyBytes + valueBytes;
    int64_t sumBytes = tile->shape.queries * tile->strideOfSums() * kBytes;
    bool hasScores = tile->storesWeights() || op.getMask();
    Value memory = sharedMemory(std::max(operandBytes + (hasScores ? tile->bytesOfScores() : 0),
                                         sumBytes + tile->shape.queries * kBytes));
    auto at = [&](int64_t offset) {
      return LLVM::GEPOp::create(b, memory.getType(), b.getI8Type(), memory,
                                 LLVM::GEPArg(static_cast<int32_t>(offset)));
    };
    queryMemory = sumMemory = memory;
    keyMemory = at(queryBytes);
    valueMemory = at(queryBytes + keyBytes);
    scoreMemory = at(operandBytes);
    logarithmMemory = at(sumBytes);
  }

  Value number(double value) {
    return arith::ConstantOp::create(b, b.getF32FloatAttr(static_cast<float>(value)));
  }
  Value splat(Value scalar, int64_t count) {
    return vector::BroadcastOp::create(b, VectorType::get(count, b.getF32Type()), scalar);
  }
  Value join(ValueRange scalars) {
    auto type = VectorType::get(static_cast<int64_t>(scalars.size()), b.getF32Type());
    return vector::FromElementsOp::create(b, type, scalars);
  }
  SmallVector<Value> split(Value vector) {
    SmallVector<Value> scalars;
    for (int64_t i = 0; i < cast<VectorType>(vector.getType()).getNumElements(); ++i)
      scalars.push_back(vector::ExtractOp::create(b, vector, i));
    return scalars;
  }
  Value larger(Value x, Value y) { return arith::MaxNumFOp::create(b, x, y); }
  Value sum(Value x, Value y) { return arith::AddFOp::create(b, x, y); }

  // The largest score is no infinity: where all keys are hidden, the differences are -infinity
  // then, not NaN.
  SmallVector<Value> initial() {
    SmallVector<Value> values = tile->zeros();
    values.append(tile->queries(), number(std::numeric_limits<float>::lowest()));
    values.append(tile->queries(), number(0));
    return values;
  }

  //===--------------------------------------------------------------------===//
  // A tile of keys
  //===--------------------------------------------------------------------===//

  void addKeys(Int firstKey, Running running) {
    if (op.getMask())
      readMask(firstKey);
    SmallVector<Value> weights = tile->products(*thread, queryMemory, keyMemory), growth;
    for (auto [i, scores] : llvm::enumerate(weights)) {
      scores = finalScores(firstKey, static_cast<int64_t>(i), scores);
      Value largest = running.largest[i];
      for (Value score : split(scores))
        largest = larger(largest, score);
      largest = foldNeighbours(b, largest, tile->threadsOfQuery(),
                               [&](Value x, Value y) { return larger(x, y); });
      growth.push_back(arith::SubFOp::create(b, running.largest[i], largest));
      running.largest[i] = largest;
      Value below = arith::SubFOp::create(b, scores, splat(largest, tile->keys()));
      scores = math::ExpOp::create(b, below);
    }
    SmallVector<Value> factors = split(math::ExpOp::create(b, join(growth)));
    for (auto [i, total] : llvm::enumerate(running.totals)) {
      total = arith::MulFOp::create(b, total, factors[i]);
      for (Value weight : split(weights[i]))
        total = sum(total, weight);
    }
    tile->scale(running.sums, factors);
    tile->addProducts(*thread, weights, valueMemory, scoreMemory, running.sums);
  }

  /// Leaves the mask of the thread's own scores in shared memory, so that the code for it is there
  /// once.
  void readMask(Int firstKey) {
    emitLoop(Int(b, 0), Int(b, tile->queries() * tile->keys()), 1, {}, [&](Int i, auto) {
      Int query = tile->query(*thread, i / tile->keys()),
          key = tile->key(*thread, i % tile->keys());
      Indices at = {
          {batch}, {head}, {min(firstQuery + query, queries - 1)}, {min(firstKey + key, keys - 1)}};
      for (auto [index, extent] : llvm::zip_equal(at, op.getMask().getType().getShape()))
        if (extent == 1)
          index = {Int(b, 0)};
      Value element = KernelEmitter(function, /*lanes=*/1).elementAt(op.getMask(), at);
      LLVM::StoreOp::create(b, element, tile->scoreAt(scoreMemory, query, key));
    });
  }

  /// From the products of the thread's query `number`: -infinity behind the keys that it sees.
  Value finalScores(Int firstKey, int64_t number, Value products) {
    Value factor = this->number(op.getScale().convertToDouble());
    Value scores = arith::MulFOp::create(b, products, splat(factor, tile->keys()));
    if (op.getMask()) {
      Int query = tile->query(*thread, Int(b, number));
      SmallVector<Value> mask;
      for (int64_t j = 0; j < tile->keys(); ++j)
        mask.push_back(LLVM::LoadOp::create(
            b, b.getF32Type(), tile->scoreAt(scoreMemory, query, tile->key(*thread, Int(b, j)))));
      scores = arith::AddFOp::create(b, scores, join(mask));
    }
    return seesAll() ? scores : withoutHidden(firstKey, number, scores);
  }

  bool seesAll() {
    return !op.getCausal() && keys.constant() && *keys.constant() % tile->shape.keys == 0;
  }

  /// In 32 bits, as registers are few: numbers of keys from the thread's first one on, beyond this
  /// tile no matter how many.
  Value withoutHidden(Int firstKey, int64_t number, Value scores) {
    auto narrow = [&](Int wide) -> Value {
      constexpr int64_t kMany = 1 << 20;
      Int small = max(min(wide, Int(b, kMany)), Int(b, -kMany));
      return arith::TruncIOp::create(b, b.getI32Type(), small);
    };
    auto word = [&](Int constant) -> Value {
      return arith::ConstantOp::create(
          b, b.getI32IntegerAttr(static_cast<int32_t>(*constant.constant())));
    };
    Int none(b, 0), left = keys - firstKey - tile->key(*thread, none);
    Value limit = narrow(left);
    if (op.getCausal()) {
      Int query = firstQuery + tile->query(*thread, none) + 1;
      Value ofFirst = narrow(left + query - queries);
      Value ofThis = arith::AddIOp::create(b, ofFirst, word(tile->query(none, Int(b, number))));
      limit = arith::MinSIOp::create(b, ofThis, limit);
    }
    Value hidden = this->number(-std::numeric_limits<float>::infinity());
    SmallVector<Value> seen = split(scores);
    for (auto [j, score] : llvm::enumerate(seen)) {
      Value key = word(tile->key(none, Int(b, static_cast<int64_t>(j))));
      Value isSeen = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, key, limit);
      score = arith::SelectOp::create(b, isSeen, score, hidden);
    }
    return join(seen);
  }

  //===--------------------------------------------------------------------===//
  // Results
  //===--------------------------------------------------------------------===//

  void storeResults(Running running) {
    for (Value &total : running.totals)
      total = foldNeighbours(b, total, tile->threadsOfQuery(),
                             [&](Value x, Value y) { return sum(x, y); });
    Value totals = join(running.totals);
    Value factors = arith::DivFOp::create(b, splat(number(1), tile->queries()), totals);
    tile->scale(running.sums, split(factors));
    SmallVector<unsigned> ofResult, ofLogsumexp;
    for (auto [number, yielded] : llvm::enumerate(function.yield.getValues()))
      (yielded == op.getLogsumexp() ? ofLogsumexp : ofResult)
          .push_back(static_cast<unsigned>(number));
    emitBarrier();
    tile->storeSums(*thread, running.sums, sumMemory);
    if (!ofLogsumexp.empty()) // threads that share a query have the same
      for (auto [i, logarithm] :
           llvm::enumerate(split(sum(math::LogOp::create(b, totals), join(running.largest)))))
        LLVM::StoreOp::create(
            b, logarithm,
            element(logarithmMemory, tile->query(*thread, Int(b, static_cast<int64_t>(i)))));
    emitBarrier();
    storeNumbers(ofResult, width);
    storeNumbers(ofLogsumexp, 1);
  }

  /// Results of the kernel: of `count` numbers a query, or the one of logsumexp.
  void storeNumbers(ArrayRef<unsigned> results, int64_t count) {
    if (results.empty())
      return;
    bool ofLogsumexp = function.yield.getValues()[results.front()] == op.getLogsumexp();
    Int rows = min(queries - firstQuery, Int(b, tile->shape.queries));
    emitLoop(*thread, rows * count, threads(), {}, [&](Int i, auto) {
      Int row = i / count, column = i % count, query = firstQuery + row;
      Value from = ofLogsumexp ? element(logarithmMemory, row)
                               : element(sumMemory, row * tile->strideOfSums() + column);
      Value number = LLVM::LoadOp::create(b, b.getF32Type(), from);
      KernelEmitter emitter(function, /*lanes=*/1);
      emitter.bind(ofLogsumexp ? op.getLogsumexp() : op.getResult(), number);
      if (ofLogsumexp)
        emitter.storeResults(results, {{batch}, {head}, {query}});
      else
        emitter.storeResults(results, {{batch}, {query}, {head}, {column}});
    });
  }

  Value element(Value memory, Int at) {
    return LLVM::GEPOp::create(b, memory.getType(), b.getF32Type(), memory, ValueRange{at});
  }

  static constexpr int64_t kBytes = 4; ///< Of a number.
  static constexpr int64_t kLong = 64; ///< Rows of more elements.

  AttentionOp op;
  Int queries, heads, keys;
  int64_t width; ///< Of values.
  TypeAttr half; ///< What is multiplied; null: f32.
  std::unique_ptr<ScoreTile> tile;
  std::optional<Int> thread;
  Int firstQuery = Int(b, 0), head = Int(b, 0), batch = Int(b, 0); ///< The block's.
  /// Shared.
  Value queryMemory, keyMemory, valueMemory, scoreMemory, sumMemory, logarithmMemory;
};

} // namespace

/// A thread has registers for so many elements of a row. A single query leaves most threads without
/// work: as products, its keys are shared among more.
bool mlir::gen::kernels::isAttentionEmitted(AnchorOpInterface anchor) {
  constexpr int64_t kMostWidth = 128;
  auto op = dyn_cast<AttentionOp>(anchor.getOperation());
  if (!op || !op.getQuery().getType().getElementType().isF32() ||
      op.getQuery().getType().getDimSize(1) == 1)
    return false;
  return llvm::all_of(std::array{op.getQuery().getType(), op.getValue().getType()},
                      [](RankedTensorType type) {
                        int64_t size = type.getDimSize(3);
                        return !ShapedType::isDynamic(size) && size > 0 && size <= kMostWidth;
                      });
}

std::unique_ptr<DeviceEmitter> mlir::gen::kernels::makeAttentionEmitter(KernelFunction &function) {
  return std::make_unique<AttentionEmitter>(function);
}
