// The CUDA driver's interface, as far as the runtime uses it. It is found when a session first asks
// for a GPU: neither the toolkit nor the driver has to be there otherwise.
#pragma once

#include "Failure.h"

#include <cstddef>
#include <cstdint>

struct CUctx_st;
struct CUmod_st;
struct CUfunc_st;
struct CUstream_st;
struct CUevent_st;
struct CUgraph_st;
struct CUgraphNode_st;
struct CUgraphExec_st;

namespace gen::runtime {

// As cuda.h has them.
using CUresult = int;
using CUdevice = int;
using CUdeviceptr = unsigned long long;
using CUcontext = CUctx_st *;
using CUmodule = CUmod_st *;
using CUfunction = CUfunc_st *;
using CUstream = CUstream_st *;
using CUevent = CUevent_st *;
using CUgraph = CUgraph_st *;
using CUgraphNode = CUgraphNode_st *;
using CUgraphExec = CUgraphExec_st *;

// What a GPU has to know of a tensor to copy boxes of it (CUtensorMap).
struct alignas(64) TensorMap {
  uint64_t opaque[16];
};

struct Cuda {
  CUresult (*init)(unsigned flags);
  CUresult (*getErrorString)(CUresult, const char **);
  CUresult (*deviceGetCount)(int *);
  CUresult (*deviceGet)(CUdevice *, int ordinal);
  CUresult (*deviceGetAttribute)(int *, int attribute, CUdevice);
  CUresult (*primaryCtxRetain)(CUcontext *, CUdevice);
  CUresult (*primaryCtxRelease)(CUdevice);
  CUresult (*ctxSetCurrent)(CUcontext);
  CUresult (*moduleLoadData)(CUmodule *, const void *image);
  CUresult (*moduleUnload)(CUmodule);
  CUresult (*moduleGetFunction)(CUfunction *, CUmodule, const char *name);
  CUresult (*funcSetAttribute)(CUfunction, int attribute, int value);
  CUresult (*memAlloc)(CUdeviceptr *, size_t bytes);
  CUresult (*memFree)(CUdeviceptr);
  CUresult (*memHostAlloc)(void **, size_t bytes, unsigned flags);
  CUresult (*memFreeHost)(void *);
  CUresult (*memcpyHtoD)(CUdeviceptr, const void *, size_t bytes, CUstream);
  CUresult (*memcpyDtoH)(void *, CUdeviceptr, size_t bytes, CUstream);
  CUresult (*memcpyDtoD)(CUdeviceptr, CUdeviceptr, size_t bytes, CUstream);
  CUresult (*streamCreate)(CUstream *, unsigned flags);
  CUresult (*streamDestroy)(CUstream);
  CUresult (*streamSynchronize)(CUstream);
  CUresult (*streamWaitEvent)(CUstream, CUevent, unsigned flags);
  CUresult (*eventRecord)(CUevent, CUstream);
  CUresult (*launchKernel)(CUfunction, unsigned gridX, unsigned gridY, unsigned gridZ,
                           unsigned blockX, unsigned blockY, unsigned blockZ, unsigned sharedBytes,
                           CUstream, void **parameters, void **extra);
  CUresult (*streamBeginCapture)(CUstream, int mode);
  CUresult (*streamEndCapture)(CUstream, CUgraph *);
  CUresult (*graphInstantiate)(CUgraphExec *, CUgraph, unsigned long long flags);
  CUresult (*graphLaunch)(CUgraphExec, CUstream);
  CUresult (*graphExecDestroy)(CUgraphExec);
  CUresult (*graphDestroy)(CUgraph);
  // Of drivers of CUDA 11.3; null in older ones.
  CUresult (*streamGetCaptureInfo)(CUstream, int *status, uint64_t *id, CUgraph *,
                                   const CUgraphNode **dependencies, size_t *count);
  CUresult (*streamUpdateCaptureDependencies)(CUstream, CUgraphNode *dependencies, size_t count,
                                              unsigned flags);
  // Of drivers of CUDA 12; null in older ones.
  CUresult (*tensorMapEncodeTiled)(TensorMap *, int type, uint32_t rank, void *address,
                                   const uint64_t *sizes, const uint64_t *strides,
                                   const uint32_t *box, const uint32_t *elementStrides,
                                   int interleave, int swizzle, int promotion, int fill);

  // The driver of this process: libcuda.so.1, or the library that the environment variable
  // GEN_CUDA_DRIVER names. Found once; a Failure, every time, says why there is none.
  static const Cuda &get();

  // Throws a Failure that says what failed, in the driver's words.
  void check(CUresult result, const char *what) const;
};

} // namespace gen::runtime
