// What a session asks of a GPU, in calls of the CUDA driver.
#include "Gpu.h"
#include "GpuCapture.h"
#include "GpuProducts.h"
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
  products.reset();
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
  constexpr int kThreadLocal = 1; // CU_STREAM_CAPTURE_MODE_: other threads may allocate meanwhile
  std::unique_ptr<GpuCapture> branches = GpuCapture::make(cuda, stream);
  cuda.check(cuda.streamBeginCapture(stream, kThreadLocal), "record a call");
  capture = branches.get();
  keepFailure(body);
  capture = nullptr;
  CUgraph graph = nullptr;
  CUresult result = cuda.streamEndCapture(stream, &graph);
  CUgraphExec executable = nullptr;
  if (!failure && !result)
    result = cuda.graphInstantiate(&executable, graph, /*flags=*/0);
  if (graph)
    cuda.graphDestroy(graph);
  throwFailure();
  cuda.check(result, "record a call");
  return std::make_unique<GpuGraph>(executable);
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

bool Gpu::multiply(const gen_device_kernel_info &kernel, const uint64_t *frame) {
  if (!kernel.product)
    return false;
  if (!products)
    products = std::make_unique<GpuProducts>();
  const GpuProducts::Plan *plan = products->find(*kernel.product, frame);
  if (!plan)
    return false;
  auto accessOfProduct = [&] {
    GpuAccess access = accessOf(kernel, frame);
    const GpuBuffer &workspace = products->workspaceOf();
    access.writes.push_back(rangeOf(workspace.data(), workspace.size()));
    return access;
  };
  put(accessOfProduct, [&] { products->launch(*plan, *kernel.product, frame, stream); });
  return true;
}

void Gpu::launch(const gen_kernel_info &kernel, int64_t blocks, const uint64_t *frame,
                 bool isWatched) noexcept {
  keepFailure([&] {
    auto &device = reinterpret_cast<const gen_device_kernel_info &>(kernel);
    if (blocks == 0)
      return;
    if (!multiply(device, frame))
      launchCode(device, blocks, frame, isWatched);
    else if (isWatched)
      cuda.check(cuda.streamSynchronize(stream),
                 format("run kernel '%s' (%s) by cuBLASLt", kernel.name, kernel.location).c_str());
  });
}

void Gpu::launchCode(const gen_device_kernel_info &kernel, int64_t blocks, const uint64_t *frame,
                     bool isWatched) {
  std::vector<uint64_t> words(frame, frame + kernel.words);
  bool isHopper = hopper && kernel.hopper && addTensors(cuda, *kernel.hopper, frame, words);
  const Kernel &code = kernelOf(kernel, isHopper);
  if (isHopper)
    blocks = kernel.hopper->blocks(frame);
  std::string what =
      format("run kernel '%s' (%s) with %lld blocks of %u threads", kernel.kernel.name,
             kernel.kernel.location, (long long)blocks, code.threads);
  if (blocks > INT32_MAX)
    fail(GEN_INVALID_ARGUMENT, "GPU: cannot %s: too many", what.c_str());
  // Markers of cuLaunchKernel: CU_LAUNCH_PARAM_BUFFER_POINTER, _SIZE, _END.
  size_t bytes = words.size() * sizeof(uint64_t);
  void *parameters[] = {reinterpret_cast<void *>(1), words.data(), reinterpret_cast<void *>(2),
                        &bytes, nullptr};
  put([&] { return accessOf(kernel, frame); },
      [&] {
        cuda.check(cuda.launchKernel(code.function, unsigned(blocks), 1, 1, code.threads, 1, 1,
                                     code.shared, stream, nullptr, parameters),
                   what.c_str());
      });
  if (isWatched)
    cuda.check(cuda.streamSynchronize(stream), what.c_str());
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
