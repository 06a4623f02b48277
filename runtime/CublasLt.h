// cuBLASLt's interface (CUDA 11 and later), as far as the runtime uses it. It is looked for when an
// artefact has products that `gencc --tune` found faster by it; nothing else needs the library.
#pragma once

#include "Cuda.h"

namespace gen::runtime {

// As cublasLt.h has them. Matrices are column-major there.
struct CublasLt {
  using Status = int;
  struct OpaqueHandle;
  struct OpaqueProduct;
  struct OpaqueLayout;
  struct OpaquePreference;
  using Handle = OpaqueHandle *;
  using Product = OpaqueProduct *;
  using Layout = OpaqueLayout *;
  using Preference = OpaquePreference *;
  // cublasLtMatmulHeuristicResult_t
  struct Algorithm {
    uint64_t data[8];
    size_t workspace; // bytes that it needs
    Status status;
    float waves;
    int reserved[4];
  };

  Status (*create)(Handle *);
  Status (*destroy)(Handle);
  Status (*productCreate)(Product *, int computeType, int scaleType);
  Status (*productDestroy)(Product);
  Status (*productSet)(Product, int attribute, const void *value, size_t bytes);
  Status (*layoutCreate)(Layout *, int type, uint64_t rows, uint64_t columns, int64_t lead);
  Status (*layoutDestroy)(Layout);
  Status (*layoutSet)(Layout, int attribute, const void *value, size_t bytes);
  Status (*preferenceCreate)(Preference *);
  Status (*preferenceDestroy)(Preference);
  Status (*preferenceSet)(Preference, int attribute, const void *value, size_t bytes);
  Status (*findAlgorithms)(Handle, Product, Layout a, Layout b, Layout c, Layout d, Preference,
                           int most, Algorithm *, int *count);
  Status (*multiply)(Handle, Product, const void *alpha, const void *a, Layout, const void *b,
                     Layout, const void *beta, const void *c, Layout, void *d, Layout,
                     const uint64_t *algorithm, void *workspace, size_t workspaceBytes, CUstream);

  // The library of this process: libcublasLt.so of CUDA 13, 12 or 11, or the one that the
  // environment variable GEN_CUBLASLT names. Looked for once; null if there is none. Throws a
  // Failure, every time, if the one that is named cannot be used.
  static const CublasLt *get();
};

} // namespace gen::runtime
