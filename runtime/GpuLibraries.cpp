// Which library computes a kernel.
#include "GpuLibraries.h"

namespace gen::runtime {

bool GpuLibraries::launch(const gen_device_kernel_info &kernel, const uint64_t *frame) {
  if (kernel.product && !products)
    products = std::make_unique<GpuProducts>(workspace, stream);
  if (kernel.convolution && !convolutions)
    convolutions = std::make_unique<GpuConvolutions>(workspace, stream);
  bool isDone =
      (kernel.product && products->launch(*kernel.product, frame)) ||
      (kernel.convolution && convolutions->launch(*kernel.convolution, frame, launchKernel));
  launches += isDone;
  return isDone;
}

} // namespace gen::runtime
