//===- ContractionSchedule.cpp - The rule table of matrix products --------===//
//
// Register tiles fill most registers with accumulators and leave room for a row of B and a
// broadcast of A. A packed panel of B (depth x panel) should stay in the second-level cache, and a
// task should last some ten microseconds at least while there are still enough of them for all
// threads.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/BuiltinTypes.h"
#include "passes/kernels/Contraction.h"
#include <algorithm>

namespace mlir::gen::kernels {

/// Numbers to plan with where a size is not known: a batch, a layer.
static int64_t guess(int64_t size, int64_t typical) {
  return ShapedType::isDynamic(size) ? typical : std::max<int64_t>(size, 1);
}

static int64_t ceilDivide(int64_t x, int64_t y) { return (x + y - 1) / y; }

/// The register tile: 8 x 3 registers of 32, 6 x 2 of 16; fewer rows leave room for more vectors.
static void chooseTile(ContractionSchedule &schedule, int64_t m, int64_t rowVectors, int64_t cost,
                       int64_t registers) {
  int64_t accumulators = registers >= 32 ? 24 : 12;
  int64_t vectors = std::max<int64_t>((registers >= 32 ? 3 : 2) / cost, 1);
  schedule.rows = std::clamp<int64_t>(accumulators / (vectors * cost), 1, 8);
  if (!ShapedType::isDynamic(m) && m < schedule.rows) {
    schedule.rows = std::max<int64_t>(m, 1);
    vectors = std::clamp<int64_t>(accumulators / (schedule.rows * cost), vectors, 8);
  }
  schedule.vectors = std::min(vectors, rowVectors);
}

ContractionSchedule chooseSchedule(int64_t m, int64_t n, int64_t k, bool transposeLhs,
                                   bool transposeRhs, Type elementType, VectorTarget target,
                                   int64_t lanes, bool rhsIsPacked) {
  ContractionSchedule schedule;
  int64_t bytes = elementType.getIntOrFloatBitWidth() / 8;
  schedule.lanes = lanes ? lanes : target.registerBytes / bytes;
  // A few columns would leave most lanes idle.
  if (!rhsIsPacked && n >= 1 && n <= std::min<int64_t>(4, schedule.lanes) &&
      guess(m, 128) >= schedule.lanes) {
    schedule =
        chooseSchedule(n, m, k, !transposeRhs, !transposeLhs, elementType, target, schedule.lanes);
    schedule.transposed = true;
    return schedule;
  }

  int64_t cost = std::max<int64_t>(schedule.lanes * bytes / target.registerBytes, 1);
  int64_t rowCount = guess(m, 128), columns = guess(n, 512), depth = guess(k, 512);
  int64_t rowVectors = ShapedType::isDynamic(n) ? 1 << 16 : ceilDivide(columns, schedule.lanes);
  chooseTile(schedule, m, rowVectors, cost, target.registers);

  // Packing B pays off over many row tiles, or where it lies across. A^T is read in place while the
  // lines of a tile's columns fit the first-level cache.
  constexpr int64_t kFewTiles = 16, kRows = 256, kManyRows = 1024;
  int64_t tiles = ceilDivide(rowCount, schedule.rows),
          panels = ceilDivide(rowVectors, schedule.vectors);
  schedule.rhsIsPacked = rhsIsPacked;
  schedule.packRhs = !rhsIsPacked && (transposeRhs || tiles > kFewTiles);
  schedule.packLhs =
      transposeLhs && !ShapedType::isDynamic(k) && k > 256 && tiles > 4 && panels > 4;
  schedule.panels = schedule.packLhs ? 8 : 1;
  int64_t most = schedule.packRhs ? kManyRows : kRows;
  schedule.rowBlock = std::min<int64_t>(most / schedule.rows, tiles) * schedule.rows;
  int64_t longest = (schedule.packLhs ? 256 : rowCount > 256 ? 512 : 1024) * 4 / bytes;
  schedule.depth = !ShapedType::isDynamic(k) && k <= longest ? 0 : std::min<int64_t>(longest, 512);

  // Smaller tasks while there are too few of them to share, and they are long enough.
  constexpr int64_t kTasks = 16, kTaskFlops = 750000;
  auto taskColumns = [&] { return schedule.panels * schedule.lanes * schedule.vectors; };
  auto isShort = [&](int64_t tasksEnough) {
    return ceilDivide(rowCount, schedule.rowBlock) * ceilDivide(columns, taskColumns()) >=
               tasksEnough ||
           2 * schedule.rowBlock * depth * std::min(columns, taskColumns()) < 2 * kTaskFlops;
  };
  while (schedule.panels > 2 && !isShort(kTasks))
    schedule.panels /= 2;
  // A panel that each task packs again should serve many rows.
  auto split = [&](int64_t leastRows, int64_t tasksEnough) {
    while (schedule.rowBlock > leastRows && !isShort(tasksEnough))
      schedule.rowBlock = ceilDivide(schedule.rowBlock / 2, schedule.rows) * schedule.rows;
  };
  split(kRows, kTasks);
  split(4 * schedule.rows, rhsIsPacked ? 2 * kTasks : kTasks / 4);
  return schedule;
}

/// Four vectors of columns are one panel rather than two of two.
static void useFourVectors(ContractionSchedule &s) {
  constexpr int64_t kRows = 6;
  if (s.rows != 8 || s.vectors != 3)
    return;
  s.rows = kRows, s.vectors = 4;
  s.rowBlock = s.rowBlock / kRows * kRows;
}

ContractionSchedule chooseConvolutionSchedule(int64_t m, int64_t n, int64_t k, int64_t run,
                                              bool transposeRhs, Type elementType,
                                              VectorTarget target, int64_t lanes,
                                              bool rhsIsPacked) {
  ContractionSchedule s = chooseSchedule(m, n, k, /*transposeLhs=*/false, transposeRhs, elementType,
                                         target, lanes, rhsIsPacked);
  constexpr int64_t kMostColumns = 6, kShort = 64, kPanel = 65536, kAccumulators = 24, kRows = 256;
  if (ceilDivide(n, s.lanes) == 4)
    useFourVectors(s);
  if (rhsIsPacked || n > kMostColumns || ShapedType::isDynamic(k) || k < kShort || k * n > kPanel ||
      run < s.lanes)
    return s;
  int64_t most = target.registers >= 32 ? kAccumulators : kAccumulators / 2;
  int64_t cost = std::max<int64_t>(
      s.lanes * elementType.getIntOrFloatBitWidth() / 8 / target.registerBytes, 1);
  s = {.lanes = s.lanes, .dot = true};
  s.rows = std::clamp<int64_t>(most / (n * cost), 1, 8);
  if (!ShapedType::isDynamic(m))
    s.rows = std::min(s.rows, std::max<int64_t>(m, 1));
  s.vectors = 1;
  s.packRhs = true;
  s.rowBlock = kRows / s.rows * s.rows;
  return s;
}

/// All rows in one tile, or fewer accumulators than registers would hold: with sizes that are not
/// known, tiles of 8 x 3 wait for their loads.
ContractionSchedule chooseInPlaceSchedule(int64_t m, int64_t n, int64_t k, Type elementType,
                                          VectorTarget target) {
  constexpr int64_t kLanes = 16, kTaskFlops = 750000;
  ContractionSchedule s{.lanes = kLanes, .packRhs = false};
  int64_t cost = std::max<int64_t>(
      s.lanes * elementType.getIntOrFloatBitWidth() / 8 / target.registerBytes, 1);
  int64_t most = (target.registers >= 32 ? 24 : 12) / cost,
          rowVectors = ceilDivide(guess(n, 128), s.lanes);
  s.vectors = std::min<int64_t>(most >= 24 ? 4 : most >= 6 ? 2 : 1, rowVectors);
  s.rows = most / s.vectors;
  if (m > s.rows)
    s.rows = std::max<int64_t>(most * 2 / 3 / s.vectors, 1);
  int64_t tiles = ceilDivide(m, s.rows);
  s.rows = ceilDivide(m, tiles);
  s.rowBlock = tiles * s.rows;
  int64_t panelFlops = 2 * s.rowBlock * guess(k, 64) * s.vectors * s.lanes;
  s.panels = std::clamp<int64_t>(kTaskFlops / panelFlops, 1, ceilDivide(rowVectors, s.vectors));
  return s;
}

ContractionSchedule chooseAlongSchedule(int64_t m, int64_t n, int64_t run, Type elementType,
                                        VectorTarget target) {
  constexpr int64_t kLanes = 16, kMostColumns = 6, kMostRows = 8, kLeastTasks = 4,
                    kSums = 16384; // of a task
  ContractionSchedule s{.lanes = kLanes, .packRhs = false, .along = true};
  int64_t cost = std::max<int64_t>(
      s.lanes * elementType.getIntOrFloatBitWidth() / 8 / target.registerBytes, 1);
  int64_t most = (target.registers >= 32 ? 24 : 12) / cost;
  s.vectors = 1;
  for (int64_t columns = 2; columns <= std::min(most, kMostColumns); ++columns)
    if (run % columns == 0)
      s.vectors = columns;
  int64_t rows = std::clamp<int64_t>(most / s.vectors, 1, std::min(m, kMostRows));
  int64_t rowTiles = ceilDivide(m, rows), columnTiles = ceilDivide(n, s.vectors);
  s.rows = s.rowBlock = ceilDivide(m, rowTiles);
  int64_t parts =
      std::max(ceilDivide(kLeastTasks, rowTiles), ceilDivide(s.rows * n * s.lanes, kSums));
  s.panels = ceilDivide(columnTiles, std::min(parts, columnTiles));
  return s;
}

/// Where sums are short, B stays in the second-level cache, and a task is a few whole rows: the
/// epilogue, an optimizer's update, reads and writes a weight and its moments from end to end, as
/// memory likes it. Where sums are long, a convolution's elements of the input for one tap are the
/// next one's a bit later: a task goes over many columns while a short block of k is in the cache.
/// Neither copies anything.
ContractionSchedule chooseWeightGradientSchedule(int64_t m, int64_t n, int64_t k, Type elementType,
                                                 VectorTarget target, int64_t lanes,
                                                 bool isStreamed) {
  constexpr int64_t kShort = 256, kDepth = 128, kNarrowRows = 13, kMostPanels = 8, kLeastTasks = 4,
                    kRows = 256, kCached = 512 << 10, kFewTiles = 2;
  ContractionSchedule s = chooseSchedule(m, n, k, /*transposeLhs=*/true, /*transposeRhs=*/false,
                                         elementType, target, lanes);
  if (s.transposed)
    return s;
  int64_t vectors = ceilDivide(n, s.lanes);
  if (!ShapedType::isDynamic(k) && k <= kShort) {
    if (!isStreamed || k * n * elementType.getIntOrFloatBitWidth() / 8 > kCached)
      return s;
    s.packLhs = s.packRhs = false;
    s.panels = ceilDivide(vectors, s.vectors);
    s.rowBlock = kFewTiles * s.rows;
    return s;
  }
  if (vectors == 4)
    useFourVectors(s);
  if (vectors == 1 && s.rows == 8) // as many sums at once as registers allow
    s.rows = ceilDivide(m, ceilDivide(m, kNarrowRows));
  s.packLhs = s.packRhs = false;
  s.depth = kDepth;
  s.panels = std::min(ceilDivide(vectors, s.vectors), kMostPanels);
  int64_t across = ceilDivide(vectors, s.vectors * s.panels), tiles = kRows / s.rows;
  while (tiles > 1 && across * ceilDivide(m, tiles * s.rows) < kLeastTasks)
    tiles /= 2;
  s.rowBlock = tiles * s.rows;
  return s;
}

} // namespace mlir::gen::kernels
