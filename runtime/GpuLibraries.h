// Kernels of a session that libraries compute, where `gencc --tune` has found that faster than
// their own code.
#pragma once

#include "GpuConvolutions.h"
#include "GpuProducts.h"

namespace gen::runtime {

class GpuLibraries {
public:
  using Launch = GpuConvolutions::Launch;
  GpuLibraries(CUstream stream, Launch launchKernel)
      : stream(stream), launchKernel(std::move(launchKernel)) {}

  // Puts what a kernel computes on the stream. False if its own code has to serve. Throws a
  // Failure.
  bool launch(const gen_device_kernel_info &kernel, const uint64_t *frame);
  // What they write meanwhile; null until one is launched.
  const void *workspaceOf() const { return workspace.data(); }
  // How often they served.
  int64_t countLaunches() const { return launches; }

private:
  CUstream stream;
  Launch launchKernel;
  GpuWorkspace workspace;
  std::unique_ptr<GpuProducts> products; // null until one is launched, like the next
  std::unique_ptr<GpuConvolutions> convolutions;
  int64_t launches = 0;
};

} // namespace gen::runtime
