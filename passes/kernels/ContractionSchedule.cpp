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

namespace mlir::gen::kernels {

/// Numbers to plan with where a size is not known: a batch, a layer.
static int64_t guess(int64_t size, int64_t typical) {
  return ShapedType::isDynamic(size) ? typical : std::max<int64_t>(size, 1);
}

ContractionSchedule chooseSchedule(int64_t m, int64_t n, int64_t k, bool transposeLhs,
                                   bool transposeRhs, Type elementType, VectorTarget target,
                                   int64_t lanes) {
  ContractionSchedule schedule;
  int64_t bytes = elementType.getIntOrFloatBitWidth() / 8;
  schedule.lanes = lanes ? lanes : target.registerBytes / bytes;
  int64_t cost = llvm::divideCeil(schedule.lanes * bytes, target.registerBytes);
  int64_t rowVectors = guess(n, 1 << 20) / schedule.lanes + 1;
  if (!ShapedType::isDynamic(n))
    rowVectors = std::max<int64_t>(llvm::divideCeil(n, schedule.lanes), 1);

  // 8 x 3 of 32 registers, 6 x 2 of 16; fewer rows leave room for more vectors.
  int64_t accumulators = target.registers >= 32 ? 24 : 12;
  int64_t vectors = std::max<int64_t>((target.registers >= 32 ? 3 : 2) / cost, 1);
  schedule.rows = std::clamp<int64_t>(accumulators / (vectors * cost), 1, 8);
  if (!ShapedType::isDynamic(m) && m < schedule.rows) {
    schedule.rows = std::max<int64_t>(m, 1);
    vectors = std::clamp<int64_t>(accumulators / (schedule.rows * cost), vectors, 8);
  }
  schedule.vectors = std::min(vectors, rowVectors);

  int64_t tiles = llvm::divideCeil(guess(m, 128), schedule.rows);
  int64_t panels = llvm::divideCeil(rowVectors, schedule.vectors);
  schedule.packRhs = transposeRhs || tiles > 2;
  schedule.packLhs = transposeLhs && tiles > 1 && panels > 1;
  int64_t longest = (schedule.packLhs ? 512 : 1024) * 4 / bytes;
  schedule.depth = !ShapedType::isDynamic(k) && k <= longest ? 0 : longest / 2;

  // Packing A pays off over several panels, packing B over several row tiles.
  constexpr int64_t kTasks = 16, kTaskFlops = 1 << 20;
  schedule.panels = schedule.packLhs ? std::min<int64_t>(panels, 4) : 1;
  schedule.rowBlock = (schedule.packLhs ? 128 : 256) / schedule.rows * schedule.rows;
  int64_t columns = guess(n, 512), depth = guess(k, 512), rowCount = guess(m, 128);
  auto tasks = [&] {
    return llvm::divideCeil(rowCount, schedule.rowBlock) *
           llvm::divideCeil(llvm::divideCeil(columns, schedule.lanes * schedule.vectors),
                            schedule.panels);
  };
  auto taskFlops = [&] {
    return 2 * std::min(schedule.rowBlock, rowCount) * depth *
           std::min(columns, schedule.panels * schedule.lanes * schedule.vectors);
  };
  schedule.rowBlock = std::min(schedule.rowBlock, tiles * schedule.rows);
  while (tasks() < kTasks && taskFlops() >= 2 * kTaskFlops && schedule.panels > 1)
    schedule.panels = llvm::divideCeil(schedule.panels, 2);
  while (tasks() < kTasks / 4 && taskFlops() >= 2 * kTaskFlops &&
         schedule.rowBlock > 4 * schedule.rows)
    schedule.rowBlock = llvm::divideCeil(schedule.rowBlock / 2, schedule.rows) * schedule.rows;
  return schedule;
}

} // namespace mlir::gen::kernels
