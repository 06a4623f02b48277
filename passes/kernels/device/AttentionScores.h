//===- AttentionScores.h - from products to scores --------------*- C++ -*-===//
//
// Scale and mask, and which keys a query does not see.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_DEVICE_ATTENTIONSCORES_H
#define GEN_PASSES_KERNELS_DEVICE_ATTENTIONSCORES_H

#include "passes/kernels/KernelEmitter.h"
#include "passes/kernels/device/ScoreTile.h"

namespace mlir::gen::kernels {

/// Of a thread's scores of queries and keys.
class AttentionScores {
public:
  /// What lies along rows; columns are of the other.
  enum class Rows { Queries, Keys };

  struct Attention {
    Int queries, keys;
    Value mask; ///< Or null.
    bool causal;
    double scale;
  };
  struct Place {
    Int thread, batch, head, firstRow;
  };

  AttentionScores(KernelFunction &function, ScoreTile &tile, Rows rows, const Attention &attention,
                  const Place &place)
      : function(function), b(function.b), tile(tile), rows(rows), attention(attention),
        place(place) {}

  /// Leaves the mask of the thread's own scores in `memory`, if there is one, where no other thread
  /// looks for it.
  void readMask(Int firstColumn, Value memory);
  /// From a vector of products of row `number` of the thread.
  Value fromProducts(int64_t number, Value products, Value memory);
  /// Which of them are of a query and a key that it sees; null: all.
  Value areSeen(Int firstColumn, int64_t number);

private:
  bool rowsAreQueries() const { return rows == Rows::Queries; }
  Int rowCount() const { return rowsAreQueries() ? attention.queries : attention.keys; }
  Int columnCount() const { return rowsAreQueries() ? attention.keys : attention.queries; }
  Value word(Int constant);
  Value narrow(Int wide);

  KernelFunction &function;
  ImplicitLocOpBuilder &b;
  ScoreTile &tile;
  Rows rows;
  Attention attention;
  Place place;
};

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_DEVICE_ATTENTIONSCORES_H
