//===- Contraction.cpp - Loops of a matrix product's task -----------------===//
//
//   for each block of k:                                        (one, unless K is long)
//     pack the task's block of A                                (transposed A)
//     for each panel of the task:                               (lanes * vectors columns)
//       pack the panel of B
//       for each tile of rows: register tile; after the last block of k the epilogue
//
// Panels and tasks divide the columns evenly (25 vectors as 3 3 3 3 3 3 3 2 2, not with a rest of
// 1). A tile's sums pass through a small buffer, so that one copy of the epilogue serves all kinds
// of tiles. Blocks of k continue the same sums; splitting changes no bit.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/Contraction.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "passes/kernels/ContractionTile.h"

namespace mlir::gen::kernels {
namespace {

/// Part `index` of `parts` even parts of 0 .. total - 1 starts here.
Int evenSplit(Int total, Int parts, Int index) { return index * total / parts; }

/// The product that the tasks compute: C, or its transpose B^T A^T.
Contraction oriented(Contraction c) {
  if (c.schedule.transposed) {
    std::swap(c.lhs, c.rhs);
    std::swap(c.m, c.n);
    std::swap(c.lhsStride, c.rhsStride);
    std::swap(c.transposeLhs, c.transposeRhs);
    c.transposeLhs = !c.transposeLhs;
    c.transposeRhs = !c.transposeRhs;
  }
  c.schedule.packLhs &= c.transposeLhs;
  c.schedule.packRhs |= c.transposeRhs;
  if (c.schedule.rhsIsPacked)
    c.schedule.packRhs = c.transposeRhs = false;
  return c;
}

/// Sizes of the scratch in elements.
struct Scratch {
  explicit Scratch(const Contraction &c) {
    const ContractionSchedule &s = c.schedule;
    std::optional<int64_t> k = getConstantIntValue(c.k);
    assert((k || s.depth) && "a dynamic depth needs blocks");
    splitsDepth = s.depth != 0 && !(k && *k <= s.depth);
    depth = splitsDepth ? s.depth : std::max<int64_t>(k.value_or(0), 1);
    tilesPerTask = std::max<int64_t>(s.rowBlock / s.rows, 1);
    tileSums = s.rows * s.vectors * s.lanes;
    lhs = s.packLhs ? depth * tilesPerTask * s.rows : 0;
    rhs = s.packRhs ? llvm::alignTo(depth, s.lanes) * s.vectors * s.lanes : 0;
    sums = splitsDepth ? tilesPerTask * s.panels * tileSums : tileSums;
  }

  bool splitsDepth;
  int64_t depth;        ///< Steps of k in a block at most.
  int64_t tilesPerTask; ///< At most.
  int64_t tileSums;     ///< Of one register tile.
  int64_t lhs, rhs, sums;
};

class TaskEmitter {
public:
  TaskEmitter(ImplicitLocOpBuilder &b, const Contraction &contraction)
      : b(b), c(oriented(contraction)), s(c.schedule), scratch(c), element(c.elementType),
        type(VectorType::get(s.lanes, element)), bytes(element.getIntOrFloatBitWidth() / 8),
        m(b, c.m), n(b, c.n), k(b, c.k), tiles(roundedUpQuotient(m, s.rows)),
        rowVectors(roundedUpQuotient(n, s.lanes)), panels(roundedUpQuotient(rowVectors, s.vectors)),
        rowTasks(roundedUpQuotient(tiles, scratch.tilesPerTask)),
        columnTasks(roundedUpQuotient(panels, s.panels)) {}

  Int taskCount() { return rowTasks * columnTasks; }

  void emit(Int index, ContractionEpilogue epilogue, ContractionPrefetch prefetchEpilogue) {
    prefetch = prefetchEpilogue;
    if (taskCount().is(0))
      return;
    allocateScratch();
    Int zero(b, 0);
    Int row = rowTasks.is(1) ? zero : index / columnTasks;
    Int column = columnTasks.is(1) ? zero : rowTasks.is(1) ? index : index % columnTasks;
    Block block{zero,
                k,
                evenSplit(tiles, rowTasks, row),
                evenSplit(tiles, rowTasks, row + 1),
                evenSplit(panels, columnTasks, column),
                evenSplit(panels, columnTasks, column + 1)};
    if (!scratch.splitsDepth)
      return emitBlock(block, epilogue);
    // At least one block of k: the epilogue must run even if K = 0.
    emitLoop(b, zero, max(k, Int(b, 1)), s.depth, [&](Int start) {
      block.start = start;
      block.depth = min(k - start, Int(b, s.depth));
      block.isFirst = start == zero;
      block.isLast = k <= start + block.depth;
      emitBlock(block, epilogue);
    });
  }

private:
  /// The tiles and panels of a task, and a block of k.
  struct Block {
    Int start, depth;
    Int firstTile, lastTile, firstPanel, lastPanel;
    Value isFirst = nullptr, isLast = nullptr; ///< i1; null: the only block.
  };

  /// A panel of columns and its operands, from the start of the block of k.
  struct Panel {
    Int column, columns, width; ///< `width` in vectors.
    Strided lhs, rhs;
  };

  void allocateScratch() {
    OpBuilder::InsertionGuard guard(b);
    Operation *function = b.getInsertionBlock()->getParentOp();
    while (!isa<FunctionOpInterface>(function))
      function = function->getParentOp();
    b.setInsertionPointToStart(&function->getRegion(0).front());
    auto allocate = [&](int64_t size) -> Value {
      if (size == 0)
        return nullptr;
      Type pointer = LLVM::LLVMPointerType::get(b.getContext());
      return LLVM::AllocaOp::create(b, pointer, element, Int(b, size), /*alignment=*/64);
    };
    lhsBlock = allocate(scratch.lhs);
    rhsPanel = allocate(scratch.rhs);
    sums = allocate(scratch.sums);
  }

  /// Element (i, j) of a matrix whose rows, or columns if transposed, are `stride` apart.
  Strided matrix(Value base, Value stride, bool transposed) {
    Int one(b, 1), apart(b, stride);
    return transposed ? Strided{base, one, apart} : Strided{base, apart, one};
  }

  void emitBlock(const Block &block, ContractionEpilogue epilogue) {
    Int zero(b, 0), firstRow = block.firstTile * s.rows;
    Strided lhs =
        matrix(c.lhs, c.lhsStride, c.transposeLhs).from(b, element, firstRow, block.start);
    Strided rhs = matrix(c.rhs, c.rhsStride, c.transposeRhs).from(b, element, block.start, zero);
    if (s.packLhs) {
      Int rows = min(m - firstRow, (block.lastTile - block.firstTile) * s.rows);
      packBlock(b, lhs, block.depth, rows, s.rows, element, lhsBlock);
    }
    emitLoop(b, block.firstPanel, block.lastPanel, 1, [&](Int number) {
      Int from = evenSplit(rowVectors, panels, number);
      Int width = evenSplit(rowVectors, panels, number + 1) - from;
      Int column = from * s.lanes;
      Panel panel{column, min(n - column, width * s.lanes), width, lhs,
                  rhs.from(b, element, zero, column)};
      if (!isRagged()) // also where `width` is not known, panels are whole vectors
        panel.columns = width * s.lanes;
      emitPanel(block, panel, number - block.firstPanel, epilogue);
    });
  }

  /// Whether the last vector of a row may be incomplete.
  bool isRagged() const { return !n.constant() || *n.constant() % s.lanes != 0; }

  void emitPanel(const Block &block, const Panel &panel, Int panelNumber,
                 ContractionEpilogue epilogue) {
    if (c.transposeRhs)
      packTransposedPanel(b, panel.rhs, block.depth, panel.columns, panel.width, type, rhsPanel);
    else if (s.packRhs)
      forEachWidth(panel, [&](int64_t vectors, Int columns) {
        packPanel(b, panel.rhs, block.depth, columns, vectors, type, rhsPanel);
      });
    emitLoop(b, block.firstTile, block.lastTile, 1, [&](Int tile) {
      Int row = tile * s.rows, number = tile - block.firstTile;
      Int slot = scratch.splitsDepth ? panelNumber * scratch.tilesPerTask + number : Int(b, 0);
      Value buffer = elementPointer(b, element, sums, slot * scratch.tileSums);
      bool even = m.constant() && *m.constant() % s.rows == 0;
      Int rows = even ? Int(b, s.rows) : min(m - row, Int(b, s.rows));
      prefetchTile(panel, row, rows);
      forEachWidth(panel, [&](int64_t vectors, Int columns) {
        forEachHeight(rows, [&](int64_t height) {
          emitTile(block, panel, height, vectors, rows, columns, number, buffer);
        });
      });
      auto finish = [&] {
        if (s.transposed)
          return emitTransposedEpilogue(panel, buffer, epilogue);
        emitEpilogue(panel, row, rows, buffer, epilogue);
      };
      if (!block.isLast)
        return finish();
      emitIf(b, block.isLast, finish, [] {});
    });
  }

  void prefetchTile(const Panel &panel, Int row, Int rows) {
    if (!prefetch || s.transposed || scratch.splitsDepth)
      return;
    emitLoop(b, Int(b, 0), rows, 1, [&](Int r) {
      for (int64_t v = 0; v < s.vectors; ++v)
        prefetch(b, row + r, panel.column + v * s.lanes);
    });
  }

  /// Emits `body` for each number of vectors that a panel may have, under the test for it.
  void forEachWidth(const Panel &panel, llvm::function_ref<void(int64_t, Int)> body) {
    int64_t low = 1, high = s.vectors;
    std::optional<int64_t> total = rowVectors.constant(), parts = panels.constant();
    if (total && parts) {
      low = *total / *parts;
      high = llvm::divideCeil(*total, *parts);
    }
    emitWidths(panel, low, high, body);
  }
  void emitWidths(const Panel &panel, int64_t low, int64_t high,
                  llvm::function_ref<void(int64_t, Int)> body) {
    auto widest = [&] {
      Int full(b, high * s.lanes);
      body(high, isRagged() ? min(panel.columns, full) : full);
    };
    if (low == high)
      return widest();
    emitIf(b, panel.width == Int(b, high), widest, [&] { emitWidths(panel, low, high - 1, body); });
  }

  /// Emits `body` for the heights of tiles: all rows, and what the last tile may have: its own
  /// number if that is known, else powers of two, of which it takes the next larger one.
  void forEachHeight(Int rows, llvm::function_ref<void(int64_t)> body) {
    auto full = [&] { body(s.rows); };
    if (rows.is(s.rows))
      return full();
    if (std::optional<int64_t> size = m.constant()) {
      int64_t rest = *size % s.rows;
      if (*size < s.rows)
        return body(rest);
      return emitIf(b, rows == Int(b, s.rows), full, [&] { body(rest); });
    }
    int64_t half = llvm::PowerOf2Ceil(s.rows) / 2;
    emitIf(b, Int(b, half) < rows, full, [&] { emitSmallHeights(rows, half, body); });
  }
  void emitSmallHeights(Int rows, int64_t height, llvm::function_ref<void(int64_t)> body) {
    if (height <= 1)
      return body(1);
    emitIf(
        b, Int(b, height / 2) < rows, [&] { body(height); },
        [&] { emitSmallHeights(rows, height / 2, body); });
  }

  void emitTile(const Block &block, const Panel &panel, int64_t height, int64_t vectors, Int rows,
                Int columns, Int number, Value buffer) {
    Int zero(b, 0), row = number * s.rows;
    Strided lhs = s.packLhs ? Strided{elementPointer(b, element, lhsBlock, row * block.depth),
                                      Int(b, 1), Int(b, s.rows)}
                            : panel.lhs.from(b, element, row, zero);
    Int lanes(b, s.lanes);
    RegisterTile tile{
        height, vectors, type, lhs,         {},     panel.rhs.base, panel.rhs.rowStride,
        lanes,  bytes,   {},   block.depth, buffer, s.vectors,      block.isFirst};
    // Packed rows beyond the last are there, as zeros.
    if (!s.packLhs && !m.constant())
      tile.limit = rows;
    if (s.packRhs) {
      tile.rhs = rhsPanel;
      tile.rhsStride = Int(b, vectors * s.lanes);
      tile.rhsAlignment = bytes * s.lanes;
    } else if (s.rhsIsPacked) {
      tile.rhs = elementPointer(b, element, c.rhs, panel.column * k + block.start * s.lanes);
      tile.rhsStride = lanes;
      tile.rhsVectorStride = k * s.lanes;
      tile.rhsAlignment = bytes * s.lanes;
    } else if (isRagged()) {
      tile.rhsMask = laneMask(b, columns - (vectors - 1) * s.lanes, s.lanes);
    }
    emitRegisterTile(b, tile);
  }

  void emitEpilogue(const Panel &panel, Int row, Int rows, Value buffer,
                    ContractionEpilogue epilogue) {
    emitLoop(b, Int(b, 0), rows, 1, [&](Int r) {
      emitLoop(b, Int(b, 0), panel.columns, s.lanes, [&](Int offset) {
        Int position = r * (s.vectors * s.lanes) + offset;
        Value sum =
            loadVector(b, type, elementPointer(b, element, buffer, position), bytes * s.lanes);
        Int column = panel.column + offset;
        auto finish = [&](Value mask) { epilogue(b, row + r, column, sum, mask); };
        auto full = [&] { finish(nullptr); };
        auto rest = [&] { finish(laneMask(b, n - column, s.lanes)); };
        if (!isRagged())
          return full();
        if (c.longEpilogue || (n.constant() && *n.constant() < s.lanes))
          return rest();
        emitIf(b, column + s.lanes <= n, full, rest);
      });
    });
  }

  /// Every row of C is a column of the tile, a few elements.
  void emitTransposedEpilogue(const Panel &panel, Value buffer, ContractionEpilogue epilogue) {
    emitLoop(b, Int(b, 0), panel.columns, 1, [&](Int column) {
      Value sums = arith::ConstantOp::create(b, b.getZeroAttr(type));
      for (int64_t row = 0; row < *m.constant(); ++row) {
        Int position = column + row * s.vectors * s.lanes;
        Value sum = LLVM::LoadOp::create(b, element, elementPointer(b, element, buffer, position));
        sums = vector::InsertOp::create(b, sum, sums, row);
      }
      epilogue(b, panel.column + column, Int(b, 0), sums, laneMask(b, m, s.lanes));
    });
  }

  ImplicitLocOpBuilder &b;
  Contraction c;
  const ContractionSchedule &s;
  Scratch scratch;
  Type element;
  VectorType type;
  unsigned bytes;
  Int m, n, k;
  Int tiles, rowVectors, panels; ///< Of the whole product.
  Int rowTasks, columnTasks;
  Value lhsBlock, rhsPanel, sums; ///< The scratch.
  ContractionPrefetch prefetch = nullptr;
};

} // namespace

Value emitTaskCount(ImplicitLocOpBuilder &b, const Contraction &contraction) {
  return TaskEmitter(b, contraction).taskCount();
}

void emitTask(ImplicitLocOpBuilder &b, const Contraction &contraction, Value index,
              ContractionEpilogue epilogue, ContractionPrefetch prefetch) {
  TaskEmitter(b, contraction).emit(Int(b, index), epilogue, prefetch);
}

int64_t scratchBytes(const Contraction &contraction) {
  Scratch scratch(oriented(contraction));
  int64_t bytes = contraction.elementType.getIntOrFloatBitWidth() / 8;
  return (scratch.lhs + scratch.rhs + scratch.sums) * bytes;
}

} // namespace mlir::gen::kernels
