// What a session asks of a GPU, in calls of the CUDA driver.
#include "Gpu.h"
#include "GpuCapture.h"
#include "GpuLibraries.h"
#include "GpuTensors.h"

#include <cstdlib>
#include <cstring>

namespace gen::runtime {

// What happens after a launch was asked for is known only when someone waits.
static const char *const kRun =
    "run the model's code (while a profile is recorded, the error names the kernel)";

static CUdeviceptr addressOf(const void *memory) { return reinterpret_cast<CUdeviceptr>(memory); }

GpuBuffer::~GpuBuffer() { release(); }

void GpuBuffer::release() {
  if (memory && place == Place::Device)
    Cuda::get().memFree(memory);
  else if (memory)
    Cuda::get().memFreeHost(data());
  memory = capacity = 0;
}

void GpuBuffer::reserve(size_t bytes) {
  if (bytes <= capacity && memory)
    return;
  release();
  const Cuda &cuda = Cuda::get();
  size_t room = bytes ? bytes : 1; // every tensor has an address, even one without elements
  if (place == Place::Device) {
    cuda.check(cuda.memAlloc(&memory, room), format("allocate %zu bytes", room).c_str());
  } else {
    void *address = nullptr;
    cuda.check(cuda.memHostAlloc(&address, room, /*flags=*/0),
               format("allocate %zu bytes of pinned memory", room).c_str());
    memory = addressOf(address);
  }
  capacity = room;
}

int checkDeviceName(const std::string &device) {
  const char *digits = device.c_str() + std::strlen("cuda");
  char *end = nullptr;
  long ordinal = *digits == ':' ? std::strtol(digits + 1, &end, 10) : 0;
  bool isRight = !*digits || (*digits == ':' && digits[1] && !*end && ordinal >= 0);
  if (device.rfind("cuda", 0) != 0 || !isRight || ordinal > 1024)
    fail(GEN_INVALID_ARGUMENT, "unknown device '%s'; hint: expected cpu, cuda or cuda:NUMBER",
         device.c_str());
  return int(ordinal);
}

Gpu::Gpu(const std::string &device, CUstream stream, const gen_device_artefact_info &artefact)
    : cuda(Cuda::get()), stream(stream) {
  try {
    open(device, artefact);
  } catch (...) {
    close();
    throw;
  }
}

Gpu::~Gpu() { close(); }

void Gpu::open(const std::string &device, const gen_device_artefact_info &artefact) {
  int count = 0;
  ordinal = checkDeviceName(device);
  cuda.check(cuda.deviceGetCount(&count), "count GPUs");
  if (ordinal >= count)
    fail(GEN_NOT_FOUND, "no device '%s': there are %d GPUs", device.c_str(), count);
  cuda.check(cuda.deviceGet(&number, ordinal), "find the GPU");
  cuda.check(cuda.primaryCtxRetain(&context, number), "use the GPU");
  select();
  if (!stream) {
    cuda.check(cuda.streamCreate(&stream, /*CU_STREAM_NON_BLOCKING=*/1), "create a stream");
    ownsStream = true;
  }
  constexpr int kMajor = 75, kMinor = 76; // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_
  int major = 0, minor = 0;
  cuda.check(cuda.deviceGetAttribute(&major, kMajor, number), "find the GPU's capability");
  cuda.check(cuda.deviceGetAttribute(&minor, kMinor, number), "find the GPU's capability");
  loadCode(module, *artefact.image, major, minor);
  if (!module)
    fail(GEN_NOT_FOUND,
         "no code for device '%s' of compute capability %d.%d; hint: code begins at 8.0",
         device.c_str(), major, minor);
  if (artefact.hopper_image)
    loadCode(hopper, *artefact.hopper_image, major, minor);
}

/// The best that the driver takes: machine code may be of a toolkit newer than it. Null if none is
/// for such GPUs.
void Gpu::loadCode(CUmodule &loaded, const gen_device_image &image, int major, int minor) const {
  auto capability = uint32_t(10 * major + minor);
  CUresult result = 0;
  for (uint64_t i = 0; i < image.count && !loaded; ++i) {
    const gen_device_code &code = image.codes[i];
    if (code.first > capability || code.last < capability)
      continue;
    result = cuda.moduleLoadData(&loaded, reinterpret_cast<const char *>(&image) + code.offset);
    if (result != 0)
      loaded = nullptr;
  }
  if (!loaded)
    cuda.check(result, "load the model's code");
}

void Gpu::close() {
  if (!context)
    return;
  cuda.ctxSetCurrent(context);
  if (stream)
    cuda.streamSynchronize(stream);
  constants.clear();
  exchanged.release();
  libraries.reset();
  for (CUmodule loaded : {module, hopper})
    if (loaded)
      cuda.moduleUnload(loaded);
  if (ownsStream)
    cuda.streamDestroy(stream);
  cuda.primaryCtxRelease(number);
}

void Gpu::select() { cuda.check(cuda.ctxSetCurrent(context), "use the GPU"); }

template <class AccessOf, class Body> void Gpu::put(AccessOf &&accessOf, Body &&body) {
  if (capture)
    capture->begin(accessOf());
  body();
  if (capture)
    capture->end();
}

static GpuRange rangeOf(const void *memory, size_t bytes) {
  return {addressOf(memory), addressOf(memory) + bytes};
}
static GpuAccess accessOfCopy(void *to, const void *from, size_t bytes) {
  return {{rangeOf(from, bytes)}, {rangeOf(to, bytes)}};
}

void Gpu::upload(void *to, const void *from, size_t bytes) {
  if (bytes)
    put([&] { return accessOfCopy(to, from, bytes); },
        [&] {
          cuda.check(cuda.memcpyHtoD(addressOf(to), from, bytes, stream), "copy to the GPU");
        });
}

void Gpu::download(void *to, const void *from, size_t bytes) {
  if (bytes)
    put([&] { return accessOfCopy(to, from, bytes); },
        [&] {
          cuda.check(cuda.memcpyDtoH(to, addressOf(from), bytes, stream), "copy from the GPU");
        });
}

void Gpu::throwFailure() {
  if (!failure)
    return;
  Failure first = *failure;
  failure.reset();
  throw first;
}

void Gpu::waitEvent(CUevent event) {
  cuda.check(cuda.streamWaitEvent(stream, event, /*flags=*/0), "wait for an event");
}

void Gpu::recordEvent(CUevent event) {
  cuda.check(cuda.eventRecord(event, stream), "record an event");
}

void Gpu::wait() {
  CUresult result = cuda.streamSynchronize(stream);
  throwFailure();
  cuda.check(result, kRun);
}

std::unique_ptr<GpuGraph> Gpu::record(const std::function<void()> &body) {
  std::unique_ptr<GpuCapture> branches = GpuCapture::make(cuda, stream);
  CUgraphExec executable = record(body, branches.get());
  if (branches && branches->isRefused()) { // the chain serves, too
    failure.reset();
    executable = record(body, nullptr);
  }
  throwFailure();
  return std::make_unique<GpuGraph>(executable);
}

CUgraphExec Gpu::record(const std::function<void()> &body, GpuCapture *branches) {
  constexpr int kThreadLocal = 1; // CU_STREAM_CAPTURE_MODE_: other threads may allocate meanwhile
  CUgraph graph = nullptr;
  CUgraphExec executable = nullptr;
  cuda.check(cuda.streamBeginCapture(stream, kThreadLocal), "record a call");
  capture = branches;
  keepFailure(body);
  capture = nullptr;
  CUresult result = cuda.streamEndCapture(stream, &graph);
  keepFailure([&] {
    cuda.check(result, "record a call");
    cuda.check(cuda.graphInstantiate(&executable, graph, /*flags=*/0), "record a call");
  });
  if (graph)
    cuda.graphDestroy(graph);
  return executable;
}

void Gpu::launch(const GpuGraph &graph) {
  cuda.check(cuda.graphLaunch(graph.graph, stream), "launch a recorded call");
}

void Gpu::finish() noexcept {
  keepFailure([&] { cuda.check(cuda.streamSynchronize(stream), kRun); });
}

template <class Body> void Gpu::keepFailure(Body &&body) noexcept {
  if (failure) // the first one counts, and what follows would use what it has not made
    return;
  try {
    body();
  } catch (const Failure &thrown) {
    failure = std::make_unique<Failure>(thrown);
  } catch (const std::bad_alloc &) {
    failure.reset(new (std::nothrow) Failure{GEN_OUT_OF_MEMORY, ""});
  }
}

const Gpu::Kernel &Gpu::kernelOf(const gen_device_kernel_info &info, bool isHopper) {
  const void *key = isHopper ? static_cast<const void *>(info.hopper) : &info;
  auto known = kernels.find(key);
  if (known != kernels.end())
    return known->second;
  Kernel kernel = {nullptr, info.threads, info.shared};
  if (isHopper)
    kernel = {nullptr, info.hopper->threads, info.hopper->shared};
  cuda.check(cuda.moduleGetFunction(&kernel.function, isHopper ? hopper : module, info.function),
             format("find kernel '%s'", info.kernel.name).c_str());
  constexpr int kMaxDynamicSharedBytes = 8; // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
  if (kernel.shared)
    cuda.check(
        cuda.funcSetAttribute(kernel.function, kMaxDynamicSharedBytes, int(kernel.shared)),
        format("have %u bytes of shared memory for kernel '%s'", kernel.shared, info.kernel.name)
            .c_str());
  return kernels[key] = kernel;
}

bool Gpu::launchByLibrary(const gen_device_kernel_info &kernel, const uint64_t *frame) {
  if (!kernel.product && !kernel.convolution)
    return false;
  if (!libraries)
    libraries = std::make_unique<GpuLibraries>(
        stream, [this](const gen_device_kernel_info &other, int64_t blocks, const uint64_t *words) {
          launchCode(other, blocks, words);
        });
  return libraries->launch(kernel, frame);
}

// A library may write its workspace.
GpuAccess Gpu::accessOfLaunch(const gen_device_kernel_info &kernel, const uint64_t *frame) const {
  GpuAccess access = accessOf(kernel, frame);
  if (libraries && (kernel.product || kernel.convolution))
    access.writes.push_back(rangeOf(libraries->workspaceOf(), GpuWorkspace::kBytes));
  return access;
}

int64_t Gpu::countLibraryLaunches() const { return libraries ? libraries->countLaunches() : 0; }

std::string Gpu::launchCode(const gen_device_kernel_info &device, int64_t blocks,
                            const uint64_t *frame) {
  const gen_kernel_info &kernel = device.kernel;
  std::vector<uint64_t> words(frame, frame + device.words);
  bool isHopper = hopper && device.hopper && addTensors(cuda, *device.hopper, frame, words);
  const Kernel &code = kernelOf(device, isHopper);
  if (isHopper)
    blocks = device.hopper->blocks(frame);
  std::string what = format("run kernel '%s' (%s) with %lld blocks of %u threads", kernel.name,
                            kernel.location, (long long)blocks, code.threads);
  if (blocks > INT32_MAX)
    fail(GEN_INVALID_ARGUMENT, "GPU: cannot %s: too many", what.c_str());
  // Markers of cuLaunchKernel: CU_LAUNCH_PARAM_BUFFER_POINTER, _SIZE, _END.
  size_t bytes = words.size() * sizeof(uint64_t);
  void *parameters[] = {reinterpret_cast<void *>(1), words.data(), reinterpret_cast<void *>(2),
                        &bytes, nullptr};
  cuda.check(cuda.launchKernel(code.function, unsigned(blocks), 1, 1, code.threads, 1, 1,
                               code.shared, stream, nullptr, parameters),
             what.c_str());
  return what;
}

void Gpu::launch(const gen_kernel_info &kernel, int64_t blocks, const uint64_t *frame,
                 bool isWatched) noexcept {
  keepFailure([&] {
    auto &device = reinterpret_cast<const gen_device_kernel_info &>(kernel);
    if (blocks == 0)
      return;
    std::string what;
    put([&] { return accessOfLaunch(device, frame); },
        [&] {
          what = launchByLibrary(device, frame)
                     ? format("run kernel '%s' (%s) by a library", kernel.name, kernel.location)
                     : launchCode(device, blocks, frame);
        });
    if (isWatched)
      cuda.check(cuda.streamSynchronize(stream), what.c_str());
  });
}

void Gpu::copy(void *to, const void *from, int64_t bytes) noexcept {
  keepFailure([&] {
    if (bytes)
      put([&] { return accessOfCopy(to, from, size_t(bytes)); },
          [&] {
            cuda.check(cuda.memcpyDtoD(addressOf(to), addressOf(from), size_t(bytes), stream),
                       "copy on the GPU");
          });
  });
}

void Gpu::exchange(void *one, void *other, int64_t bytes) noexcept {
  keepFailure([&] {
    if (size_t(bytes) > exchanged.size()) {
      finish(); // an exchange before may use it
      exchanged.reserve(size_t(bytes));
    }
  });
  copy(exchanged.data(), one, bytes);
  copy(one, other, bytes);
  copy(other, exchanged.data(), bytes);
}

const void *Gpu::constant(const void *data, int64_t bytes) noexcept {
  const void *address = nullptr;
  keepFailure([&] {
    GpuBuffer &buffer = constants[data];
    if (!buffer.size()) {
      buffer.reserve(size_t(bytes));
      upload(buffer.data(), data, size_t(bytes));
    }
    address = buffer.data();
  });
  return address;
}

} // namespace gen::runtime
