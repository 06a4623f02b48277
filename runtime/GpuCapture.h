// A call that is recorded: what would happen in the order of a stream becomes a graph in which each
// work follows only those before it that it depends on, so that the others may happen at the same
// time.
#pragma once

#include "Cuda.h"
#include "GpuOrder.h"
#include "gen/artefact.h"

#include <memory>

namespace gen::runtime {

// What a launch touches.
GpuAccess accessOf(const gen_device_kernel_info &kernel, const uint64_t *frame);

class GpuCapture {
public:
  // Of a stream that is about to be recorded. Null if the graph is to be the chain that the stream
  // is: the driver is older than CUDA 11.3, or the environment variable GEN_CUDA_GRAPH is "chain".
  static std::unique_ptr<GpuCapture> make(const Cuda &cuda, CUstream stream);

  // To be called before and after each work is put on the stream, however many nodes of the graph
  // it becomes. Both throw a Failure.
  void begin(const GpuAccess &access);
  void end();
  // The driver has not taken an order.
  bool isRefused() const { return refused; }

private:
  GpuCapture(const Cuda &cuda, CUstream stream) : cuda(cuda), stream(stream) {
    dependencies.reserve(1); // of none a driver gets an address, too
  }

  void check(CUresult result);

  const Cuda &cuda;
  CUstream stream;
  GpuOrder order;
  // Those at the end of each work, one after another: the works' numbers are those of `order`.
  std::vector<CUgraphNode> nodes;
  std::vector<size_t> firsts = {0};      // of each work, and of the next one
  std::vector<CUgraphNode> dependencies; // of the work at hand
  bool refused = false;
};

} // namespace gen::runtime
