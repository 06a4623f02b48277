//===- Attention.cpp - attention, a tile of queries for each block --------===//
//
// A tile of keys at a time, the threads of a block copy keys and values of their head to shared
// memory, compute scores of their queries, and add the weighted values. A query's largest score is
// known up to that tile only: when it grows, what was summed is scaled. So scores never reach
// memory. In the end the results are in shared memory, and each thread stores some: neighbours for
// neighbouring columns. Dao: FlashAttention-2, 2023.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/device/AttentionBlock.h"
#include "passes/kernels/device/AttentionScores.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <limits>

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

namespace {

/// What a thread has of its queries.
struct Running {
  Running(MutableArrayRef<Value> values, int64_t rows)
      : sums(values.drop_back(2 * rows)), largest(values.take_back(2 * rows).drop_back(rows)),
        totals(values.take_back(rows)) {}
  MutableArrayRef<Value> sums;    ///< Of weighted values.
  MutableArrayRef<Value> largest; ///< Scores.
  MutableArrayRef<Value> totals;  ///< Of its own weights.
};

class AttentionEmitter : public AttentionBlock {
public:
  AttentionEmitter(KernelFunction &function, AttentionOp op)
      : AttentionBlock(function, op), op(op) {
    int64_t fewer = hasLongLines() ? 2 : 1;
    ScoreShape most =
        isOfHalves() ? ScoreShape{64, 64 / fewer} : ScoreShape{64 / fewer, 32 / fewer};
    makeTile(most, queries, [&](int64_t rows) {
      return roundedUpQuotient(queries, rows) * heads * size(op.getQuery(), 0);
    });
  }

  int64_t registers() const override { return hasLongLines() || multiplied ? 168 : 128; }
  Value blocks() override { return size(op.getQuery(), 0) * heads * tiles(); }

  void emitThread(Int block, Int thread) override {
    enter(thread, block / tiles());
    // First those that see most keys, if the attention is causal.
    firstQuery = (tiles() - 1 - block % tiles()) * tile->shape.rows;
    HeadRows query = linesOf(op.getQuery(), tile->filled(depth), tile->stride(depth)),
             key = linesOf(op.getKey(), tile->filled(depth), tile->stride(depth)),
             value = linesOf(op.getValue(), width, tile->stride(width));
    allocate(query.bytes(tile->shape.rows), key.bytes(tile->shape.columns),
             value.bytes(tile->shape.columns));
    query.copy(thread, threads(), firstQuery, tile->shape.rows, queryMemory);
    SmallVector<Value> state =
        emitLoop(Int(b, 0), keysSeen(), tile->shape.columns, initial(),
                 [&](Int first, MutableArrayRef<Value> now) {
                   emitBarrier(); // the keys before have been read
                   key.copy(thread, threads(), first, tile->shape.columns, keyMemory);
                   value.copy(thread, threads(), first, tile->shape.columns, valueMemory);
                   emitBarrier();
                   addKeys(first, Running(now, tile->rows()));
                 });
    storeResults(Running(state, tile->rows()));
  }

private:
  Int tiles() { return roundedUpQuotient(queries, tile->shape.rows); }
  /// How many keys the block's last query sees, and so none before it more.
  Int keysSeen() {
    Int last = min(firstQuery + tile->shape.rows, queries) - 1;
    return causal ? max(min(keysSeenBy(last), keys), Int(b, 0)) : keys;
  }

  /// The results lie where operands were.
  void allocate(int64_t queryBytes, int64_t keyBytes, int64_t valueBytes) {
    int64_t operandBytes = queryBytes + keyBytes + valueBytes;
    int64_t sumBytes = tile->shape.rows * tile->stride(width) * kBytes;
    Value memory = sharedMemory(
        std::max(operandBytes + (tile->storesWeights() || mask ? tile->bytesOfScores() : 0),
                 sumBytes + tile->shape.rows * kBytes));
    queryMemory = sumMemory = memory;
    keyMemory = bytesBehind(memory, queryBytes);
    valueMemory = bytesBehind(memory, queryBytes + keyBytes);
    scoreMemory = bytesBehind(memory, operandBytes);
    logarithmMemory = bytesBehind(memory, sumBytes);
  }

  Value larger(Value x, Value y) { return arith::MaxNumFOp::create(b, x, y); }

  // The largest score is no infinity: where all keys are hidden, the differences are -infinity
  // then, not NaN.
  SmallVector<Value> initial() {
    SmallVector<Value> values = tile->zeros(width);
    values.append(tile->rows(), number(std::numeric_limits<float>::lowest()));
    values.append(tile->rows(), number(0));
    return values;
  }

  //===--------------------------------------------------------------------===//
  // A tile of keys
  //===--------------------------------------------------------------------===//

  void addKeys(Int firstKey, Running running) {
    AttentionScores scores(function, *tile, AttentionScores::Rows::Queries,
                           {queries, keys, mask, causal, scale}, {thread, batch, head, firstQuery});
    scores.readMask(firstKey, scoreMemory);
    SmallVector<Value> weights = tile->products(thread, queryMemory, keyMemory, depth), growth;
    for (auto [i, row] : llvm::enumerate(weights)) {
      auto number = static_cast<int64_t>(i);
      row = scores.fromProducts(number, row, scoreMemory);
      if (Value areSeen = scores.areSeen(firstKey, number))
        row = arith::SelectOp::create(b, areSeen, row, hidden());
      Value largest = running.largest[i];
      for (Value score : split(row))
        largest = larger(largest, score);
      largest = foldNeighbours(b, largest, tile->threadsOfRow(),
                               [&](Value x, Value y) { return larger(x, y); });
      growth.push_back(arith::SubFOp::create(b, running.largest[i], largest));
      running.largest[i] = largest;
      row = math::ExpOp::create(
          b, arith::SubFOp::create(b, row, splat(largest, tile->columns())).getResult());
    }
    SmallVector<Value> factors = split(math::ExpOp::create(b, join(growth)));
    for (auto [i, total] : llvm::enumerate(running.totals)) {
      total = arith::MulFOp::create(b, total, factors[i]);
      for (Value weight : split(weights[i]))
        total = sum(total, weight);
    }
    tile->scale(running.sums, factors);
    tile->addProducts(thread, weights, valueMemory, width, scoreMemory, running.sums);
  }

  Value hidden() { return splat(number(-std::numeric_limits<float>::infinity()), tile->columns()); }

  //===--------------------------------------------------------------------===//
  // Results
  //===--------------------------------------------------------------------===//

  void storeResults(Running running) {
    for (Value &total : running.totals)
      total = foldNeighbours(b, total, tile->threadsOfRow(),
                             [&](Value x, Value y) { return sum(x, y); });
    Value totals = join(running.totals);
    Value factors = arith::DivFOp::create(b, splat(number(1), tile->rows()), totals);
    tile->scale(running.sums, split(factors));
    SmallVector<unsigned> ofResult, ofLogsumexp;
    for (auto [number, yielded] : llvm::enumerate(function.yield.getValues()))
      (yielded == op.getLogsumexp() ? ofLogsumexp : ofResult)
          .push_back(static_cast<unsigned>(number));
    emitBarrier();
    tile->storeSums(thread, running.sums, width, sumMemory);
    if (!ofLogsumexp.empty()) // threads that share a query have the same
      for (auto [i, logarithm] :
           llvm::enumerate(split(sum(math::LogOp::create(b, totals), join(running.largest)))))
        LLVM::StoreOp::create(
            b, logarithm,
            element(logarithmMemory, tile->row(thread, Int(b, static_cast<int64_t>(i)))));
    emitBarrier();
    storeNumbers(ofResult, width);
    storeNumbers(ofLogsumexp, 1);
  }

  /// Results of the kernel: of `count` numbers a query, or the one of logsumexp.
  void storeNumbers(ArrayRef<unsigned> results, int64_t count) {
    if (results.empty())
      return;
    bool ofLogsumexp = function.yield.getValues()[results.front()] == op.getLogsumexp();
    Int rows = min(queries - firstQuery, Int(b, tile->shape.rows));
    emitLoop(thread, rows * count, threads(), {}, [&](Int i, auto) {
      Int row = i / count, column = i % count, query = firstQuery + row;
      Value number = ofLogsumexp ? load(logarithmMemory, row)
                                 : load(sumMemory, row * tile->stride(width) + column);
      KernelEmitter emitter(function, /*lanes=*/1);
      emitter.bind(ofLogsumexp ? op.getLogsumexp() : op.getResult(), number);
      if (ofLogsumexp)
        emitter.storeResults(results, {{batch}, {head}, {query}});
      else
        emitter.storeResults(results, {{batch}, {query}, {head}, {column}});
    });
  }

  AttentionOp op;
  Int firstQuery = Int(b, 0); ///< The block's.
  /// Shared.
  Value queryMemory, keyMemory, valueMemory, scoreMemory, sumMemory, logarithmMemory;
};

} // namespace

std::unique_ptr<DeviceEmitter> mlir::gen::kernels::makeAttentionEmitter(KernelFunction &function) {
  auto ops = function.kernel.getBody().front().getOps<AttentionOp>();
  if (ops.empty())
    return makeAttentionGradientEmitter(function);
  return std::make_unique<AttentionEmitter>(function, *ops.begin());
}
