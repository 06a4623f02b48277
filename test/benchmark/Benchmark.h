//===- Benchmark.h - what the benchmarks of emitted code share ------------===//

#ifndef GEN_TEST_BENCHMARK_BENCHMARK_H
#define GEN_TEST_BENCHMARK_BENCHMARK_H

#include "passes/kernels/Contraction.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <memory>

namespace mlir::gen::test {

/// Seconds that this thread has run: the clock of a machine shared with others.
inline double now() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// `count` floats on a cache line, as the runtime's arena gives them.
inline std::unique_ptr<float, decltype(&std::free)> filled(int64_t count, float value) {
  size_t bytes = llvm::alignTo(count * sizeof(float), 64);
  std::unique_ptr<float, decltype(&std::free)> data(
      static_cast<float *>(std::aligned_alloc(64, bytes)), &std::free);
  std::fill_n(data.get(), count, value);
  return data;
}

/// Overrides from the environment, for experiments: ROWS, VECTORS, DEPTH, ROW_BLOCK, PANELS,
/// PACK_LHS, PACK_RHS, TRANSPOSED, DOT.
inline void applyEnvironment(kernels::ContractionSchedule &s) {
  auto number = [](const char *name, auto &field) {
    if (const char *text = std::getenv(name))
      field = std::atoll(text);
  };
  number("ROWS", s.rows);
  number("VECTORS", s.vectors);
  number("DEPTH", s.depth);
  number("ROW_BLOCK", s.rowBlock);
  number("PANELS", s.panels);
  number("PACK_LHS", s.packLhs);
  number("PACK_RHS", s.packRhs);
  number("TRANSPOSED", s.transposed);
  number("DOT", s.dot);
}

} // namespace mlir::gen::test

#endif // GEN_TEST_BENCHMARK_BENCHMARK_H
