// Recording calls, and finding them again.
#include "GpuGraphs.h"

#include <algorithm>

namespace gen::runtime {

// The call of that key, moved to the front; null if there is none.
GpuGraphs::Call *GpuGraphs::find(const GpuCallKey &key) {
  auto found =
      std::find_if(calls.begin(), calls.end(), [&](const Call &call) { return call.key == key; });
  if (found == calls.end())
    return nullptr;
  std::rotate(calls.begin(), found, found + 1);
  return &calls.front();
}

void GpuGraphs::run(Gpu &gpu, const std::function<const GpuCallKey &()> &keyOf,
                    const std::function<void()> &body) {
  Call *known = find(keyOf());
  if (!known) {
    body();
    if (gpu.hasFailed())
      return;
    if (calls.size() == kMost)
      calls.pop_back();
    calls.insert(calls.begin(), Call{keyOf(), nullptr});
    return;
  }
  if (!known->graph)
    known->graph = gpu.record(body);
  gpu.launch(*known->graph);
}

} // namespace gen::runtime
