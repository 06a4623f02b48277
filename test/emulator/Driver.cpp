// A CUDA driver without a GPU: the functions that the runtime finds by name, over the emulator. A
// library of its own, loaded in place of libcuda.so.1 (GEN_CUDA_DRIVER).
//
// Nothing of a stream happens before the stream is waited for, so what does not wait sees old data.
// Device memory can be touched while a stream runs only, is never zero at first, and ends where a
// page does that cannot be touched at all.
//
// The environment chooses faults: GEN_EMULATOR_ORDER=backward runs threads from the last to the
// first; GEN_EMULATOR_DROP_BARRIER=N leaves out a barrier of each module,
// GEN_EMULATOR_LOOSEN_WAIT=N has a wait for copies wait for all but one group more, or for the
// other parity of a phase, GEN_EMULATOR_WRONG_STRIDE=N changes a matrix descriptor of wgmma; with
// GEN_EMULATOR_FAIL every kernel fails, with GEN_EMULATOR_REFUSE_ORDER a capture whose dependencies
// are changed. Those of graphs: Graph.h.
#include "Code.h"
#include "Graph.h"
#include "Stream.h"
#include "TensorMap.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <sys/mman.h>
#include <vector>

using namespace gen::runtime;
using emulator::Code;
using emulator::Kernel;

struct CUfunc_st {
  Code *code;
  const Kernel *kernel;
  unsigned mostShared; // that a launch may ask for
};
struct CUmod_st {
  std::shared_ptr<Code> code;
  std::map<std::string, CUfunc_st> functions;
};
struct CUgraphExec_st {
  std::vector<emulator::Work> works;
};
struct CUstream_st {
  std::deque<emulator::Work> work;
  std::unique_ptr<emulator::Capture> capture; // what is recorded, instead
  bool isInvalid = false;                     // the capture: something was asked that it forbids

  void add(emulator::Work item, bool isLaunch = false) {
    if (capture)
      capture->add(std::move(item), isLaunch);
    else
      work.push_back(std::move(item));
  }
  // Does its work, until `isDone`.
  CUresult drain(const bool &isDone) {
    CUresult result = 0;
    while (!result && !isDone && !work.empty()) {
      auto item = std::move(work.front());
      work.pop_front();
      result = item();
    }
    return result;
  }
};
struct CUevent_st {
  std::shared_ptr<bool> hasHappened; // null: not recorded yet
  CUstream stream;
};

namespace {

enum : CUresult {
  Success = 0,
  InvalidValue = 1,
  OutOfMemory = 2,
  InvalidImage = 200,
  IllegalState = 401,
  NotFound = 500,
  LaunchFailed = 719,
  CaptureUnsupported = 900,
  CaptureInvalidated = 901
};
constexpr size_t kPage = 4096, kAlignment = 256;
constexpr unsigned kUsualShared = 48 * 1024; // bytes of shared memory that a launch may ask for
constexpr int kMaxDynamicSharedBytes = 8;    // the attribute of a function that changes this

std::mutex mutex;
std::map<std::string, int64_t> calls; // of the driver's functions, for tests
// The stream of this thread that records, if one does: nothing may be waited for or allocated then.
thread_local CUstream capturing = nullptr;

// What a capture forbids makes it invalid.
CUresult refuseInCapture() {
  if (!capturing)
    return Success;
  capturing->isInvalid = true;
  return CaptureUnsupported;
}

void count(const char *function) {
  std::lock_guard<std::mutex> lock(mutex);
  ++calls[function];
}

std::map<CUdeviceptr, std::pair<char *, size_t>> allocations; // the mapping, without the last page

size_t roundUp(size_t bytes, size_t multiple) {
  return (bytes + multiple - 1) / multiple * multiple;
}

// Lets device memory be touched, or not.
void protect(int access) {
  for (auto &[address, mapping] : allocations)
    mprotect(mapping.first, mapping.second, access);
}

// `address` and what follows lie in one allocation.
bool isDeviceMemory(CUdeviceptr address, size_t bytes) {
  auto after = allocations.upper_bound(address);
  if (after == allocations.begin())
    return false;
  auto &[data, size] = std::prev(after)->second;
  return address + bytes <= reinterpret_cast<CUdeviceptr>(data) + size;
}

CUresult run(CUfunction function, int64_t blocks, int threads, size_t shared,
             const std::vector<uint64_t> &words) {
  const char *chosen = std::getenv("GEN_EMULATOR_ORDER");
  bool isBackward = chosen && std::strcmp(chosen, "backward") == 0;
  auto order = isBackward ? emulator::Order::Backward : emulator::Order::Forward;
  const Kernel &kernel = *function->kernel;
  if (std::getenv("GEN_EMULATOR_FAIL"))
    return LaunchFailed;
  for (int64_t block = 0; block < blocks; ++block) {
    kernel.spoilSharedMemory(shared);
    std::string error = emulator::runBlock(
        {isBackward ? blocks - 1 - block : block, threads, kernel.waits, order,
         kernel.shared.empty() ? nullptr : kernel.shared.front().data, kernel.hasProxies},
        [&] { kernel.run(words.data()); });
    if (!error.empty()) {
      std::fprintf(stderr, "emulator: kernel %s: %s\n", kernel.name.c_str(), error.c_str());
      return LaunchFailed;
    }
  }
  return Success;
}

CUresult copy(CUstream stream, char *to, const char *from, size_t bytes, CUdeviceptr device) {
  std::lock_guard<std::mutex> lock(mutex);
  if (!isDeviceMemory(device, bytes))
    return InvalidValue;
  stream->add([=] {
    if (bytes != 0) // pointers to nothing may be null
      std::memcpy(to, from, bytes);
    return CUresult(Success);
  });
  return Success;
}

// The number that an environment variable chooses, or -1.
int chosen(const char *variable) {
  const char *text = std::getenv(variable);
  return text ? std::atoi(text) : -1;
}

// Compiles an image, unless it is one of the last ones.
std::shared_ptr<Code> load(const char *bytes, size_t size, std::string &error) {
  constexpr size_t kKept = 2; // an artefact's, for two capabilities
  struct Compiled {
    std::string image;
    emulator::Faults faults;
    std::shared_ptr<Code> code;
  };
  static std::deque<Compiled> last;
  emulator::Faults faults{chosen("GEN_EMULATOR_DROP_BARRIER"), chosen("GEN_EMULATOR_LOOSEN_WAIT"),
                          chosen("GEN_EMULATOR_WRONG_STRIDE")};
  std::string image(bytes, size);
  std::lock_guard<std::mutex> lock(mutex);
  for (const Compiled &known : last)
    if (known.image == image && known.faults == faults)
      return known.code;
  std::shared_ptr<Code> code = Code::load(bytes, size, faults, error);
  last.push_back({std::move(image), faults, code});
  if (last.size() > kKept)
    last.pop_front();
  return code;
}

char *pointerTo(CUdeviceptr address) { return reinterpret_cast<char *>(address); }

} // namespace

#define EXPORTED extern "C" __attribute__((visibility("default"))) CUresult

EXPORTED cuInit(unsigned) { return Success; }
EXPORTED cuGetErrorString(CUresult result, const char **text) {
  *text = result == LaunchFailed         ? "unspecified launch failure"
          : result >= CaptureUnsupported ? "operation not permitted when stream is capturing"
          : result == InvalidImage       ? "device kernel image is invalid"
          : result == NotFound           ? "named symbol not found"
          : result == IllegalState       ? "the operation cannot be performed in the present state"
          : result == OutOfMemory        ? "out of memory"
                                         : "invalid argument";
  return Success;
}
EXPORTED cuDeviceGetCount(int *count) {
  *count = 1;
  return Success;
}
EXPORTED cuDeviceGet(CUdevice *device, int ordinal) {
  *device = ordinal;
  return ordinal == 0 ? Success : InvalidValue;
}
EXPORTED cuDeviceGetAttribute(int *value, int attribute, CUdevice) {
  constexpr int kMajor = 75, kMinor = 76; // of the compute capability
  const char *text = std::getenv("GEN_EMULATOR_CAPABILITY");
  std::string capability = text ? text : "8.0";
  if (attribute != kMajor && attribute != kMinor)
    return InvalidValue;
  *value = attribute == kMajor ? std::atoi(capability.c_str())
                               : std::atoi(capability.c_str() + capability.find('.') + 1);
  return Success;
}
EXPORTED cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice) {
  static char only;
  *context = reinterpret_cast<CUcontext>(&only);
  return Success;
}
EXPORTED cuDevicePrimaryCtxRelease_v2(CUdevice) { return Success; }
EXPORTED cuCtxSetCurrent(CUcontext) { return Success; }

// What an image is that is no LLVM bitcode.
static std::string kindOf(const char *bytes) {
  constexpr int kMachine = 49; // of the flags in an ELF header
  return std::memcmp(bytes,
                     "\x7f"
                     "ELF",
                     4) == 0
             ? "machine code for sm_" + std::to_string(static_cast<unsigned char>(bytes[kMachine]))
             : "PTX";
}

EXPORTED cuModuleLoadData(CUmodule *module, const void *image) {
  // As in an artefact: the number of bytes, with a terminator, stands before them.
  auto *bytes = static_cast<const char *>(image);
  uint64_t size = 0;
  std::memcpy(&size, bytes - sizeof size, sizeof size);
  std::string error = "it is " + kindOf(bytes) + "; hint: gencc --device-code=bitcode";
  auto loaded = std::make_unique<CUmod_st>();
  if (std::memcmp(bytes, "BC", 2) == 0)
    loaded->code = load(bytes, size - 1, error);
  if (!loaded->code) {
    std::fprintf(stderr, "emulator: cannot load the image: %s\n", error.c_str());
    return InvalidImage;
  }
  *module = loaded.release();
  return Success;
}
EXPORTED cuModuleUnload(CUmodule module) {
  delete module;
  return Success;
}
EXPORTED cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name) {
  const Kernel *kernel = module->code->find(name);
  if (!kernel)
    return NotFound;
  CUfunc_st &known = module->functions[name];
  known = {module->code.get(), kernel, kUsualShared};
  *function = &known;
  return Success;
}
EXPORTED cuFuncSetAttribute(CUfunction function, int attribute, int value) {
  if (attribute != kMaxDynamicSharedBytes || value < 0 || size_t(value) > emulator::kMostShared)
    return InvalidValue;
  function->mostShared = unsigned(value);
  return Success;
}

EXPORTED cuMemAlloc_v2(CUdeviceptr *address, size_t bytes) {
  if (CUresult refused = refuseInCapture())
    return refused;
  std::lock_guard<std::mutex> lock(mutex);
  if (bytes == 0)
    return InvalidValue;
  size_t size = roundUp(bytes, kPage);
  void *mapping = mmap(nullptr, size + kPage, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED)
    return OutOfMemory;
  auto *data = static_cast<char *>(mapping);
  std::memset(data, 0xff, size);
  mprotect(data, size + kPage, PROT_NONE);
  *address = reinterpret_cast<CUdeviceptr>(data) + size - roundUp(bytes, kAlignment);
  allocations[*address] = {data, size};
  return Success;
}
EXPORTED cuMemFree_v2(CUdeviceptr address) {
  if (CUresult refused = refuseInCapture())
    return refused;
  std::lock_guard<std::mutex> lock(mutex);
  auto found = allocations.find(address);
  if (found == allocations.end())
    return InvalidValue;
  munmap(found->second.first, found->second.second + kPage);
  allocations.erase(found);
  return Success;
}
EXPORTED cuMemHostAlloc(void **address, size_t bytes, unsigned) {
  if (CUresult refused = refuseInCapture())
    return refused;
  *address = std::aligned_alloc(kPage, roundUp(bytes, kPage));
  if (!*address)
    return OutOfMemory;
  std::memset(*address, 0xff, bytes);
  return Success;
}
EXPORTED cuMemFreeHost(void *address) {
  std::free(address);
  return Success;
}
EXPORTED cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes, CUstream stream) {
  return copy(stream, pointerTo(to), static_cast<const char *>(from), bytes, to);
}
EXPORTED cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, CUstream stream) {
  return copy(stream, static_cast<char *>(to), pointerTo(from), bytes, from);
}
EXPORTED cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
  CUresult fits = isDeviceMemory(from, bytes) ? Success : InvalidValue;
  return fits ? fits : copy(stream, pointerTo(to), pointerTo(from), bytes, to);
}

EXPORTED cuStreamCreate(CUstream *stream, unsigned) {
  *stream = new CUstream_st;
  return Success;
}
EXPORTED cuStreamDestroy_v2(CUstream stream) {
  delete stream;
  return Success;
}
EXPORTED cuStreamSynchronize(CUstream stream) {
  if (CUresult refused = refuseInCapture())
    return refused;
  std::lock_guard<std::mutex> lock(mutex);
  protect(PROT_READ | PROT_WRITE);
  CUresult result = stream->drain(/*isDone=*/false);
  protect(PROT_NONE);
  stream->work.clear();
  return result;
}
EXPORTED cuEventCreate(CUevent *event, unsigned) {
  *event = new CUevent_st{};
  return Success;
}
EXPORTED cuEventDestroy_v2(CUevent event) {
  delete event;
  return Success;
}
EXPORTED cuEventRecord(CUevent event, CUstream stream) {
  *event = {std::make_shared<bool>(false), stream};
  stream->add([happened = event->hasHappened] {
    *happened = true;
    return CUresult(Success);
  });
  return Success;
}
EXPORTED cuStreamWaitEvent(CUstream stream, CUevent event, unsigned) {
  if (event->hasHappened)
    stream->add(
        [happened = event->hasHappened, other = event->stream] { return other->drain(*happened); });
  return Success;
}
EXPORTED cuStreamBeginCapture_v2(CUstream stream, int) {
  if (CUresult refused = refuseInCapture())
    return refused;
  stream->capture = std::make_unique<emulator::Capture>();
  stream->isInvalid = false;
  capturing = stream;
  return Success;
}
EXPORTED cuStreamEndCapture(CUstream stream, CUgraph *graph) {
  if (!stream->capture || capturing != stream)
    return InvalidValue;
  capturing = nullptr;
  std::unique_ptr<CUgraph_st> recorded = stream->capture->finish();
  stream->capture.reset();
  *graph = stream->isInvalid ? nullptr : recorded.release();
  return stream->isInvalid ? CaptureInvalidated : Success;
}
EXPORTED cuStreamGetCaptureInfo_v2(CUstream stream, int *status, uint64_t *id, CUgraph *graph,
                                   const CUgraphNode **dependencies, size_t *count) {
  enum { None, Active, Invalidated }; // CU_STREAM_CAPTURE_STATUS_
  if (!status)
    return InvalidValue;
  *status = !stream->capture ? None : stream->isInvalid ? Invalidated : Active;
  if (*status != Active)
    return Success;
  if (id)
    *id = 1;
  if (graph)
    *graph = stream->capture->graphOf();
  if (dependencies)
    *dependencies = stream->capture->dependenciesOf().data();
  if (count)
    *count = stream->capture->dependenciesOf().size();
  return Success;
}
EXPORTED cuStreamUpdateCaptureDependencies(CUstream stream, CUgraphNode *dependencies, size_t count,
                                           unsigned flags) {
  enum { Add, Set }; // CU_STREAM_..._CAPTURE_DEPENDENCIES
  if (!stream->capture || std::getenv("GEN_EMULATOR_REFUSE_ORDER"))
    return IllegalState;
  if (stream->isInvalid)
    return CaptureInvalidated;
  if (flags > Set || !dependencies) // no address is refused, even where none is needed
    return InvalidValue;
  bool areKnown = stream->capture->setDependencies(dependencies, count, flags == Add);
  return areKnown ? Success : InvalidValue;
}
EXPORTED cuGraphInstantiateWithFlags(CUgraphExec *executable, CUgraph graph, unsigned long long) {
  *executable = new CUgraphExec_st{emulator::inOrder(*graph)};
  return Success;
}
EXPORTED cuGraphLaunch(CUgraphExec graph, CUstream stream) {
  count("cuGraphLaunch");
  for (const emulator::Work &work : graph->works)
    stream->add(work);
  return Success;
}
EXPORTED cuGraphExecDestroy(CUgraphExec graph) {
  delete graph;
  return Success;
}
EXPORTED cuGraphDestroy(CUgraph graph) {
  delete graph;
  return Success;
}

EXPORTED cuTensorMapEncodeTiled(TensorMap *map, int type, uint32_t rank, void *address,
                                const uint64_t *sizes, const uint64_t *strides, const uint32_t *box,
                                const uint32_t *steps, int interleave, int swizzle, int, int fill) {
  constexpr int kTwoBytes = 1, kSwizzle128 = 3;
  bool isKnown = type == kTwoBytes && rank == 3 && steps[0] == 1 && steps[1] == 1 &&
                 steps[2] == 1 && interleave == 0 && swizzle == kSwizzle128 && fill == 0;
  bool fits =
      isKnown && emulator::encode(*map, reinterpret_cast<uint64_t>(address), sizes, strides, box);
  return fits ? Success : InvalidValue;
}

void emulator::addWork(CUstream stream, const char *name, std::function<void()> work) {
  count(name);
  stream->add(
      [work = std::move(work)] {
        work();
        return CUresult(Success);
      },
      /*isLaunch=*/true);
}

// For tests: how often a function of the driver was called.
extern "C" __attribute__((visibility("default"))) int64_t emulatorCalls(const char *function) {
  std::lock_guard<std::mutex> lock(mutex);
  return calls[function];
}

EXPORTED cuLaunchKernel(CUfunction function, unsigned gridX, unsigned, unsigned, unsigned blockX,
                        unsigned, unsigned, unsigned sharedBytes, CUstream stream, void **,
                        void **extra) {
  // Parameters as one buffer: CU_LAUNCH_PARAM_BUFFER_POINTER, the buffer, ..._SIZE, its bytes, end.
  auto *bytes = static_cast<const char *>(extra[1]);
  std::vector<uint64_t> words(function->kernel->words);
  if (gridX == 0 || sharedBytes > function->mostShared ||
      *static_cast<size_t *>(extra[3]) != words.size() * sizeof(uint64_t))
    return InvalidValue;
  std::memcpy(words.data(), bytes, words.size() * sizeof(uint64_t));
  count("cuLaunchKernel");
  stream->add([=, words = std::move(
                      words)] { return run(function, gridX, int(blockX), sharedBytes, words); },
              /*isLaunch=*/true);
  return Success;
}
