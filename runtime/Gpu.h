// A GPU: memory there, the code of a model, and a stream of what is to be done.
#pragma once

#include "Cuda.h"

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

namespace gen::runtime {

class GpuCapture;
class GpuLibraries;
struct GpuAccess;

// Memory of a GPU, or of the host where a GPU reads and writes at full speed (pinned); it only
// grows.
class GpuBuffer {
public:
  enum class Place : char { Device, Pinned };
  explicit GpuBuffer(Place place = Place::Device) : place(place) {}
  GpuBuffer(GpuBuffer &&other) noexcept
      : place(other.place), memory(other.memory), capacity(other.capacity) {
    other.memory = other.capacity = 0;
  }
  GpuBuffer &operator=(GpuBuffer &&) = delete;
  ~GpuBuffer();

  // Makes room for `bytes`; the contents are lost if it has to grow. Nothing may use it then.
  void reserve(size_t bytes);
  void release();
  void *data() const { return reinterpret_cast<void *>(memory); }
  size_t size() const { return capacity; }

private:
  Place place;
  CUdeviceptr memory = 0;
  size_t capacity = 0;
};

// Work of a stream, recorded, to be done again as often as one likes.
class GpuGraph {
public:
  explicit GpuGraph(CUgraphExec graph) : graph(graph) {}
  GpuGraph(const GpuGraph &) = delete;
  GpuGraph &operator=(const GpuGraph &) = delete;
  ~GpuGraph() { Cuda::get().graphExecDestroy(graph); }

private:
  friend class Gpu;
  CUgraphExec graph;
};

// Throws a Failure unless `device` is "cuda" or "cuda:NUMBER"; returns the number.
int checkDeviceName(const std::string &device);

// A GPU with the code of an artefact, and a stream, on which all happens as if in order. Not
// movable: compiled code knows its address.
class Gpu {
public:
  // `device` is "cuda", the first GPU, or "cuda:N"; `stream` the caller's, or null for one of its
  // own. Throws a Failure if there is no such GPU, or no driver.
  Gpu(const std::string &device, CUstream stream, const gen_device_artefact_info &artefact);
  ~Gpu();
  Gpu(const Gpu &) = delete;
  Gpu &operator=(const Gpu &) = delete;

  // To be called first on every thread: what follows is about this GPU.
  void select();
  void upload(void *to, const void *from, size_t bytes);
  void download(void *to, const void *from, size_t bytes);
  // What `body` puts on the stream, which is not done yet: works that touch the same memory in
  // their order, others in any (GpuCapture.h). The body may not wait, nor allocate memory. Throws
  // its first failure.
  std::unique_ptr<GpuGraph> record(const std::function<void()> &body);
  void launch(const GpuGraph &graph);
  // Waits until all is done. Throws the first failure there was.
  void wait();

  // A failure is kept that wait() would throw.
  bool hasFailed() const { return failure != nullptr; }
  // Throws it.
  void throwFailure();
  // What follows happens after `event`; the event is when all before has happened.
  void waitEvent(CUevent event);
  void recordEvent(CUevent event);
  CUstream streamOf() const { return stream; }
  int32_t ordinalOf() const { return ordinal; }
  // As wait(), but a failure is kept.
  void finish() noexcept;

  // What compiled code asks for. Failures are kept until wait(). A launch that is watched is waited
  // for; its failure names the kernel.
  void launch(const gen_kernel_info &kernel, int64_t blocks, const uint64_t *frame,
              bool isWatched) noexcept;
  // How many launches were left to libraries.
  int64_t countLibraryLaunches() const;
  void copy(void *to, const void *from, int64_t bytes) noexcept;
  void exchange(void *one, void *other, int64_t bytes) noexcept;
  const void *constant(const void *data, int64_t bytes) noexcept;
  // Where exchange() holds values meanwhile; it may move when there is more to exchange.
  const void *exchangeBuffer() const { return exchanged.data(); }

private:
  // A kernel's code for this GPU, and what its launch asks for.
  struct Kernel {
    CUfunction function;
    uint32_t threads, shared;
  };
  void loadCode(CUmodule &loaded, const gen_device_image &image, int major, int minor) const;
  const Kernel &kernelOf(const gen_device_kernel_info &info, bool isHopper);
  // Has `body` put a work on the stream; while a call is recorded, after those that it depends on,
  // by what `accessOf` returns.
  template <class AccessOf, class Body> void put(AccessOf &&accessOf, Body &&body);
  // What `body` puts on the stream, in the order that `branches` finds, or the stream's if that is
  // null. Keeps a failure.
  CUgraphExec record(const std::function<void()> &body, GpuCapture *branches);
  GpuAccess accessOfLaunch(const gen_device_kernel_info &kernel, const uint64_t *frame) const;
  // False if the kernel's own code has to serve.
  bool launchByLibrary(const gen_device_kernel_info &kernel, const uint64_t *frame);
  // Launches that; returns what it does.
  std::string launchCode(const gen_device_kernel_info &kernel, int64_t blocks,
                         const uint64_t *frame);
  void open(const std::string &device, const gen_device_artefact_info &artefact);
  void close();
  template <class Body> void keepFailure(Body &&body) noexcept;

  const Cuda &cuda;
  int32_t ordinal = 0;
  CUdevice number = 0;
  CUcontext context = nullptr;
  CUmodule module = nullptr, hopper = nullptr; // of compute capability 9.0, if it is this GPU's
  CUstream stream = nullptr;
  bool ownsStream = false;
  std::unique_ptr<Failure> failure;                 // the first one since the last wait
  std::unordered_map<const void *, Kernel> kernels; // by what the artefact says of their code
  std::unordered_map<const void *, GpuBuffer> constants;
  GpuBuffer exchanged;
  std::unique_ptr<GpuLibraries> libraries; // null until one is asked
  GpuCapture *capture = nullptr;           // of the call that is being recorded, if it is no chain
};

} // namespace gen::runtime
