//===- AttentionGradient.cpp - kernels around gradients of attention ------===//
//
// A task is one head of one batch element:
//
//   for each block of keys:
//     pack its keys and values, transposed
//     for each block of the queries that see some of them:
//       for each tile of a few queries:
//         scores, and products of the output's gradient with the values   register tiles
//         probabilities p and slopes ds, row by row
//         query gradient += ds keys
//       value gradient += p^T dz, key gradient += ds^T queries            register tiles, scratch
//     store the gradients of the block's keys and values
//
// So scores exist block by block, in a core's cache. Everything is read where it lies, and the
// gradients are stored where a concatenation has them: as parts of the gradient of a projection to
// queries, keys and values. The order of sums depends on the numbers of queries and keys only.
// Dao: FlashAttention-2, 2023.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/AttentionTile.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

namespace {

constexpr int64_t kBlockKeys = 128;
constexpr int64_t kBlockQueries = 66;

class AttentionGradientEmitter : AttentionTiles {
public:
  AttentionGradientEmitter(KernelFunction &function, AttentionGradientOp op)
      : AttentionTiles(function, op), op(op),
        blockKeys(std::min(llvm::alignTo(*keys.constant(), kColumns), uint64_t(kBlockKeys))),
        blockQueries(std::min<int64_t>(
            llvm::alignTo(queries.constant().value_or(kBlockQueries), tileRows), kBlockQueries)) {}

  Value taskCount() { return size(op.getQuery(), 0) * heads; }

  void emitTask(Int index) {
    head = index % heads;
    batch = index / heads;
    query = viewOf(function, op.getQuery());
    key = viewOf(function, op.getKey());
    value = viewOf(function, op.getValue());
    output = viewOf(function, op.getOutput());
    logsumexp = viewOf(function, op.getLogsumexp());
    gradient = viewOf(function, op.getOutputGradient());
    queryGradient = storedViews(function, op.getQueryGradient());
    allocateScratch();
    if (*keys.constant() <= blockKeys)
      return emitKeyBlock(Int(b, 0), keys);
    emitLoop(b, Int(b, 0), keys, blockKeys, [&](Int first) {
      bool isWhole = *keys.constant() % blockKeys == 0;
      emitKeyBlock(first, isWhole ? Int(b, blockKeys) : min(keys - first, Int(b, blockKeys)));
    });
  }

private:
  void allocateScratch() {
    packedKeys = allocate(blockKeys / kLanes * groupSize(depth));
    packedValues = allocate(blockKeys / kLanes * groupSize(width));
    weights = allocate(blockQueries * blockKeys + kTileRows); // a tile of keys may end behind
    slopes = allocate(blockQueries * blockKeys + kTileRows);
    keySums = allocate((blockKeys + kTileRows) * vectorsOf(depth) * kLanes);
    valueSums = allocate((blockKeys + kTileRows) * vectorsOf(width) * kLanes);
    mixed = allocate(tileRows * kColumns);
  }

  /// The first query that sees `key`.
  Int firstQueryOf(Int key) { return causal ? max(key - (keys - queries), Int(b, 0)) : Int(b, 0); }
  /// How many keys of the block the queries before `end` see.
  Int seenOfBlock(Int end) {
    return causal ? max(min(keysSeenBefore(end) - firstKey, keyCount), Int(b, 0)) : keyCount;
  }
  /// The last lanes of rows of `length` elements; null: all exist.
  Value lastLanes(Int length) {
    int64_t rest = *length.constant() % kLanes;
    return rest == 0 ? Value() : laneMask(b, Int(b, rest), kLanes);
  }

  void emitKeyBlock(Int first, Int count) {
    firstKey = first;
    keyCount = count;
    Int groups = roundedUpQuotient(count, kLanes);
    pack(*key, first, count, depth, groups, packedKeys);
    pack(*value, first, count, width, groups, packedValues);
    if (queries.constant().value_or(0) == 0)
      clearSums();
    // Queries that see no key have a gradient, too: 0, of the first block.
    Int from = causal ? max(first - max(keys - queries, Int(b, 0)), Int(b, 0)) : Int(b, 0);
    emitLoop(b, from, queries, blockQueries, [&](Int query) { emitQueryBlock(query); });
    store(storedViews(function, op.getKeyGradient()), keySums, depth, scale);
    store(storedViews(function, op.getValueGradient()), valueSums, width, 1);
  }

  /// In case there is no query.
  void clearSums() {
    for (auto [sums, length] : {std::pair(keySums, depth), std::pair(valueSums, width)})
      emitLoop(b, Int(b, 0), keyCount * vectorsOf(length), 1,
               [&](Int i) { storeVector(b, constant(0), at(sums, i * kLanes), bytes * kLanes); });
  }

  void emitQueryBlock(Int first) {
    Int count = min(queries - first, Int(b, blockQueries));
    emitLoop(b, Int(b, 0), count, tileRows,
             [&](Int row) { emitTile(first + row, row, min(count - row, Int(b, tileRows))); });
    emitLoop(b, Int(b, 0), seenOfBlock(first + count), kTileRows, [&](Int tile) {
      Int start = firstQueryOf(firstKey + tile), from = max(first, start);
      Value isFirst;
      if (queries.constant().value_or(kBlockQueries + 1) > blockQueries)
        isFirst = first <= start;
      Int sees = first + count - from;
      accumulate(valueSums, weights, *gradient, width, tile, from - first, from, sees, isFirst);
      accumulate(keySums, slopes, *query, depth, tile, from - first, from, sees, isFirst);
    });
  }

  //===--------------------------------------------------------------------===//
  // A tile of queries
  //===--------------------------------------------------------------------===//

  /// `rows` queries from `first` on, `row` in their block.
  void emitTile(Int first, Int row, Int rows) {
    Int seen = seenOfBlock(first + rows);
    // A tile of keys that starts with one that is seen ends in the next panel perhaps.
    Int panels = panelsOf(causal ? min(seen + (kTileRows - 1), keyCount) : keyCount);
    Int groups = roundedUpQuotient(keyCount, kLanes);
    emitLoop(b, Int(b, 0), panels, 1, [&](Int panel) {
      Int place = row * blockKeys + panel * kColumns;
      emitProducts(*query, first, rows, depth, packedKeys, groups, panel, at(weights, place),
                   blockKeys);
      emitProducts(*gradient, first, rows, width, packedValues, groups, panel, at(slopes, place),
                   blockKeys);
    });
    emitLoop(b, Int(b, 0), rows, 1, [&](Int i) { emitRow(first + i, row + i, panels); });
    for (int64_t column = 0; column < *depth.constant(); column += kColumns)
      emitQueryGradient(first, row, rows, seen, column);
  }

  /// Scores become probabilities, and products with the values slopes of scores.
  void emitRow(Int query, Int row, Int panels) {
    Value sum =
        LLVM::LoadOp::create(b, element, addressOf(function, *logsumexp, {batch, head, query}));
    Lanes subtracted = splat(sum), mean = splat(meanSlope(query));
    emitLoop(b, Int(b, 0), panels, 1, [&](Int panel) {
      for (int64_t v = 0; v < kVectors; ++v) {
        Int column = panel * kColumns + v * kLanes, key = firstKey + column;
        Value weight = at(weights, row * blockKeys + column);
        Value slope = at(slopes, row * blockKeys + column);
        Value isSeen = seenLanes(query, key);
        Lanes score = scoresOf(query, key, loadLanes(weight), isSeen);
        Lanes p{&b, math::ExpOp::create(b, score - subtracted)};
        Lanes ds = p * (loadLanes(slope) - mean);
        if (isSeen) {
          p = select({&b, isSeen}, p, constant(0));
          ds = select({&b, isSeen}, ds, constant(0));
        }
        storeVector(b, p, weight, bytes * kLanes);
        storeVector(b, ds, slope, bytes * kLanes);
      }
    });
  }

  /// The sum over the output's columns of gradient * output.
  Value meanSlope(Int query) {
    Lanes sum = constant(0);
    int64_t vectors = vectorsOf(width);
    for (int64_t v = 0; v < vectors; ++v) {
      auto load = [&](const View &view) -> Lanes {
        Value pointer = addressOf(function, view, {batch, query, head, Int(b, v * kLanes)});
        Value lanes = v + 1 == vectors ? lastLanes(width) : Value();
        return {&b, loadVector(b, type, pointer, bytes, lanes)};
      };
      sum = sum + load(*gradient) * load(*output);
    }
    return combineLanes(sum, [](Lanes x, Lanes y) { return x + y; });
  }

  /// Adds, in columns from `column` on, what the block's keys give to the gradients of a tile of
  /// queries.
  void emitQueryGradient(Int first, Int row, Int rows, Int seen, int64_t column) {
    int64_t columns = std::min(*depth.constant() - column, kColumns);
    int64_t vectors = llvm::divideCeil(columns, kLanes);
    Value last = lastLanes(Int(b, columns));
    RegisterTile tile{tileRows, vectors, type,  {},      {}, {{seen, Int(b, 1), key->strides[1]}},
                      bytes,    last,    mixed, vectors, {}, {}};
    for (int64_t i = 0; i < tileRows; ++i)
      tile.lhs.push_back(at(slopes, (row + i) * blockKeys));
    for (int64_t v = 0; v < vectors; ++v)
      tile.rhs.push_back(
          addressOf(function, *key, {batch, firstKey, head, Int(b, column + v * kLanes)}));
    emitRegisterTile(b, tile);
    Lanes factor = constant(scale);
    emitLoop(b, Int(b, 0), rows, 1, [&](Int i) {
      for (int64_t v = 0; v < vectors; ++v) {
        Lanes sum = loadLanes(at(mixed, (i * vectors + v) * kLanes)) * factor;
        Int lanes(b, std::min(columns - v * kLanes, kLanes));
        for (const View &view : queryGradient) {
          Value pointer =
              addressOf(function, view, {batch, first + i, head, Int(b, column + v * kLanes)});
          storeLanes(plusBlocksBefore(sum, pointer, lanes), pointer, lanes);
        }
      }
    });
  }

  /// `sum`, and what earlier blocks of keys have left at `pointer`.
  Lanes plusBlocksBefore(Lanes sum, Value pointer, Int lanes) {
    if (firstKey.is(0))
      return sum;
    Value exists = laneMask(b, min(firstKey, lanes), kLanes);
    return Lanes{&b, loadVector(b, type, pointer, bytes, exists)} + sum;
  }

  void storeLanes(Lanes lanes, Value pointer, Int count) {
    if (count.is(kLanes))
      return storeVector(b, lanes, pointer, bytes);
    LLVM::MaskedStoreOp::create(b, lanes, pointer, laneMask(b, count, kLanes),
                                b.getI32IntegerAttr(static_cast<int32_t>(bytes)));
  }

  //===--------------------------------------------------------------------===//
  // A tile of keys
  //===--------------------------------------------------------------------===//

  /// Adds to the sums of a tile of keys: factors[query, key] * row of `view`, for `count` queries
  /// from `from` on, `row` in their block.
  void accumulate(Value sums, Value factors, const View &view, Int length, Int tile, Int row,
                  Int from, Int count, Value isFirst) {
    int64_t all = vectorsOf(length);
    for (int64_t before = 0; before < all; before += kVectors) {
      int64_t vectors = std::min(all - before, kVectors);
      Value last = before + vectors == all ? lastLanes(length) : Value();
      RegisterTile product{kTileRows, vectors, type,
                           {},        {},      {{count, Int(b, blockKeys), view.strides[1]}},
                           bytes,     last,    at(sums, (tile * all + before) * kLanes),
                           all,       isFirst, {}};
      for (int64_t i = 0; i < kTileRows; ++i)
        product.lhs.push_back(at(factors, row * blockKeys + tile + i));
      for (int64_t v = 0; v < vectors; ++v)
        product.rhs.push_back(
            addressOf(function, view, {batch, from, head, Int(b, (before + v) * kLanes)}));
      emitRegisterTile(b, product);
    }
  }

  /// Stores the sums of the block's keys.
  void store(ArrayRef<View> views, Value sums, Int length, double factor) {
    int64_t vectors = vectorsOf(length);
    emitLoop(b, Int(b, 0), keyCount, 1, [&](Int i) {
      for (int64_t v = 0; v < vectors; ++v) {
        Lanes sum = loadLanes(at(sums, (i * vectors + v) * kLanes));
        if (factor != 1)
          sum = sum * constant(factor);
        for (const View &view : views)
          storeLanes(sum,
                     addressOf(function, view, {batch, firstKey + i, head, Int(b, v * kLanes)}),
                     min(length - v * kLanes, Int(b, kLanes)));
      }
    });
  }

  AttentionGradientOp op;
  int64_t blockKeys, blockQueries; ///< Of a block, at most.
  std::optional<View> query, key, value, output, logsumexp, gradient;
  SmallVector<View> queryGradient;
  /// Of a block: packed rows; p and ds, [queries, keys]; sums for keys and values.
  Value packedKeys, packedValues, weights, slopes, keySums, valueSums;
  Value mixed;                                    ///< The sums of a tile of queries.
  Int firstKey = Int(b, 0), keyCount = Int(b, 0); ///< The block's.
};

} // namespace

Value mlir::gen::kernels::emitAttentionGradientTaskCount(KernelFunction &function,
                                                         AttentionGradientOp op) {
  return AttentionGradientEmitter(function, op).taskCount();
}

void mlir::gen::kernels::emitAttentionGradientTask(KernelFunction &function, AttentionGradientOp op,
                                                   Value index) {
  AttentionGradientEmitter(function, op).emitTask({function.b, index});
}
