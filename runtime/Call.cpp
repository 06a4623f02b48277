// Calling an entry: arguments are checked against the signature, dimension symbols bound, sizes
// planned, memory placed, and the code run. The messages of all that can be wrong with a call are
// here.
#include "Session.h"

#include <algorithm>
#include <cstring>

using namespace gen::runtime;

namespace {

// "sample: input 'x': expected f32[batch, 784], got ...".
[[noreturn]] void rejectInput(const gen_entry_info &entry, const gen_tensor_info &input,
                              const std::string &got, const std::string &hint) {
  fail(GEN_INVALID_ARGUMENT, "%s: input '%s': expected %s, got %s%s%s", entry.name, input.name,
       describe(input, entry.dimensions).c_str(), got.c_str(),
       hint.empty() ? "" : "; hint: ", hint.c_str());
}

// If the data would fit with another shape, says which: "reshape it to [64, 784]".
std::string reshapeHint(const gen_tensor_info &input, const gen_tensor &got) {
  int64_t count, fixed = 1;
  int free = -1, freeAxes = 0;
  if (!countElements(got.shape, got.rank, &count))
    return "";
  for (uint32_t axis = 0; axis < input.rank; ++axis) {
    if (input.shape[axis] < 0) {
      free = int(axis);
      ++freeAxes;
    } else if (__builtin_mul_overflow(fixed, input.shape[axis], &fixed)) {
      return "";
    }
  }
  if (freeAxes > 1 || fixed == 0 || count % fixed != 0 || (freeAxes == 0 && count != fixed))
    return "";
  gen_tensor wanted = makeTensor(nullptr, input);
  if (free >= 0)
    wanted.shape[free] = count / fixed;
  std::string text = describe(wanted);
  return "reshape it to " + text.substr(text.find('['));
}

void checkInput(const gen_entry_info &entry, const gen_tensor_info &input, const gen_tensor &got) {
  if (!gen_dtype_size(got.dtype))
    rejectInput(entry, input, "unknown dtype " + std::to_string(got.dtype), "");
  if (got.rank > GEN_MAX_RANK)
    rejectInput(entry, input, "rank " + std::to_string(got.rank), "");
  if (got.dtype != input.dtype)
    rejectInput(entry, input, describe(got),
                std::string("convert the values to ") + gen_dtype_name(input.dtype));
  if (got.rank != input.rank)
    rejectInput(entry, input, describe(got), reshapeHint(input, got));
  int64_t bytes;
  if (!countBytes(got.dtype, got.shape, got.rank, &bytes))
    rejectInput(entry, input, describe(got), "sizes must not be negative or overflow");
  if (bytes && !got.data)
    rejectInput(entry, input, describe(got) + " without data", "");
  if (reinterpret_cast<uintptr_t>(got.data) + uintptr_t(bytes) < uintptr_t(bytes))
    rejectInput(entry, input, describe(got) + " beyond the address space", "");
}

// Names of the inputs, for a wrong count: "x, labels".
std::string listInputs(const gen_entry_info &entry) {
  std::string text;
  for (uint32_t i = 0; i < entry.argument_count; ++i)
    text += (i ? ", " : "") + std::string(entry.arguments[i].name) + " " +
            describe(entry.arguments[i], entry.dimensions);
  return text;
}

bool overlaps(const void *a, int64_t aBytes, const void *b, int64_t bBytes) {
  auto aBegin = reinterpret_cast<uintptr_t>(a), bBegin = reinterpret_cast<uintptr_t>(b);
  return aBytes && bBytes && aBegin < bBegin + bBytes && bBegin < aBegin + aBytes;
}

int64_t bytesOf(const gen_tensor &tensor) {
  int64_t bytes = 0;
  countBytes(tensor.dtype, tensor.shape, tensor.rank, &bytes);
  return bytes;
}

bool isAligned(const void *data, size_t alignment) {
  return reinterpret_cast<uintptr_t>(data) % alignment == 0;
}

// Compiled code gets a valid address for every tensor, even for one without elements.
alignas(kAlignment) char noElements[kAlignment];

} // namespace

void gen_session::bind(const gen_entry_info &entry, EntryState &state, const gen_tensor *arguments,
                       size_t argumentCount) {
  if (argumentCount != entry.argument_count) {
    std::string inputs = listInputs(entry);
    fail(GEN_INVALID_ARGUMENT, "%s: expected %u inputs, got %zu%s%s", entry.name,
         entry.argument_count, argumentCount, inputs.empty() ? "" : "; hint: its inputs are ",
         inputs.c_str());
  }
  if (argumentCount)
    requireNonNull(arguments, entry.name, "arguments");
  std::fill(state.dimensions.begin(), state.dimensions.end(), -1);
  for (uint32_t i = 0; i < entry.argument_count; ++i) {
    const gen_tensor_info &input = entry.arguments[i];
    const gen_tensor &got = arguments[i];
    checkInput(entry, input, got);
    for (uint32_t axis = 0; axis < input.rank; ++axis) {
      int64_t size = input.shape[axis];
      if (size >= 0) {
        if (got.shape[axis] != size)
          rejectInput(entry, input, describe(got), reshapeHint(input, got));
        continue;
      }
      int64_t &value = state.dimensions[-(size + 1)];
      if (value >= 0 && value != got.shape[axis])
        rejectInput(entry, input, describe(got),
                    format("'%s' is %lld in another dimension of the inputs",
                           entry.dimensions[-(size + 1)], (long long)value));
      value = got.shape[axis];
    }
  }
}

int64_t gen_session::plan(const gen_entry_info &entry, EntryState &state,
                          const gen_tensor *arguments, size_t argumentCount) {
  bind(entry, state, arguments, argumentCount);
  int64_t arenaBytes = entry.plan(state.dimensions.data(), state.resultShapes.data());
  bool fits = arenaBytes >= 0;
  for (uint32_t i = 0; fits && i < entry.result_count; ++i) {
    gen_tensor tensor = result(entry, i);
    int64_t bytes;
    fits = countBytes(tensor.dtype, tensor.shape, tensor.rank, &bytes);
  }
  if (!fits) {
    std::string sizes;
    for (uint32_t i = 0; i < entry.dimension_count; ++i)
      sizes +=
          format("%s%s = %lld", i ? ", " : "", entry.dimensions[i], (long long)state.dimensions[i]);
    fail(GEN_INVALID_ARGUMENT, "%s: sizes of the call are too large (%s)", entry.name,
         sizes.c_str());
  }
  return arenaBytes;
}

gen_tensor gen_session::result(const gen_entry_info &entry, size_t index) {
  EntryState &state = stateOf(entry);
  const int64_t *shape = state.resultShapes.data();
  for (size_t i = 0; i < index; ++i)
    shape += entry.results[i].rank;
  gen_tensor tensor = {
      state.results[index].data(), entry.results[index].dtype, entry.results[index].rank, {}};
  std::copy_n(shape, tensor.rank, tensor.shape);
  return tensor;
}

int64_t gen_session::resultBytes(const gen_entry_info &entry, size_t index) {
  return bytesOf(result(entry, index));
}

void gen_session::checkOutputs(const gen_entry_info &entry, const gen_tensor *outputs,
                               size_t outputCount) {
  if (outputCount != entry.result_count)
    fail(GEN_INVALID_ARGUMENT, "%s: expected %u results, got %zu", entry.name, entry.result_count,
         outputCount);
  for (size_t i = 0; i < outputCount; ++i) {
    gen_tensor wanted = result(entry, i);
    const gen_tensor &got = outputs[i];
    bool fits = got.dtype == wanted.dtype && got.rank == wanted.rank &&
                std::equal(wanted.shape, wanted.shape + wanted.rank, got.shape);
    if (!fits || (bytesOf(wanted) && !got.data))
      fail(GEN_INVALID_ARGUMENT, "%s: result '%s': expected a buffer of %s, got %s%s", entry.name,
           entry.results[i].name, describe(wanted).c_str(),
           got.rank > GEN_MAX_RANK ? format("rank %u", got.rank).c_str() : describe(got).c_str(),
           fits ? " without data" : "");
    for (size_t k = 0; k < i; ++k)
      if (overlaps(got.data, bytesOf(wanted), outputs[k].data, resultBytes(entry, k)))
        fail(GEN_INVALID_ARGUMENT, "%s: the buffers of results '%s' and '%s' overlap", entry.name,
             entry.results[k].name, entry.results[i].name);
    for (size_t k = 0; k < variables.size(); ++k)
      if (overlaps(got.data, bytesOf(wanted), variables[k].data(), variables[k].size()))
        fail(GEN_INVALID_ARGUMENT, "%s: the buffer of result '%s' overlaps variable '%s'",
             entry.name, entry.results[i].name, artefact.variables[k].tensor.name);
  }
}

// Chooses where each result is computed: in the caller's buffer if that may be, else in the
// session's.
void gen_session::placeResults(const gen_entry_info &entry, EntryState &state,
                               const gen_tensor *arguments, const gen_tensor *outputs) {
  for (uint32_t i = 0; i < entry.result_count; ++i) {
    int64_t bytes = resultBytes(entry, i);
    bool direct = outputs && bytes && isAligned(outputs[i].data, kAlignment);
    for (uint32_t k = 0; direct && k < entry.argument_count; ++k)
      direct = !overlaps(outputs[i].data, bytes, arguments[k].data, bytesOf(arguments[k]));
    if (direct) {
      state.outputs[i] = outputs[i].data;
      continue;
    }
    // Before the memory moves: an argument may be this very result of the last call.
    for (uint32_t k = 0; k < entry.argument_count; ++k)
      if (size_t(bytes) > state.results[i].size() &&
          overlaps(state.results[i].data(), state.results[i].size(), arguments[k].data,
                   bytesOf(arguments[k]))) {
        state.copies[k].reserve(bytesOf(arguments[k]));
        std::memcpy(state.copies[k].data(), arguments[k].data, bytesOf(arguments[k]));
        state.arguments[k] = state.copies[k].data();
      }
    state.results[i].reserve(bytes);
    state.outputs[i] = state.results[i].data();
  }
}

bool gen_session::overlapsWritten(const gen_entry_info &entry, EntryState &state, const void *data,
                                  int64_t bytes) {
  for (uint32_t i = 0; i < entry.result_count; ++i)
    if (overlaps(data, bytes, state.outputs[i], resultBytes(entry, i)))
      return true;
  for (Buffer &variable : variables)
    if (overlaps(data, bytes, variable.data(), variable.size()))
      return true;
  return false;
}

// An argument that overlaps what the call writes (a result fed back, a variable), or whose elements
// are not aligned, is copied first.
void gen_session::placeArguments(const gen_entry_info &entry, EntryState &state,
                                 const gen_tensor *arguments) {
  for (uint32_t i = 0; i < entry.argument_count; ++i) {
    int64_t bytes = bytesOf(arguments[i]);
    if (state.arguments[i]) // copied already
      continue;
    state.arguments[i] = bytes ? arguments[i].data : noElements;
    if (bytes && isAligned(arguments[i].data, gen_dtype_size(arguments[i].dtype)) &&
        !overlapsWritten(entry, state, arguments[i].data, bytes))
      continue;
    if (!bytes)
      continue;
    state.copies[i].reserve(bytes);
    std::memcpy(state.copies[i].data(), arguments[i].data, bytes);
    state.arguments[i] = state.copies[i].data();
  }
}

// Makes the packed copies that an entry reads, where the variable has changed since the last time.
void gen_session::refreshPacked(const gen_entry_info &entry) {
  for (uint32_t i = 0; i < entry.packed_count; ++i) {
    uint32_t number = entry.packed[i];
    const gen_packed_info &info = artefact.packed[number];
    if (packedVersions[number] != versions[info.variable] || viewed[info.variable]) {
      const void *from = variables[info.variable].data();
      void *to = packed[number].data();
      info.pack(&services, arena.data(), variablePointers.data(), &from, &to, nullptr);
      packedVersions[number] = versions[info.variable];
    }
    if (info.unpack && !viewed[info.variable] && !released[info.variable]) {
      variables[info.variable].release();
      released[info.variable] = &info;
    }
  }
}

// Makes a variable whose memory was given back from its packed copy.
void gen_session::restore(size_t variable) {
  if (gpu)
    return gpu->fetch(uint32_t(variable), variables[variable]);
  const gen_packed_info *info = released[variable];
  if (!info)
    return;
  arena.reserve(info->arena_bytes);
  const void *from = packed[info - artefact.packed].data();
  void *to = variables[variable].data();
  info->unpack(&services, arena.data(), variablePointers.data(), &from, &to, nullptr);
  released[variable] = nullptr;
}

void gen_session::runOnCpu(const gen_entry_info &entry, EntryState &state, int64_t arenaBytes) {
  for (uint32_t i = 0; i < entry.packed_count; ++i)
    arenaBytes = std::max(arenaBytes, artefact.packed[entry.packed[i]].arena_bytes);
  arena.reserve(arenaBytes);
  for (uint32_t i = 0; i < entry.packed_count; ++i) {
    uint32_t number = entry.packed[i];
    packed[number].reserve(artefact.packed[number].bytes);
    variablePointers[artefact.variable_count + number] = packed[number].data();
  }
  {
    FloatMode mode(keepDenormals);
    refreshPacked(entry);
    entry.run(&services, arena.data(), variablePointers.data(), state.arguments.data(),
              state.outputs.data(), state.dimensions.data());
  }
  for (uint32_t i = 0; i < entry.written_count; ++i)
    noteWrite(entry.written[i]);
  takeWrittenCopies(entry);
}

// Where an entry has written a variable's copy, the variable is restored when someone looks at it:
// at once, if someone may.
void gen_session::takeWrittenCopies(const gen_entry_info &entry) {
  for (uint32_t i = 0; i < entry.packed_count; ++i) {
    const gen_packed_info &info = artefact.packed[entry.packed[i]];
    uint64_t &version = packedVersions[entry.packed[i]];
    if (!info.unpack || version == versions[info.variable])
      continue;
    version = versions[info.variable];
    released[info.variable] = &info;
    if (viewed[info.variable])
      restore(info.variable);
  }
}

GpuSession::Call gen_session::gpuCallOf(const gen_entry_info &entry, const EntryState &state,
                                        int64_t arenaBytes) const {
  return {uint32_t(&entry - artefact.entries),
          services,
          size_t(arenaBytes),
          variables,
          viewed,
          state.dimensions,
          profile.isRecording()};
}

// The caller may look at any time at what has a view.
void gen_session::restoreViewed(const gen_entry_info &entry) {
  for (uint32_t i = 0; i < entry.written_count; ++i)
    if (viewed[entry.written[i]])
      restore(entry.written[i]);
}

void gen_session::runOnGpu(const gen_entry_info &entry, EntryState &state, int64_t arenaBytes,
                           const gen_tensor *arguments) {
  for (uint32_t i = 0; i < entry.argument_count; ++i)
    state.inputParts[i] = {const_cast<void *>(state.arguments[i]), size_t(bytesOf(arguments[i]))};
  for (uint32_t i = 0; i < entry.result_count; ++i)
    state.outputParts[i] = {state.outputs[i], size_t(resultBytes(entry, i))};
  gpu->run(gpuCallOf(entry, state, arenaBytes), state.inputParts, state.outputParts);
  restoreViewed(entry);
}

void gen_session::callOnDevice(const gen_entry_info &entry, const gen_tensor *arguments,
                               size_t argumentCount, gen_tensor *results) {
  EntryState &state = stateOf(entry);
  if (!gpu) {
    call(entry.name, arguments, argumentCount, nullptr, 0);
  } else {
    int64_t arenaBytes = plan(entry, state, arguments, argumentCount);
    for (uint32_t i = 0; i < entry.argument_count; ++i)
      state.inputParts[i] = {arguments[i].data, size_t(bytesOf(arguments[i]))};
    for (uint32_t i = 0; i < entry.result_count; ++i)
      state.outputParts[i] = {nullptr, size_t(resultBytes(entry, i))};
    gpu->runThere(gpuCallOf(entry, state, arenaBytes), state.inputParts, state.outputParts);
    restoreViewed(entry);
  }
  for (uint32_t i = 0; i < entry.result_count; ++i) {
    results[i] = result(entry, i);
    if (gpu)
      results[i].data = state.outputParts[i].data;
  }
}

void gen_session::call(const char *name, const gen_tensor *arguments, size_t argumentCount,
                       const gen_tensor *outputs, size_t outputCount) {
  const gen_entry_info &entry = findEntry(name);
  EntryState &state = stateOf(entry);
  int64_t arenaBytes = plan(entry, state, arguments, argumentCount);
  if (outputs)
    checkOutputs(entry, outputs, outputCount);
  std::fill(state.arguments.begin(), state.arguments.end(), nullptr);
  placeResults(entry, state, arguments, outputs);
  placeArguments(entry, state, arguments);

  auto begin = Profile::Clock::now();
  if (gpu)
    runOnGpu(entry, state, arenaBytes, arguments);
  else
    runOnCpu(entry, state, arenaBytes);
  if (profile.isRecording())
    profile.addCall(entry.name, begin, Profile::Clock::now());

  for (size_t i = 0; outputs && i < outputCount; ++i)
    if (state.outputs[i] != outputs[i].data)
      std::memcpy(outputs[i].data, state.outputs[i], resultBytes(entry, i));
}

const gen_entry_info &gen_session::findEntry(const char *name, const gen_tensor *results,
                                             size_t resultCount) const {
  const gen_entry_info &info = findEntry(name);
  if (resultCount != info.result_count || (resultCount && !results))
    fail(GEN_INVALID_ARGUMENT, "%s: expected %u results, got room for %zu", name, info.result_count,
         results ? resultCount : 0);
  return info;
}

gen_status *gen_session_call(gen_session *session, const char *entry, const gen_tensor *arguments,
                             size_t argumentCount, gen_tensor *results, size_t resultCount) {
  return guard([&] {
    requireNonNull(entry, "gen_session_call", "entry");
    SessionUse use(session, "gen_session_call");
    const gen_entry_info &info = session->findEntry(entry);
    if (results && resultCount != info.result_count)
      fail(GEN_INVALID_ARGUMENT, "%s: expected %u results, got room for %zu", entry,
           info.result_count, resultCount);
    session->call(entry, arguments, argumentCount, nullptr, 0);
    for (size_t i = 0; results && i < resultCount; ++i)
      results[i] = session->result(info, i);
  });
}

gen_status *gen_session_call_into(gen_session *session, const char *entry,
                                  const gen_tensor *arguments, size_t argumentCount,
                                  const gen_tensor *results, size_t resultCount) {
  return guard([&] {
    requireNonNull(entry, "gen_session_call_into", "entry");
    if (resultCount)
      requireNonNull(results, "gen_session_call_into", "results");
    SessionUse use(session, "gen_session_call_into");
    static const gen_tensor none = {};
    session->call(entry, arguments, argumentCount, resultCount ? results : &none, resultCount);
  });
}

gen_status *gen_session_result_shapes(gen_session *session, const char *entry,
                                      const gen_tensor *arguments, size_t argumentCount,
                                      gen_tensor *results, size_t resultCount) {
  return guard([&] {
    requireNonNull(entry, "gen_session_result_shapes", "entry");
    SessionUse use(session, "gen_session_result_shapes");
    const gen_entry_info &info = session->findEntry(entry, results, resultCount);
    session->plan(info, session->stateOf(info), arguments, argumentCount);
    for (size_t i = 0; i < resultCount; ++i) {
      results[i] = session->result(info, i);
      results[i].data = nullptr;
    }
  });
}
