// Convolutions of a session by cuDNN, where `gencc --tune` has found that faster than the kernel's
// own code.
#pragma once

#include "Cudnn.h"
#include "GpuWorkspace.h"
#include "gen/artefact.h"

#include <memory>
#include <unordered_map>

namespace gen::runtime {

class GpuConvolutions {
public:
  // Launches a kernel of the artefact, with its own code.
  using Launch = std::function<void(const gen_device_kernel_info &kernel, int64_t blocks,
                                    const uint64_t *frame)>;

  GpuConvolutions(GpuWorkspace &workspace, CUstream stream);
  ~GpuConvolutions();

  // Puts a convolution on the stream. False if the kernel's own code has to serve: there is no
  // library, it has no engine, or memory is not aligned. Memory is allocated when a convolution is
  // launched first. Throws a Failure.
  bool launch(const gen_device_convolution &convolution, const uint64_t *frame,
              const Launch &launchKernel);

private:
  struct Plan; // what the library has to know, and how it computes that
  Plan &planOf(const gen_device_convolution &convolution);
  void execute(const Plan &plan, void *const (&memory)[3]);
  void check(Cudnn::Status status) const;

  const Cudnn *library; // null if it is not there, or cannot work here
  Cudnn::Handle handle = nullptr;
  GpuWorkspace &workspace;
  std::unordered_map<const gen_device_convolution *, std::unique_ptr<Plan>> plans;
};

} // namespace gen::runtime
