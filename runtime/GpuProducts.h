// Products of a session by cuBLASLt, where `gencc --tune` has found that faster than the kernel's
// own code.
#pragma once

#include "CublasLt.h"
#include "Gpu.h"
#include "gen/artefact.h"

#include <memory>
#include <unordered_map>

namespace gen::runtime {

class GpuProducts {
public:
  GpuProducts();
  ~GpuProducts();

  struct Plan; // what the library has to know, and the algorithm that it chose

  // Null if the kernel's own code has to serve: there is no library, it has no algorithm, or memory
  // does not begin at a multiple of 16 bytes. Memory is allocated at the first product. Throws a
  // Failure.
  const Plan *find(const gen_device_product &product, const uint64_t *frame);
  // Puts a product on the stream, of which `plan` is. Throws a Failure.
  void launch(const Plan &plan, const gen_device_product &product, const uint64_t *frame,
              CUstream stream);
  // What all products write meanwhile.
  const GpuBuffer &workspaceOf() const { return workspace; }

private:
  const Plan &planOf(const gen_device_product &product);

  const CublasLt *library; // null if it is not there, or cannot work here
  CublasLt::Handle handle = nullptr;
  // Stays where it is, since recorded calls know its address.
  GpuBuffer workspace;
  std::unordered_map<const gen_device_product *, std::unique_ptr<Plan>> plans;
};

} // namespace gen::runtime
