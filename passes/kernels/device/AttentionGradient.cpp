//===- AttentionGradient.cpp - gradients of attention, a tile a block -----===//
//
// Scores are computed again, tile by tile, from what memory has: weights follow from logsumexp
// alone. A block of threads has a tile of keys, goes over the queries that see some of them, and
// sums the gradients of its keys and values; or it has a tile of queries, goes over the keys, and
// sums the gradient of its queries. So scores are computed twice, but never reach memory, and no
// two blocks add to one place. Of a tile, with rows along what the block has:
//
//   weights = e^(scale queries keys^T + mask - logsumexp)
//   slopes  = weights * (output_gradient values^T - mean)   mean = sum(output_gradient * output)
//   value_gradient += weights output_gradient                                       rows are keys
//   key_gradient   += slopes queries            query_gradient += slopes keys
//
// Dao: FlashAttention-2, 2023, algorithm 2, where memory has the means, too.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/View.h"
#include "passes/kernels/device/GradientLines.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

namespace {

class AttentionGradientEmitter : public GradientLines {
public:
  AttentionGradientEmitter(KernelFunction &function, AttentionGradientOp op)
      : GradientLines(function, op), parts(chooseParts()) {
    int64_t fewer = hasLongLines() ? 2 : 1;
    ScoreShape most = isOfHalves() ? ScoreShape{64, 32}
                      : multiplied ? ScoreShape{64 / fewer, 16} // loads of f32 take more registers
                                   : ScoreShape{64 / fewer, 32 / fewer};
    makeTile(most, max(queries, keys), [&](int64_t rows) {
      return (roundedUpQuotient(keys, rows) + roundedUpQuotient(queries, rows)) * allHeads();
    });
  }

  int64_t registers() const override { return 255; }
  Value blocks() override {
    Int all(b, 0);
    for (const Part &part : parts)
      all = all + blocksOf(part);
    return all;
  }

  void emitThread(Int block, Int thread) override {
    allocate();
    OpBuilder::InsertionGuard guard(b);
    for (const Part &part : ArrayRef(parts).drop_back()) {
      Int count = blocksOf(part);
      auto branch = scf::IfOp::create(b, block < count, /*withElseRegion=*/true);
      b.setInsertionPointToStart(branch.thenBlock());
      emitTile(part, block, thread);
      b.setInsertionPointToStart(branch.elseBlock());
      block = block - count;
    }
    emitTile(parts.back(), block, thread);
  }

private:
  /// What a block does.
  struct Part {
    Rows rows;
    bool sumsSlopes;  ///< For the gradient of queries or keys.
    bool sumsWeights; ///< For that of values.
  };

  /// Those of keys first: they have more to do. With long lines and tensor cores, a thread has no
  /// registers for the sums of both keys and values: scores are computed three times then.
  SmallVector<Part> chooseParts() const {
    Part ofKeys = {Rows::Keys, true, false}, ofValues = {Rows::Keys, false, true},
         ofBoth = {Rows::Keys, true, true}, ofQueries = {Rows::Queries, true, false};
    if (multiplied && hasLongLines())
      return {ofKeys, ofValues, ofQueries};
    return {ofBoth, ofQueries};
  }

  Int allHeads() { return heads * size(op.getQuery(), 0); }
  Int countOf(Rows rows) { return rows == Rows::Keys ? keys : queries; }
  Int tilesOf(Rows rows) { return roundedUpQuotient(countOf(rows), tile->shape.rows); }
  Int blocksOf(const Part &part) { return tilesOf(part.rows) * allHeads(); }

  //===--------------------------------------------------------------------===//
  // A tile of rows
  //===--------------------------------------------------------------------===//

  /// Tile `index` of those of all heads.
  void emitTile(const Part &part, Int index, Int thread) {
    Rows rows = part.rows, columns = rows == Rows::Keys ? Rows::Queries : Rows::Keys;
    enter(thread, index / tilesOf(rows));
    Int number = index % tilesOf(rows); // first those that see, or are seen by, most
    Int first = (rows == Rows::Keys ? number : tilesOf(rows) - 1 - number) * tile->shape.rows;
    AttentionScores scores(function, *tile, rows, {queries, keys, mask, causal, scale},
                           {thread, batch, head, first});
    Lines ofRows = linesOf(rows), ofColumns = linesOf(columns);
    copyRows(ofRows, first, part.sumsSlopes);
    SmallVector<Value> initial;
    if (part.sumsSlopes)
      initial = tile->zeros(depth);
    deepSums = initial.size();
    if (part.sumsWeights)
      llvm::append_range(initial, tile->zeros(width));
    auto [from, to] = columnsSeen(rows, first);
    SmallVector<Value> sums = emitLoop(from, to, tile->shape.columns, initial,
                                       [&](Int column, MutableArrayRef<Value> running) {
                                         emitBarrier(); // the columns before have been read
                                         copyColumns(ofColumns, column, part.sumsSlopes);
                                         emitBarrier();
                                         addColumns(part, scores, column, running);
                                       });
    storeGradients(part, first, sums);
  }

  /// Of which columns rows from `first` on see some, or are seen by some.
  std::pair<Int, Int> columnsSeen(Rows rows, Int first) {
    Int none(b, 0);
    if (rows == Rows::Keys)
      return {causal ? max(first + queries - keys, none) : none, queries};
    Int last = min(first + tile->shape.rows, queries) - 1;
    return {none, causal ? max(min(keysSeenBy(last), keys), none) : keys};
  }

  void addColumns(const Part &part, AttentionScores &scores, Int firstColumn,
                  MutableArrayRef<Value> sums) {
    scores.readMask(firstColumn, scoreMemory);
    SmallVector<Value> weights = tile->products(thread, rowsOfDepth, columnsOfDepth, depth);
    SmallVector<Value> logarithms = numbersOf(part.rows, logsumexps);
    for (auto [i, row] : llvm::enumerate(weights)) {
      row = scores.fromProducts(static_cast<int64_t>(i), row, scoreMemory);
      row = math::ExpOp::create(b, arith::SubFOp::create(b, row, logarithms[i]).getResult());
      row = whereSeen(scores, firstColumn, i, row);
    }
    if (part.sumsWeights)
      tile->addProducts(thread, weights, columnsOfWidth, width, scoreMemory,
                        sums.drop_front(deepSums));
    if (!part.sumsSlopes)
      return;
    SmallVector<Value> slopes = tile->products(thread, rowsOfWidth, columnsOfWidth, width);
    SmallVector<Value> averages = numbersOf(part.rows, means);
    for (auto [i, row] : llvm::enumerate(slopes)) {
      row = arith::MulFOp::create(b, weights[i], arith::SubFOp::create(b, row, averages[i]));
      row = whereSeen(scores, firstColumn, i, row);
    }
    if (part.sumsWeights && tile->storesWeights())
      emitWarpBarrier(b); // the weights have been read
    tile->addProducts(thread, slopes, columnsOfDepth, depth, scoreMemory,
                      sums.take_front(deepSums));
  }

  /// For each row of the thread, the numbers of the queries of its scores.
  SmallVector<Value> numbersOf(Rows rows, Value memory) {
    SmallVector<Value> result, ofColumns;
    if (rows == Rows::Queries) {
      for (int64_t i = 0; i < tile->rows(); ++i)
        result.push_back(splat(load(memory, tile->row(thread, Int(b, i))), tile->columns()));
      return result;
    }
    for (int64_t j = 0; j < tile->columns(); ++j)
      ofColumns.push_back(load(memory, tile->column(thread, Int(b, j))));
    return SmallVector<Value>(tile->rows(), join(ofColumns));
  }

  /// Zero elsewhere.
  Value whereSeen(AttentionScores &scores, Int firstColumn, size_t row, Value numbers) {
    Value areSeen = scores.areSeen(firstColumn, static_cast<int64_t>(row));
    if (!areSeen)
      return numbers;
    return arith::SelectOp::create(b, areSeen, numbers, splat(number(0), tile->columns()));
  }

  //===--------------------------------------------------------------------===//
  // Results
  //===--------------------------------------------------------------------===//

  void storeGradients(const Part &part, Int first, MutableArrayRef<Value> sums) {
    MutableArrayRef<Value> deep = sums.take_front(deepSums);
    emitBarrier(); // the rows have been read
    if (part.sumsSlopes) {
      tile->scale(deep, SmallVector<Value>(tile->rows(), number(scale)));
      tile->storeSums(thread, deep, depth, deepSumMemory);
    }
    if (part.sumsWeights)
      tile->storeSums(thread, sums.drop_front(deepSums), width, wideSumMemory);
    emitBarrier();
    if (part.sumsSlopes)
      storeLines(part.rows == Rows::Keys ? op.getKeyGradient() : op.getQueryGradient(), part.rows,
                 first, depth, deepSumMemory);
    if (part.sumsWeights)
      storeLines(op.getValueGradient(), part.rows, first, width, wideSumMemory);
  }

  void storeLines(Value result, Rows rows, Int first, int64_t length, Value from) {
    SmallVector<View> views = storedViews(function, result);
    if (views.empty())
      return;
    Int count = min(countOf(rows) - first, Int(b, tile->shape.rows));
    emitLoop(thread, count * length, threads(), {}, [&](Int i, auto) {
      Int row = i / length, column = i % length;
      Value number = load(from, row * tile->stride(length) + column);
      for (const View &view : views)
        LLVM::StoreOp::create(b, number,
                              addressOf(function, view, {batch, first + row, head, column}));
    });
  }

  SmallVector<Part> parts;
  size_t deepSums = 0; ///< Of a thread; those of `width` numbers follow.
};

} // namespace

std::unique_ptr<DeviceEmitter>
mlir::gen::kernels::makeAttentionGradientEmitter(KernelFunction &function) {
  auto op = *function.kernel.getBody().front().getOps<AttentionGradientOp>().begin();
  return std::make_unique<AttentionGradientEmitter>(function, op);
}
