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
#include "passes/kernels/ContractionTile.h"

namespace mlir::gen::kernels {
namespace {

/// Part `index` of `parts` even parts of 0 .. total - 1 starts here.
Int evenSplit(Int total, Int parts, Int index) { return index * total / parts; }

/// An operand: where its rows (A) or columns (B) lie.
struct Operand {
  Value base;
  Walk walk;
};

/// The product that the tasks compute: C, or its transpose B^T A^T, with its walks.
struct Product {
  Product(ImplicitLocOpBuilder &b, const Contraction &c)
      : schedule(c.schedule), element(c.elementType), result(c.elementType),
        lhsType(c.lhsType ? c.lhsType : c.elementType),
        rhsType(c.rhsType ? c.rhsType : c.elementType), target(c.target), run(b, int64_t(0)),
        longEpilogue(c.longEpilogue) {
    isOfBytes = lhsType.isInteger(8) && rhsType.isInteger(8);
    Int one(b, 1), n(b, c.n), apart(b, c.rhsStride);
    lhs.base = c.lhs;
    rhs = {c.rhs, {{n, c.transposeRhs ? apart : one}}};
    int64_t rowsDivisor;
    if (c.depth.empty()) {
      Int m(b, c.m), k(b, c.k), rowsApart(b, c.lhsStride), lanes(b, schedule.lanes);
      lhs.walk = {{m, c.transposeLhs ? one : rowsApart}};
      rowsDivisor = knownDivisor(lhs.walk);
      depth = {{k, c.transposeLhs ? rowsApart : one,
                schedule.rhsIsPacked ? lanes
                : c.transposeRhs     ? one
                                     : apart}};
      if (schedule.rhsIsPacked)
        packedStride = ((isOfBytes ? roundedUpQuotient(k, 4) * 4 : k) * schedule.lanes).value;
    } else {
      for (const RowDigit &digit : c.rows)
        lhs.walk.push_back({Int(b, digit.extent), Int(b, digit.stride)});
      for (const DepthDigit &digit : c.depth)
        depth.push_back({Int(b, digit.extent), Int(b, digit.lhsStride), Int(b, digit.rhsStride)});
      rowsDivisor = knownDivisor(lhs.walk);
      // The zeros of numbers with an offset are no zeros.
      if (!schedule.transposed && !isOfBytes)
        margins = c.margins;
      rows = lhs.walk;
      simplify(lhs.walk);
      if (margins.empty())
        simplify(depth);
      packedStride = c.rhsStride;
    }
    if (isOfBytes)
      countWords(b);
    if (schedule.transposed) {
      std::swap(lhs, rhs);
      std::swap(lhsType, rhsType);
      for (DepthStep &step : depth)
        std::swap(step.lhsStride, step.rhsStride);
      rowsDivisor = knownDivisor(lhs.walk);
    }
    hasWholeTiles = rowsDivisor % schedule.rows == 0;
    // A tile's rows of A can be copied where they lie side by side, a vector of columns of B read
    // where it does.
    schedule.packLhs &= lhs.walk.back().stride.is(1) && isEven(lhs.walk, schedule.rows);
    bool isReadable = rhs.walk.back().stride.is(1) && isEven(rhs.walk, schedule.lanes);
    packColumns = !schedule.rhsIsPacked && !isReadable;
    schedule.packRhs = !schedule.rhsIsPacked && (schedule.packRhs || packColumns);
    convertsTiles = lhsType != element && !schedule.packLhs;
    convertsColumns = convertsTiles && !isOfBytes && !depth.back().lhsStride.is(1) &&
                      lhs.walk.back().stride.is(1) && isEven(lhs.walk, schedule.rows);
  }

  /// Four steps of the last digit of k are one, in both operands.
  void countWords(ImplicitLocOpBuilder &b) {
    DepthStep &last = depth.back();
    assert(schedule.rhsIsPacked && last.lhsStride.is(1) && "expected fours of numbers");
    run = last.extent;
    last = {roundedUpQuotient(run, 4), last.lhsStride * 4, last.rhsStride * 4};
    element = b.getI32Type();
  }

  /// Nothing is copied.
  bool isInPlace() const { return !schedule.packLhs && !schedule.packRhs && !convertsTiles; }

  ContractionSchedule schedule;
  Type element; ///< Of the sums.
  Type result, lhsType, rhsType;
  VectorTarget target;
  bool isOfBytes; ///< Steps of k are of four numbers each.
  Int run;        ///< Numbers in a run of the last digit of k, then.
  Operand lhs, rhs;
  DepthWalk depth;
  Walk rows; ///< Of A, digits that are one in memory not joined.
  SmallVector<Margin> margins;
  bool hasWholeTiles;   ///< No tile of rows is incomplete.
  bool convertsTiles;   ///< Each tile of A is copied, converted: row by row,
  bool convertsColumns; ///< or column by column.
  Value packedStride;   ///< Elements between two vectors of columns of a packed B.
  bool packColumns;     ///< Panels of B are packed column by column.
  bool longEpilogue;
};

/// Blocks of k: `count` values of one digit, with all digits after it.
struct DepthBlocks {
  explicit DepthBlocks(const Product &p) {
    int64_t wished = p.schedule.depth;
    std::optional<int64_t> whole = 1;
    for (const DepthStep &step : p.depth)
      whole = whole && step.extent.constant() ? std::optional(*whole * *step.extent.constant())
                                              : std::nullopt;
    assert((whole || wished || p.isInPlace()) && "copies of a dynamic depth need blocks");
    if (wished == 0 || (whole && *whole <= wished)) {
      longest = std::max<int64_t>(whole.value_or(1), 1);
      return;
    }
    splits = true;
    int64_t inner = 1;
    for (digit = p.depth.size() - 1; digit > 0; --digit) {
      std::optional<int64_t> extent = p.depth[digit].extent.constant();
      if (!extent || *extent * inner > wished)
        break;
      inner *= std::max<int64_t>(*extent, 1);
    }
    count = std::max<int64_t>(wished / inner, 1);
    if (std::optional<int64_t> extent = p.depth[digit].extent.constant();
        p.depth.size() > 1 && extent && *extent > 0)
      count = llvm::divideCeil(*extent, llvm::divideCeil(*extent, count));
    longest = count * inner;
  }

  bool splits = false;
  size_t digit = 0;
  int64_t count = 0;
  int64_t longest; ///< Steps of k in a block at most.
};

/// Sizes of the scratch in elements.
struct Scratch {
  explicit Scratch(const Product &p, const DepthBlocks &blocks, int64_t parts) {
    const ContractionSchedule &s = p.schedule;
    tilesPerTask = std::max<int64_t>(s.rowBlock / s.rows, 1);
    tileSums = s.rows * s.vectors * s.lanes;
    lhs = s.packLhs ? blocks.longest * tilesPerTask * s.rows : 0;
    rhs = s.packRhs ? llvm::alignTo(blocks.longest, s.lanes) * s.vectors * s.lanes : 0;
    // Packing column by column may write beyond the end of any run.
    if (p.packColumns && p.depth.size() > 1)
      rhs += s.lanes * s.vectors * s.lanes;
    if (p.convertsColumns) {
      lhs = s.rows * blocks.longest;
    } else if (p.convertsTiles) {
      constexpr int64_t kLine = 16; // rows whose distance is a power of two share lines of a cache
      planeSize = blocks.longest;
      rowSize = parts * planeSize + kLine;
      lhs = s.rows * rowSize;
    }
    sums = blocks.splits ? tilesPerTask * s.panels * tileSums : tileSums;
  }

  int64_t tilesPerTask; ///< At most.
  int64_t tileSums;     ///< Of one register tile.
  int64_t lhs, rhs, sums;
  int64_t rowSize = 0, planeSize = 0; ///< Of converted rows of A.
};

class TaskEmitter {
public:
  TaskEmitter(ImplicitLocOpBuilder &b, const Contraction &contraction)
      : b(b), p(b, contraction), s(p.schedule), byteProducts(b, p.target), blocks(p),
        scratch(p, blocks, p.isOfBytes ? byteProducts.parts() : 1), element(p.element),
        rhsType(p.rhsType), type(VectorType::get(s.lanes, element)),
        bytes(element.getIntOrFloatBitWidth() / 8), m(extentOf(b, p.lhs.walk)),
        n(extentOf(b, p.rhs.walk)), k(extentOf(b, p.depth)), tiles(roundedUpQuotient(m, s.rows)),
        rowVectors(roundedUpQuotient(n, s.lanes)), panels(roundedUpQuotient(rowVectors, s.vectors)),
        rowTasks(roundedUpQuotient(tiles, scratch.tilesPerTask)),
        columnTasks(roundedUpQuotient(panels, s.panels)) {}

  Int taskCount() { return rowTasks * columnTasks; }

  void emit(Int index, ContractionEpilogue epilogue, ContractionPrefetch prefetchEpilogue) {
    prefetch = prefetchEpilogue;
    if (taskCount().is(0))
      return;
    allocateBuffers();
    Int zero(b, 0);
    Int row = rowTasks.is(1) ? zero : index / columnTasks;
    Int column = columnTasks.is(1) ? zero : rowTasks.is(1) ? index : index % columnTasks;
    Block block{zero,
                k,
                zero,
                zero,
                zero,
                p.depth,
                {},
                evenSplit(tiles, rowTasks, row),
                evenSplit(tiles, rowTasks, row + 1),
                evenSplit(panels, columnTasks, column),
                evenSplit(panels, columnTasks, column + 1)};
    if (!blocks.splits)
      return emitBlock(block, epilogue);
    emitBlocks(block, 0, epilogue);
  }

private:
  /// The tiles and panels of a task, and a block of k.
  struct Block {
    Int start, depth;         ///< In steps of k.
    Int lhsOffset, rhsOffset; ///< Of its first step.
    Int runStart;             ///< The first step in the last digit.
    DepthWalk walk;
    SmallVector<Int> digits; ///< Of the first step, as far as blocks are chosen by them.
    Int firstTile, lastTile, firstPanel, lastPanel;
    Value isFirst = nullptr, isLast = nullptr; ///< i1; null: the only block.
  };

  /// A panel of columns and its operands, from the start of the block of k.
  struct Panel {
    Int number;             ///< Of the whole product.
    Int firstVector, width; ///< In vectors.
    Int column, columns;
    Value lhs, rhs;
  };

  /// Emits the blocks of k, whose digits before number `digit` are chosen. At least one: the
  /// epilogue must run even if K = 0.
  void emitBlocks(const Block &outer, size_t digit, ContractionEpilogue epilogue) {
    const DepthStep &step = p.depth[digit];
    bool isLast = digit == blocks.digit;
    ArrayRef<DepthStep> inner = ArrayRef(p.depth).drop_front(digit + 1);
    Int zero(b, 0), steps = extentOf(b, inner), end = step.extent;
    Value isEmpty = k == zero;
    if (p.depth.size() == 1)
      end = max(k, Int(b, 1));
    else
      end = {b, b.createOrFold<arith::SelectOp>(isEmpty, Int(b, 1), step.extent)};
    emitLoop(b, zero, end, isLast ? blocks.count : 1, [&](Int i) {
      Block block = outer;
      block.start = outer.start + i * steps;
      block.lhsOffset = outer.lhsOffset + i * step.lhsStride;
      block.rhsOffset = outer.rhsOffset + i * step.rhsStride;
      block.digits.push_back(i);
      if (digit + 1 == p.depth.size())
        block.runStart = i;
      if (!isLast)
        return emitBlocks(block, digit + 1, epilogue);
      Int count = min(step.extent - i, Int(b, blocks.count));
      if (p.depth.size() > 1)
        count = {b, b.createOrFold<arith::SelectOp>(isEmpty, zero, count)};
      block.walk.assign(inner.begin(), inner.end());
      block.walk.insert(block.walk.begin(), DepthStep{count, step.lhsStride, step.rhsStride});
      block.depth = count * steps;
      block.isFirst = block.start == zero;
      block.isLast = k <= block.start + block.depth;
      emitBlock(block, epilogue);
    });
  }

  void allocateBuffers() {
    auto allocate = [&](int64_t size) {
      return size == 0 ? Value() : allocateScratch(b, element, size);
    };
    lhsBlock = allocate(scratch.lhs);
    rhsPanel = allocate(scratch.rhs);
    sums = allocate(scratch.sums);
    if (p.isOfBytes && byteProducts.hasExcess()) {
      excess = allocate(s.vectors * s.lanes);
      offsets = allocate(1);
    }
  }

  void emitBlock(const Block &block, ContractionEpilogue epilogue) {
    Int firstRow = block.firstTile * s.rows;
    Value lhs = elementPointer(b, p.lhsType, p.lhs.base, block.lhsOffset);
    Value rhs = elementPointer(b, rhsType, p.rhs.base, block.rhsOffset);
    if (s.packLhs) {
      Int rows = min(m - firstRow, (block.lastTile - block.firstTile) * s.rows);
      packBlock(b, lhs, p.lhs.walk, firstRow, block.walk, rows, s.rows, element, lhsBlock,
                p.lhsType);
    }
    emitLoop(b, block.firstPanel, block.lastPanel, 1, [&](Int number) {
      Int from = evenSplit(rowVectors, panels, number);
      Int width = evenSplit(rowVectors, panels, number + 1) - from;
      Int column = from * s.lanes;
      Panel panel{number, from, width, column, min(n - column, width * s.lanes), lhs, rhs};
      if (!isRagged()) // also where `width` is not known, panels are whole vectors
        panel.columns = width * s.lanes;
      emitPanel(block, panel, epilogue);
    });
  }

  /// Whether the last vector of a row may be incomplete.
  bool isRagged() const { return !n.constant() || *n.constant() % s.lanes != 0; }

  void emitPanel(const Block &block, const Panel &panel, ContractionEpilogue epilogue) {
    if (p.packColumns)
      packTransposedPanel(b, panel.rhs, p.rhs.walk, panel.column, block.walk, panel.columns,
                          panel.width, type, rhsPanel, rhsType);
    else if (s.packRhs)
      forEachWidth(panel, [&](int64_t vectors, Int columns) {
        packPanel(b, vectorPointers(panel, vectors), block.walk, columns, type, rhsPanel, rhsType);
      });
    if (excess)
      forEachWidth(panel, [&](int64_t vectors, Int) { emitExcess(block, panel, vectors); });
    emitLoop(b, block.firstTile, block.lastTile, 1, [&](Int tile) {
      Int row = tile * s.rows, number = tile - block.firstTile;
      Int slot = blocks.splits ? (panel.number - block.firstPanel) * scratch.tilesPerTask + number
                               : Int(b, 0);
      Value buffer = elementPointer(b, element, sums, slot * scratch.tileSums);
      Int rows = p.hasWholeTiles ? Int(b, s.rows) : min(m - row, Int(b, s.rows));
      if (p.convertsTiles)
        convertTile(block, panel, row, rows);
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

  void convertTile(const Block &block, const Panel &panel, Int row, Int rows) {
    if (p.convertsColumns)
      packBlock(b, panel.lhs, p.lhs.walk, row, block.walk, rows, s.rows, element, lhsBlock,
                p.lhsType);
    else if (p.isOfBytes)
      byteProducts.copyRows(panel.lhs, p.lhs.walk, row, rows, block.walk, p.run, block.runStart,
                            lhsBlock, scratch.rowSize, scratch.planeSize);
    else
      convertRows(b, panel.lhs, p.lhs.walk, row, rows, block.walk, p.lhsType, element, lhsBlock,
                  scratch.rowSize);
  }

  /// What the offsets of A's numbers add to the sums: products with a row of offsets.
  void emitExcess(const Block &block, const Panel &panel, int64_t vectors) {
    Value words = arith::ConstantIntOp::create(b, static_cast<int32_t>(0x80808080), 32);
    LLVM::StoreOp::create(b, words, offsets);
    RegisterTile tile{1,     vectors, type,   {offsets}, {}, block.walk,
                      bytes, {},      excess, vectors,   {}, {}};
    for (DepthStep &step : tile.depth)
      step.lhsStride = Int(b, 0);
    readPacked(tile, panel);
    simplify(tile.depth);
    emitRegisterTile(b, tile);
  }

  /// Vectors of a packed B.
  void readPacked(RegisterTile &tile, const Panel &panel) {
    Int apart(b, p.packedStride);
    Value start = elementPointer(b, rhsType, panel.rhs, panel.firstVector * apart);
    for (int64_t v = 0; v < tile.vectors; ++v)
      tile.rhs.push_back(elementPointer(b, rhsType, start, apart * v));
    tile.rhsType = rhsType;
    if (p.isOfBytes)
      tile.bytes = p.target;
    tile.rhsAlignment = (p.isOfBytes ? element : rhsType).getIntOrFloatBitWidth() / 8 * s.lanes;
  }

  /// Pointers to the vectors of the panel in B.
  SmallVector<Value> vectorPointers(const Panel &panel, int64_t vectors) {
    SmallVector<Value> pointers;
    if (p.rhs.walk.size() == 1) {
      Value start = elementPointer(b, rhsType, panel.rhs, panel.column);
      for (int64_t v = 0; v < vectors; ++v)
        pointers.push_back(elementPointer(b, rhsType, start, Int(b, v * s.lanes)));
      return pointers;
    }
    for (int64_t v = 0; v < vectors; ++v)
      pointers.push_back(
          elementPointer(b, rhsType, panel.rhs, offsetOf(p.rhs.walk, panel.column + v * s.lanes)));
    return pointers;
  }

  /// What tile `number` asks for while its sums are computed.
  std::function<void(Int)> prefetchOf(const Block &block, const Panel &panel, Int number) {
    bool asksForPanel = asksForNextPanel(block);
    if (s.transposed || !(prefetch || asksForPanel))
      return nullptr;
    return [this, &block, &panel, number, asksForPanel](Int r) {
      if (asksForPanel)
        askForNextPanel(block, panel, number * s.rows + r);
      if (!prefetch)
        return;
      askForRow(block, panel, number, r);
      if (!blocks.splits && columnTasks.is(1) && !panels.is(1))
        askForNextRows(block, panel, number * s.rows + r);
    };
  }

  /// Whether a tile asks for its part of the panel that is next: of a matrix that does not stay in
  /// a core's cache anyway, if the panel's tiles are enough to share it. (A packed panel is one run
  /// of memory, which processors foresee. Sums of chains have no turns; their many small products
  /// gained nothing.)
  bool asksForNextPanel(const Block &block) const {
    constexpr int64_t kCachedBits = 2 << 20, kFewTiles = 4;
    if (n.constant() && k.constant() &&
        *n.constant() * *k.constant() * rhsType.getIntOrFloatBitWidth() <= kCachedBits)
      return false;
    bool isMatrix = block.walk.size() == 1 && p.rhs.walk.size() == 1 && !s.rhsIsPacked;
    bool isContiguous = !p.packColumns || block.walk.front().rhsStride.is(1);
    return isMatrix && isContiguous && s.chain == 0 && s.rowBlock >= kFewTiles * s.rows;
  }

  Lines nextPanel(const Block &block, const Panel &panel) {
    constexpr int64_t kLineBits = 512;
    const DepthStep &step = block.walk.front();
    Int column = panel.column + panel.width * s.lanes;
    if (!p.packColumns)
      return {column, step.extent, step.rhsStride, Int(b, s.vectors), Int(b, s.lanes)};
    int64_t line = kLineBits / rhsType.getIntOrFloatBitWidth();
    Int apart = p.rhs.walk.front().stride;
    return {column * apart, Int(b, s.vectors * s.lanes), apart,
            roundedUpQuotient(step.extent, line), Int(b, line)};
  }

  void askForNextPanel(const Block &block, const Panel &panel, Int turn) {
    Int turns = (block.lastTile - block.firstTile) * s.rows;
    forEachLine(b, nextPanel(block, panel), turn, turns, [&](Int position) {
      emitPrefetch(b, rhsType, panel.rhs, position, CacheLevel::Second);
    });
  }

  /// What the epilogue of row `r` of tile `number` will touch.
  void askForRow(const Block &block, const Panel &panel, Int number, Int r) {
    Int row = (block.firstTile + number) * s.rows + r;
    auto ask = [&] {
      for (int64_t v = 0; v < s.vectors; ++v)
        prefetch(b, row * n + panel.column + v * s.lanes, CacheLevel::First);
    };
    if (!block.isLast)
      return ask();
    emitIf(b, block.isLast, ask, [] {});
  }

  /// What the epilogue will touch in the next task, which is the next rows: in the order in which
  /// they lie in memory, not in that of tiles.
  void askForNextRows(const Block &block, const Panel &panel, Int turn) {
    Int rows = (block.lastTile - block.firstTile) * s.rows, zero(b, 0);
    Lines lines{block.lastTile * s.rows * n, rows, n, rowVectors, Int(b, s.lanes)};
    forEachLine(b, lines, panel.number * rows + turn, panels * rows,
                [&](Int position) { prefetch(b, position, CacheLevel::Second); });
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
    RegisterTile tile{height, vectors,   type,          {}, {}, block.walk, bytes, {},
                      buffer, s.vectors, block.isFirst, {}};
    tile.prefetch = prefetchOf(block, panel, number);
    if (s.packLhs || p.convertsColumns) {
      Int start = p.convertsColumns ? Int(b, 0) : number * s.rows * block.depth;
      Value rowsOfTile = elementPointer(b, element, lhsBlock, start);
      for (int64_t r = 0; r < height; ++r)
        tile.lhs.push_back(elementPointer(b, element, rowsOfTile, Int(b, r)));
      makeLinear(tile.depth, &DepthStep::lhsStride, Int(b, s.rows));
    } else if (p.convertsTiles) {
      for (int64_t r = 0; r < height; ++r)
        tile.lhs.push_back(elementPointer(b, element, lhsBlock, Int(b, r * scratch.rowSize)));
      tile.planeSize = scratch.planeSize;
      makeLinear(tile.depth, &DepthStep::lhsStride, Int(b, 1));
    } else {
      // Packed rows beyond the last are there, as zeros.
      std::optional<Int> limit;
      if (!m.constant() && !p.hasWholeTiles)
        limit = rows;
      tile.lhs =
          walkPointers(b, element, panel.lhs, p.lhs.walk, (block.firstTile + number) * s.rows,
                       height, isEven(p.lhs.walk, s.rows), limit);
    }
    Int lanes(b, s.lanes);
    if (s.packRhs) {
      for (int64_t v = 0; v < vectors; ++v)
        tile.rhs.push_back(elementPointer(b, element, rhsPanel, lanes * v));
      makeLinear(tile.depth, &DepthStep::rhsStride, Int(b, vectors * s.lanes));
    } else if (s.rhsIsPacked) {
      readPacked(tile, panel);
      tile.excess = excess;
    } else {
      tile.rhs = vectorPointers(panel, vectors);
      if (isRagged())
        tile.rhsMask = laneMask(b, columns - (vectors - 1) * s.lanes, s.lanes);
      tile.rhsType = rhsType;
      tile.rhsAlignment = rhsType.getIntOrFloatBitWidth() / 8;
    }
    if (s.packRhs)
      tile.rhsAlignment = bytes * s.lanes;
    tile.chain = s.chain;
    if (p.margins.empty())
      simplify(tile.depth);
    else
      leaveOutMargins(tile, block, (block.firstTile + number) * s.rows);
    emitRegisterTile(b, tile);
  }

  /// Starts each digit of k where the rows of a tile leave the zeros before them, and ends it where
  /// they reach those behind.
  void leaveOutMargins(RegisterTile &tile, const Block &block, Int row) {
    Int last = min(row + (tile.rows - 1), m - 1);
    SmallVector<Range> digits = rangesOf(p.rows, row, last, s.rows);
    Int zero(b, 0), lhsOffset = zero, rhsOffset = zero;
    size_t chosen = p.depth.size() - tile.depth.size();
    Value isEmpty = arith::ConstantIntOp::create(b, 0, 1);
    for (const Margin &margin : p.margins) {
      Int start = margin.depth < block.digits.size() ? block.digits[margin.depth] : zero;
      Range steps = stepsInside(margin, digits[margin.row]);
      Int from = steps.first - start, to = steps.second - start;
      if (margin.depth < chosen) {
        isEmpty = b.createOrFold<arith::OrIOp>(isEmpty, zero < from);
        isEmpty = b.createOrFold<arith::OrIOp>(isEmpty, to <= zero);
        continue;
      }
      DepthStep &step = tile.depth[margin.depth - chosen];
      from = min(max(from, zero), step.extent);
      lhsOffset = lhsOffset + from * step.lhsStride;
      rhsOffset = rhsOffset + from * step.rhsStride;
      step.extent = max(min(to, step.extent) - from, zero);
    }
    Int &extent = tile.depth.front().extent;
    extent = {b, b.createOrFold<arith::SelectOp>(isEmpty, zero, extent)};
    for (Value &pointer : tile.lhs)
      pointer =
          elementPointer(b, s.packLhs || p.convertsTiles ? element : p.lhsType, pointer, lhsOffset);
    for (Value &pointer : tile.rhs)
      pointer = elementPointer(b, tile.rhsType, pointer, rhsOffset);
  }

  /// The steps of k lie `apart` in a packed operand.
  static void makeLinear(DepthWalk &walk, Int DepthStep::*stride, Int apart) {
    for (DepthStep &step : llvm::reverse(walk)) {
      step.*stride = apart;
      apart = apart * step.extent;
    }
  }

  void emitEpilogue(const Panel &panel, Int row, Int rows, Value buffer,
                    ContractionEpilogue epilogue) {
    emitLoop(b, Int(b, 0), rows, 1, [&](Int r) {
      emitLoop(b, Int(b, 0), panel.columns, s.lanes, [&](Int offset) {
        Int position = r * (s.vectors * s.lanes) + offset;
        Value sum =
            loadVector(b, type, elementPointer(b, element, buffer, position), bytes * s.lanes);
        Int column = panel.column + offset;
        sum = converted(b, type.clone(p.result), sum);
        auto finish = [&](Value mask) { epilogue(b, row + r, column, sum, mask); };
        auto full = [&] { finish(nullptr); };
        auto rest = [&] { finish(laneMask(b, n - column, s.lanes)); };
        if (!isRagged())
          return full();
        if (p.longEpilogue || (n.constant() && *n.constant() < s.lanes))
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
  Product p;
  const ContractionSchedule &s;
  Bytes byteProducts;
  DepthBlocks blocks;
  Scratch scratch;
  Type element, rhsType;
  VectorType type;
  unsigned bytes;
  Int m, n, k;
  Int tiles, rowVectors, panels; ///< Of the whole product.
  Int rowTasks, columnTasks;
  Value lhsBlock, rhsPanel, sums; ///< The scratch.
  Value excess, offsets;          ///< Of products of bytes: their sums for one panel; four of them.
  ContractionPrefetch prefetch = nullptr;
};

} // namespace

Value emitTaskCount(ImplicitLocOpBuilder &b, const Contraction &contraction) {
  if (contraction.schedule.dot)
    return dotTaskCount(b, contraction);
  if (contraction.schedule.along)
    return alongTaskCount(b, contraction);
  return TaskEmitter(b, contraction).taskCount();
}

void emitTask(ImplicitLocOpBuilder &b, const Contraction &contraction, Value index,
              ContractionEpilogue epilogue, ContractionPrefetch prefetch) {
  if (contraction.schedule.dot)
    return emitDotTask(b, contraction, Int(b, index), epilogue);
  if (contraction.schedule.along)
    return emitAlongTask(b, contraction, Int(b, index), epilogue);
  TaskEmitter(b, contraction).emit(Int(b, index), epilogue, prefetch);
}

} // namespace mlir::gen::kernels
