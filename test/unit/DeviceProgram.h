//===- DeviceProgram.h - a program around a session of a GPU ----*- C++ -*-===//
//
// What tests of an emulated GPU do without the runtime.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_TEST_UNIT_DEVICEPROGRAM_H
#define GEN_TEST_UNIT_DEVICEPROGRAM_H

#include "gen/dlpack.h"
#include "gen/runtime.hpp"
#include "runtime/Cuda.h"
#include <dlfcn.h>
#include <gtest/gtest.h>

namespace optable {

using gen::runtime::CUdeviceptr;
using gen::runtime::CUevent;
using gen::runtime::CUresult;
using gen::runtime::CUstream;

/// What a program has beside the session: the driver, a stream, memory, an event.
class DeviceProgram {
public:
  explicit DeviceProgram(size_t count = 2) : bytes(count * sizeof(float)) {
    library = dlopen(GEN_CUDA_EMULATOR, RTLD_NOW);
    function<CUresult (*)(CUstream *, unsigned)>("cuStreamCreate")(&stream, 1);
    function<CUresult (*)(CUdeviceptr *, size_t)>("cuMemAlloc_v2")(&memory, bytes);
    function<CUresult (*)(CUevent *, unsigned)>("cuEventCreate")(&event, 0);
  }
  ~DeviceProgram() {
    function<CUresult (*)(CUevent)>("cuEventDestroy_v2")(event);
    function<CUresult (*)(CUdeviceptr)>("cuMemFree_v2")(memory);
    function<CUresult (*)(CUstream)>("cuStreamDestroy_v2")(stream);
    dlclose(library);
  }

  /// Writes all elements of the memory, later.
  void write(const float *elements) const {
    function<CUresult (*)(CUdeviceptr, const void *, size_t, CUstream)>("cuMemcpyHtoDAsync_v2")(
        memory, elements, bytes, stream);
  }
  void record() const { function<CUresult (*)(CUevent, CUstream)>("cuEventRecord")(event, stream); }
  void wait() const {
    function<CUresult (*)(CUstream, CUevent, unsigned)>("cuStreamWaitEvent")(stream, event, 0);
  }
  /// The elements of a view of the GPU's memory, when the stream has come so far.
  std::vector<float> read(const gen::View &view) const {
    std::vector<float> elements(view.size());
    function<CUresult (*)(void *, CUdeviceptr, size_t, CUstream)>("cuMemcpyDtoHAsync_v2")(
        elements.data(), reinterpret_cast<CUdeviceptr>(view.raw()), view.bytes(), stream);
    EXPECT_EQ(function<CUresult (*)(CUstream)>("cuStreamSynchronize")(stream), 0);
    return elements;
  }
  /// The memory's first elements for a session.
  gen::View view(const gen::Session &session, DLDevice device = {kDLCUDA, 0}) const {
    int64_t shape[] = {2};
    DLManagedTensor managed = {};
    managed.dl_tensor = {
        reinterpret_cast<void *>(memory), device, 1, {kDLFloat, 32, 1}, shape, nullptr, 0};
    return gen::viewFromDLPack(session, managed);
  }

  CUstream stream = nullptr;
  CUevent event = nullptr;

private:
  template <class Function> Function function(const char *name) const {
    return reinterpret_cast<Function>(dlsym(library, name));
  }
  const size_t bytes;
  void *library;
  CUdeviceptr memory = 0;
};

} // namespace optable

#endif // GEN_TEST_UNIT_DEVICEPROGRAM_H
