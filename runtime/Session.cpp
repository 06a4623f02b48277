// Making sessions, their variables, and launching kernels on their threads.
#include "Session.h"

#include <algorithm>
#include <cstring>
#include <sched.h>

using namespace gen::runtime;

namespace {

// Launches with less work than this run on the caller: waking a thread costs as much.
constexpr int64_t kSmallLaunch = 1 << 15;

// Containers and schedulers give a process fewer processors than the machine has.
unsigned countProcessors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    return unsigned(std::max(1, CPU_COUNT(&set)));
  return std::max(1u, std::thread::hardware_concurrency()); // more than 1024 processors
}

unsigned chooseThreads(uint32_t wanted) {
  return wanted ? std::min(wanted, 1024u) : countProcessors();
}

// The part of a GPU that the options ask for, or null.
std::unique_ptr<GpuSession> openGpu(const gen_model &model, const char *device, void *stream) {
  if (!device || std::strcmp(device, "cpu") == 0) {
    if (model.deviceArtefact && &model.deviceArtefact->artefact == model.artefact)
      fail(GEN_INCOMPATIBLE,
           "model '%s' has code for GPUs only; hint: choose the device 'cuda', or compile it with "
           "--target=cpu,cuda",
           model.artefact->name);
    if (stream)
      fail(GEN_INVALID_ARGUMENT, "options.stream: a session on the CPU has no stream");
    return nullptr;
  }
  checkDeviceName(device);
  Cuda::get();
  if (!model.deviceArtefact)
    fail(GEN_INCOMPATIBLE,
         "model '%s' has no code for GPUs; hint: compile it with --target=cpu,cuda",
         model.artefact->name);
  return std::make_unique<GpuSession>(device, static_cast<CUstream>(stream), *model.deviceArtefact);
}

// What compiled code asks of a GPU.
void copyOnGpu(void *context, void *to, const void *from, int64_t bytes) {
  static_cast<gen_session *>(context)->gpu->gpu.copy(to, from, bytes);
}
void exchangeOnGpu(void *context, void *one, void *other, int64_t bytes) {
  static_cast<gen_session *>(context)->gpu->gpu.exchange(one, other, bytes);
}
const void *constantOnGpu(void *context, const void *data, int64_t bytes) {
  return static_cast<gen_session *>(context)->gpu->gpu.constant(data, bytes);
}

struct LaunchTask {
  const gen_kernel_info *kernel;
  const uint64_t *frame;
  bool keepDenormals;
};

} // namespace

gen_session::gen_session(gen_model *model, const gen_session_options &options)
    : model(model), threads(chooseThreads(options.threads)),
      gpu(openGpu(*model, options.device, options.stream)),
      artefact(gpu ? model->deviceArtefact->artefact : *model->artefact),
      keepDenormals(options.flags & GEN_KEEP_DENORMALS), parallelFor(options.parallel_for),
      parallelContext(options.parallel_context),
      services{GEN_ARTEFACT_VERSION, sizeof(gen_services), this, launch, nullptr, nullptr, nullptr},
      states(artefact.entry_count) {
  if (gpu) {
    services.copy = copyOnGpu;
    services.exchange = exchangeOnGpu;
    services.constant = constantOnGpu;
  }
  metadata["format"] = "pt"; // readers of PyTorch's weights ask for it
  if (options.flags & GEN_PROFILE)
    profile.start();
  for (uint32_t i = 0; i < artefact.entry_count; ++i) {
    const gen_entry_info &entry = artefact.entries[i];
    size_t shapeSize = 0;
    for (uint32_t k = 0; k < entry.result_count; ++k)
      shapeSize += entry.results[k].rank;
    states[i].dimensions.resize(entry.dimension_count);
    states[i].resultShapes.resize(shapeSize);
    states[i].results.resize(entry.result_count);
    states[i].outputs.resize(entry.result_count);
    states[i].copies.resize(entry.argument_count);
    states[i].inputParts.resize(entry.argument_count);
    states[i].outputParts.resize(entry.result_count);
    states[i].arguments.resize(entry.argument_count);
  }
  initialize(options.seed);
  model->retain();
}

gen_session::~gen_session() {
  pool.reset();
  model->release();
}

void gen_session::initialize(uint64_t seed) {
  variables.resize(artefact.variable_count);
  versions.assign(artefact.variable_count, 1);
  viewed.resize(artefact.variable_count);
  released.resize(artefact.variable_count);
  packed.resize(artefact.packed_count);
  packedVersions.resize(artefact.packed_count);
  for (uint32_t i = 0; i < artefact.variable_count; ++i) {
    const gen_variable_info &info = artefact.variables[i];
    int64_t bytes = 0;
    countBytes(info.tensor.dtype, info.tensor.shape, info.tensor.rank, &bytes);
    variables[i].reserve(bytes);
    if (info.initial)
      std::memcpy(variables[i].data(), info.initial, bytes);
    else
      std::memset(variables[i].data(), 0, bytes);
    variablePointers.push_back(variables[i].data());
    if (std::strcmp(info.tensor.name, "random.seed") == 0 && info.tensor.dtype == GEN_I64 &&
        info.tensor.rank == 0)
      std::memcpy(variables[i].data(), &seed, sizeof seed);
  }
  variablePointers.resize(artefact.variable_count + artefact.packed_count);
  for (uint32_t i = 0; i < artefact.entry_count; ++i)
    if (std::strcmp(artefact.entries[i].name, "init") == 0 &&
        artefact.entries[i].argument_count == 0)
      call("init", nullptr, 0, nullptr, 0);
}

// The only function that compiled code calls. Nothing may be thrown through it.
void gen_session::launch(void *context, const gen_kernel_info *kernel, int64_t count,
                         const uint64_t *frame, int64_t flops, int64_t bytes) {
  auto *session = static_cast<gen_session *>(context);
  if (!session->profile.isRecording())
    return session->runTasks(kernel, count, frame, flops, bytes);
  auto begin = Profile::Clock::now();
  session->runTasks(kernel, count, frame, flops, bytes);
  session->profile.addLaunch(kernel, begin, Profile::Clock::now(), count, flops, bytes);
}

void gen_session::runTasks(const gen_kernel_info *kernel, int64_t count, const uint64_t *frame,
                           int64_t flops, int64_t bytes) {
  if (gpu) {
    gpu->gpu.launch(*kernel, count, frame, /*isWatched=*/profile.isRecording());
    return;
  }
  bool serial = count <= 1 || std::max(flops, bytes) < kSmallLaunch;
  LaunchTask task = {kernel, frame, keepDenormals};
  if (!serial && parallelFor) {
    auto body = [](void *data, int64_t index) {
      auto &task = *static_cast<LaunchTask *>(data);
      FloatMode mode(task.keepDenormals); // a foreign thread has its own
      task.kernel->task(task.frame, index);
    };
    return parallelFor(parallelContext, count, body, &task);
  }
  if (!serial && threads > 1 && !pool) {
    try {
      pool = std::make_unique<ThreadPool>(threads, keepDenormals);
    } catch (const std::bad_alloc &) {
      // One thread computes the same results.
    }
  }
  if (!serial && pool) {
    auto body = [](void *data, int64_t index) {
      auto &task = *static_cast<LaunchTask *>(data);
      task.kernel->task(task.frame, index);
    };
    return pool->run(count, body, &task);
  }
  for (int64_t index = 0; index < count; ++index)
    kernel->task(frame, index);
}

SessionUse::SessionUse(gen_session *session, const char *function) : session(session) {
  requireNonNull(session, function, "session");
  if (session->busy.exchange(true, std::memory_order_acquire))
    fail(GEN_BUSY,
         "%s: the session is in use; hint: a session serves one thread at a time, make one for "
         "each thread",
         function);
}

gen_status *gen_session_create(gen_model *model, const gen_session_options *options,
                               gen_session **session) {
  return guard([&] {
    requireNonNull(session, "gen_session_create", "session");
    *session = nullptr;
    requireNonNull(model, "gen_session_create", "model");
    gen_session_options known = GEN_SESSION_OPTIONS_INIT;
    if (options) {
      // Later versions append fields; what the caller does not know keeps its default.
      if (options->size < offsetof(gen_session_options, parallel_for) || options->size > 4096)
        fail(GEN_INVALID_ARGUMENT,
             "gen_session_create: options.size is %zu; hint: start from GEN_SESSION_OPTIONS_INIT",
             options->size);
      std::memcpy(&known, options, std::min(options->size, sizeof known));
    }
    if (known.flags & ~uint32_t(GEN_KEEP_DENORMALS | GEN_PROFILE))
      fail(GEN_INVALID_ARGUMENT, "gen_session_create: unknown flags 0x%x", known.flags);
    *session = new gen_session(model, known);
  });
}

uint32_t gen_session_thread_count(const gen_session *session) {
  return session ? session->threads : 0;
}

void gen_session_close(gen_session *session) { delete session; }

gen_status *gen_session_variable(gen_session *session, const char *name, gen_tensor *view) {
  return guard([&] {
    requireNonNull(view, "gen_session_variable", "view");
    *view = {};
    requireNonNull(name, "gen_session_variable", "name");
    SessionUse use(session, "gen_session_variable");
    size_t index = session->model->findVariable(name);
    *view = session->variable(index);
    session->noteView(index);
  });
}

gen_status *gen_session_set_variable(gen_session *session, const char *name,
                                     const gen_tensor *value) {
  return guard([&] {
    requireNonNull(name, "gen_session_set_variable", "name");
    requireNonNull(value, "gen_session_set_variable", "value");
    SessionUse use(session, "gen_session_set_variable");
    size_t index = session->model->findVariable(name);
    gen_tensor target = session->place(index);
    int64_t bytes = 0;
    if (value->dtype != target.dtype || value->rank != target.rank ||
        !std::equal(target.shape, target.shape + target.rank, value->shape))
      fail(GEN_INVALID_ARGUMENT, "variable '%s': expected %s, got %s", name,
           describe(target).c_str(),
           value->rank > GEN_MAX_RANK ? format("rank %u", value->rank).c_str()
                                      : describe(*value).c_str());
    countBytes(target.dtype, target.shape, target.rank, &bytes);
    if (bytes && !value->data)
      fail(GEN_INVALID_ARGUMENT, "variable '%s': the value has no data", name);
    std::memmove(target.data, value->data, bytes);
    session->noteWrite(index);
  });
}

const char *gen_session_metadata(const gen_session *session, const char *key) {
  if (!session || !key)
    return nullptr;
  try {
    auto found = session->metadata.find(key);
    return found == session->metadata.end() ? nullptr : found->second.c_str();
  } catch (const std::bad_alloc &) {
    return nullptr;
  }
}

gen_status *gen_session_set_metadata(gen_session *session, const char *key, const char *value) {
  return guard([&] {
    requireNonNull(key, "gen_session_set_metadata", "key");
    SessionUse use(session, "gen_session_set_metadata");
    if (value)
      session->metadata[key] = value;
    else
      session->metadata.erase(key);
  });
}
