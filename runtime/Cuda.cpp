// Finding the CUDA driver.
#include "Cuda.h"

#include <cstdlib>
#include <dlfcn.h>

namespace gen::runtime {
namespace {

struct Driver {
  Cuda cuda = {};
  std::string missing; // why there is none
};

template <class Function>
void find(void *library, const char *name, Function &function, Driver &driver) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (!function && driver.missing.empty())
    driver.missing = std::string("the driver has no ") + name;
}

// Names with the version of the function that Cuda declares.
void findAll(void *library, Driver &driver) {
  Cuda &cuda = driver.cuda;
  find(library, "cuInit", cuda.init, driver);
  find(library, "cuGetErrorString", cuda.getErrorString, driver);
  find(library, "cuDeviceGetCount", cuda.deviceGetCount, driver);
  find(library, "cuDeviceGet", cuda.deviceGet, driver);
  find(library, "cuDeviceGetAttribute", cuda.deviceGetAttribute, driver);
  find(library, "cuDevicePrimaryCtxRetain", cuda.primaryCtxRetain, driver);
  find(library, "cuDevicePrimaryCtxRelease_v2", cuda.primaryCtxRelease, driver);
  find(library, "cuCtxSetCurrent", cuda.ctxSetCurrent, driver);
  find(library, "cuModuleLoadData", cuda.moduleLoadData, driver);
  find(library, "cuModuleUnload", cuda.moduleUnload, driver);
  find(library, "cuModuleGetFunction", cuda.moduleGetFunction, driver);
  find(library, "cuFuncSetAttribute", cuda.funcSetAttribute, driver);
  find(library, "cuMemAlloc_v2", cuda.memAlloc, driver);
  find(library, "cuMemFree_v2", cuda.memFree, driver);
  find(library, "cuMemHostAlloc", cuda.memHostAlloc, driver);
  find(library, "cuMemFreeHost", cuda.memFreeHost, driver);
  find(library, "cuMemcpyHtoDAsync_v2", cuda.memcpyHtoD, driver);
  find(library, "cuMemcpyDtoHAsync_v2", cuda.memcpyDtoH, driver);
  find(library, "cuMemcpyDtoDAsync_v2", cuda.memcpyDtoD, driver);
  find(library, "cuStreamCreate", cuda.streamCreate, driver);
  find(library, "cuStreamDestroy_v2", cuda.streamDestroy, driver);
  find(library, "cuStreamSynchronize", cuda.streamSynchronize, driver);
  find(library, "cuStreamWaitEvent", cuda.streamWaitEvent, driver);
  find(library, "cuEventRecord", cuda.eventRecord, driver);
  find(library, "cuLaunchKernel", cuda.launchKernel, driver);
  find(library, "cuStreamBeginCapture_v2", cuda.streamBeginCapture, driver);
  find(library, "cuStreamEndCapture", cuda.streamEndCapture, driver);
  find(library, "cuGraphInstantiateWithFlags", cuda.graphInstantiate, driver);
  find(library, "cuGraphLaunch", cuda.graphLaunch, driver);
  find(library, "cuGraphExecDestroy", cuda.graphExecDestroy, driver);
  find(library, "cuGraphDestroy", cuda.graphDestroy, driver);
  Driver mayLack;
  find(library, "cuStreamGetCaptureInfo_v2", cuda.streamGetCaptureInfo, mayLack);
  find(library, "cuStreamUpdateCaptureDependencies", cuda.streamUpdateCaptureDependencies, mayLack);
  find(library, "cuTensorMapEncodeTiled", cuda.tensorMapEncodeTiled, mayLack);
}

Driver load() {
  Driver driver;
  const char *chosen = std::getenv("GEN_CUDA_DRIVER");
  void *library = dlopen(chosen && *chosen ? chosen : "libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *reason = dlerror();
    driver.missing = reason ? reason : "it cannot be loaded";
    return driver;
  }
  findAll(library, driver);
  if (driver.missing.empty())
    if (CUresult result = driver.cuda.init(0)) {
      const char *text = nullptr;
      driver.cuda.getErrorString(result, &text);
      driver.missing = text ? text : "error " + std::to_string(result);
    }
  return driver;
}

} // namespace

const Cuda &Cuda::get() {
  static const Driver driver = load();
  if (!driver.missing.empty())
    fail(GEN_NOT_FOUND, "no NVIDIA driver: %s; hint: without a GPU, use the device 'cpu'",
         driver.missing.c_str());
  return driver.cuda;
}

void Cuda::check(CUresult result, const char *what) const {
  if (!result)
    return;
  constexpr CUresult kOutOfMemory = 2;
  const char *text = nullptr;
  getErrorString(result, &text);
  fail(result == kOutOfMemory ? GEN_OUT_OF_MEMORY : GEN_INTERNAL,
       "GPU: cannot %s: %s (CUDA error %d)", what, text ? text : "unknown error", result);
}

} // namespace gen::runtime
