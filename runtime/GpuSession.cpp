// Calls of entries on a GPU.
#include "GpuSession.h"

#include <cstring>

namespace gen::runtime {

GpuSession::GpuSession(const std::string &device, CUstream stream,
                       const gen_device_artefact_info &info)
    : gpu(device, stream, info), artefact(info.artefact), variables(artefact.variable_count),
      newer(artefact.variable_count, Host), entries(artefact.entry_count) {
  for (uint32_t i = 0; i < artefact.variable_count; ++i) {
    variables[i].reserve(bytesOf(i));
    variablePointers.push_back(variables[i].data());
  }
  for (uint32_t i = 0; i < artefact.entry_count; ++i) {
    entries[i].arguments.resize(artefact.entries[i].argument_count);
    entries[i].results.resize(artefact.entries[i].result_count);
    entries[i].argumentPointers.resize(artefact.entries[i].argument_count);
    entries[i].resultPointers.resize(artefact.entries[i].result_count);
  }
}

GpuSession::~GpuSession() {
  try {
    gpu.select(); // memory is freed on the GPU that it is of
  } catch (const Failure &) {
    // It is lost, and its memory with it.
  }
}

size_t GpuSession::bytesOf(uint32_t variable) const {
  const gen_tensor_info &tensor = artefact.variables[variable].tensor;
  int64_t bytes = 0;
  countBytes(tensor.dtype, tensor.shape, tensor.rank, &bytes);
  return size_t(bytes);
}

// What was asked for before may use the memory that moves.
void GpuSession::grow(GpuBuffer &buffer, size_t bytes) {
  if (bytes > buffer.size() || !buffer.data()) {
    gpu.finish();
    buffer.reserve(bytes);
  }
}

void GpuSession::stage(const gen_entry_info &entry, EntryMemory &memory,
                       const std::vector<Part> &arguments, const std::vector<Part> &results) {
  for (uint32_t i = 0; i < entry.argument_count; ++i) {
    grow(memory.arguments[i].device, arguments[i].bytes);
    grow(memory.arguments[i].host, arguments[i].bytes);
    memory.argumentPointers[i] = memory.arguments[i].device.data();
  }
  for (uint32_t i = 0; i < entry.result_count; ++i) {
    grow(memory.results[i].device, results[i].bytes);
    grow(memory.results[i].host, results[i].bytes);
    memory.resultPointers[i] = memory.results[i].device.data();
  }
}

// Returns whether there is something to bring.
bool GpuSession::bringVariables(const Call &call) {
  bool isAny = false;
  for (uint32_t i = 0; i < artefact.variable_count; ++i)
    if (newer[i] == Host || call.viewed[i]) {
      gpu.upload(variables[i].data(), call.variables[i].data(), bytesOf(i));
      newer[i] = Both;
      isAny = true;
    }
  return isAny;
}

// Variables and constants never move.
const GpuCallKey &GpuSession::keyOf(const Call &call, bool isStaged) {
  const EntryMemory &memory = entries[call.entry];
  key.entry = call.entry;
  key.dimensions = call.dimensions;
  key.addresses.assign({arena.data(), gpu.exchangeBuffer()});
  key.addresses.insert(key.addresses.end(), memory.argumentPointers.begin(),
                       memory.argumentPointers.end());
  key.addresses.insert(key.addresses.end(), memory.resultPointers.begin(),
                       memory.resultPointers.end());
  for (const std::vector<Staged> *list : {&memory.arguments, &memory.results})
    for (const Staged &staged : *list)
      key.addresses.push_back(isStaged ? staged.host.data() : nullptr);
  return key;
}

// Puts the entry's work on the stream, as a graph if that may be, between what copies.
void GpuSession::enqueue(const Call &call, const std::function<void()> &before,
                         const std::function<void()> &after) {
  const gen_entry_info &entry = artefact.entries[call.entry];
  EntryMemory &memory = entries[call.entry];
  grow(arena, call.arenaBytes);
  auto body = [&] {
    if (before)
      before();
    entry.run(&call.services, arena.data(), variablePointers.data(), memory.argumentPointers.data(),
              memory.resultPointers.data(), call.dimensions.data());
    if (after)
      after();
  };
  auto keyNow = [&]() -> const GpuCallKey & { return keyOf(call, bool(before)); };
  if (call.isWatched)
    body();
  else
    graphs.run(gpu, std::ref(keyNow), std::ref(body)); // references: a call allocates nothing
  for (uint32_t i = 0; i < entry.written_count; ++i)
    newer[entry.written[i]] = Device;
}

void GpuSession::run(const Call &call, const std::vector<Part> &arguments,
                     const std::vector<Part> &results) {
  EntryMemory &memory = entries[call.entry];
  gpu.select();
  gpu.wait(); // staged memory may be on its way
  stage(artefact.entries[call.entry], memory, arguments, results);
  bringVariables(call);
  for (size_t i = 0; i < arguments.size(); ++i)
    std::memcpy(memory.arguments[i].host.data(), arguments[i].data, arguments[i].bytes);
  auto upload = [&] {
    for (size_t i = 0; i < arguments.size(); ++i)
      gpu.upload(memory.arguments[i].device.data(), memory.arguments[i].host.data(),
                 arguments[i].bytes);
  };
  auto download = [&] {
    for (size_t i = 0; i < results.size(); ++i)
      gpu.download(memory.results[i].host.data(), memory.results[i].device.data(),
                   results[i].bytes);
  };
  enqueue(call, std::ref(upload), std::ref(download));
  gpu.wait();
  for (size_t i = 0; i < results.size(); ++i)
    std::memcpy(results[i].data, memory.results[i].host.data(), results[i].bytes);
}

// An argument that overlaps a result (one of the last call, fed back) is copied first.
void *GpuSession::placeArgument(EntryMemory &memory, uint32_t index, const Part &argument) {
  auto *begin = static_cast<char *>(argument.data);
  for (const Staged &result : memory.results) {
    auto *other = static_cast<char *>(result.device.data());
    if (begin < other + result.device.size() && other < begin + argument.bytes) {
      GpuBuffer &copy = memory.arguments[index].device;
      grow(copy, argument.bytes);
      gpu.copy(copy.data(), argument.data, int64_t(argument.bytes));
      return copy.data();
    }
  }
  return argument.data;
}

void GpuSession::runThere(const Call &call, const std::vector<Part> &arguments,
                          std::vector<Part> &results) {
  EntryMemory &memory = entries[call.entry];
  gpu.select();
  for (uint32_t i = 0; i < arguments.size(); ++i)
    memory.argumentPointers[i] = placeArgument(memory, i, arguments[i]);
  for (size_t i = 0; i < results.size(); ++i) {
    grow(memory.results[i].device, results[i].bytes);
    results[i].data = memory.resultPointers[i] = memory.results[i].device.data();
  }
  if (bringVariables(call))
    gpu.wait(); // the host may write them again
  enqueue(call, nullptr, nullptr);
  gpu.throwFailure();
}

void GpuSession::fetch(uint32_t variable, Buffer &memory) {
  if (newer[variable] != Device)
    return;
  gpu.select();
  gpu.download(memory.data(), variables[variable].data(), bytesOf(variable));
  gpu.wait();
  newer[variable] = Both;
}

} // namespace gen::runtime
