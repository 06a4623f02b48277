// Products of a session by cuBLASLt, where `gencc --tune` has found that faster than the kernel's
// own code.
#pragma once

#include "CublasLt.h"
#include "GpuWorkspace.h"
#include "gen/artefact.h"

#include <memory>
#include <unordered_map>

namespace gen::runtime {

class GpuProducts {
public:
  GpuProducts(GpuWorkspace &workspace, CUstream stream);
  ~GpuProducts();

  // Puts a product on the stream. False if the kernel's own code has to serve: there is no library,
  // it has no algorithm, or memory is not aligned. Memory is allocated at the first product. Throws
  // a Failure.
  bool launch(const gen_device_product &product, const uint64_t *frame);

private:
  struct Plan; // what the library has to know, and the algorithm that it chose
  const Plan &planOf(const gen_device_product &product);

  const CublasLt *library; // null if it is not there, or cannot work here
  CublasLt::Handle handle = nullptr;
  GpuWorkspace &workspace;
  CUstream stream;
  std::unordered_map<const gen_device_product *, std::unique_ptr<Plan>> plans;
};

} // namespace gen::runtime
