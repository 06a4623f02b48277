// Calls as CUDA graphs: what a call asks of a GPU is recorded once and then asked for at once, so
// that a step of a thousand launches costs the host one.
#pragma once

#include "Gpu.h"

#include <functional>
#include <vector>

namespace gen::runtime {

// What a call's launches follow from, beside the code: sizes and addresses.
struct GpuCallKey {
  uint32_t entry = 0;
  std::vector<int64_t> dimensions;
  std::vector<const void *> addresses;
  bool operator==(const GpuCallKey &) const = default;
};

class GpuGraphs {
public:
  // Does `body`, which puts work on the stream of `gpu`; the work has to follow from the key. The
  // first time it is done directly: functions are loaded then, constants copied, memory allocated,
  // none of which a graph may do. The second time it is recorded, and from then on replayed.
  // `keyOf` is asked again after a first call.
  void run(Gpu &gpu, const std::function<const GpuCallKey &()> &keyOf,
           const std::function<void()> &body);

private:
  struct Call {
    GpuCallKey key;
    std::unique_ptr<GpuGraph> graph; // null until the second call
  };
  static constexpr size_t kMost = 32; // batch sizes, phases of a training, ...
  Call *find(const GpuCallKey &key);

  std::vector<Call> calls; // the last one first
};

} // namespace gen::runtime
