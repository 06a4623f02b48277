// What this machine can do at most: the scale on which profiles put the speed of kernels.
#pragma once

#include <cstdint>
#include <vector>

namespace gen::runtime {

struct Limits {
  struct Bandwidth {
    int64_t bytes; // read again and again
    double bytesPerSecond;
  };
  double flopsPerSecond;            // f32 multiply-adds, two operations each; 0: not known
  std::vector<Bandwidth> bandwidth; // by size: each cache has its own

  // The least time for that much work, if computing and reading overlap; 0 if it is not known.
  double seconds(double flops, double bytes) const;
};

// The limits of that many threads together. Measured when asked for the first time, which takes
// some 0.1 s and 64 MiB; what else runs meanwhile lowers them.
const Limits &limitsOf(unsigned threads);

} // namespace gen::runtime
