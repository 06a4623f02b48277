// Calls of entries on a GPU.
#include "GpuSession.h"

#include <cstring>

namespace gen::runtime {

GpuSession::GpuSession(const std::string &device, const gen_device_artefact_info &info)
    : gpu(device, info), artefact(info.artefact), variables(artefact.variable_count),
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

// Between calls nothing runs, so memory may move.
void GpuSession::reserve(const gen_entry_info &entry, EntryMemory &memory, size_t arenaBytes,
                         const std::vector<Part> &arguments, const std::vector<Part> &results) {
  arena.reserve(arenaBytes);
  for (uint32_t i = 0; i < entry.argument_count; ++i) {
    memory.arguments[i].device.reserve(arguments[i].bytes);
    memory.arguments[i].host.reserve(arguments[i].bytes);
    memory.argumentPointers[i] = memory.arguments[i].device.data();
  }
  for (uint32_t i = 0; i < entry.result_count; ++i) {
    memory.results[i].device.reserve(results[i].bytes);
    memory.results[i].host.reserve(results[i].bytes);
    memory.resultPointers[i] = memory.results[i].device.data();
  }
}

void GpuSession::bringVariables(const std::vector<Buffer> &hostVariables,
                                const std::vector<bool> &viewed) {
  for (uint32_t i = 0; i < artefact.variable_count; ++i)
    if (newer[i] == Host || viewed[i]) {
      gpu.upload(variables[i].data(), hostVariables[i].data(), bytesOf(i));
      newer[i] = Both;
    }
}

// Variables and constants never move.
const GpuCallKey &GpuSession::keyOf(uint32_t number, const std::vector<int64_t> &dimensions) {
  key.entry = number;
  key.dimensions = dimensions;
  key.addresses.assign({arena.data(), gpu.exchangeBuffer()});
  for (const std::vector<Staged> *list : {&entries[number].arguments, &entries[number].results})
    for (const Staged &staged : *list) {
      key.addresses.push_back(staged.device.data());
      key.addresses.push_back(staged.host.data());
    }
  return key;
}

void GpuSession::run(uint32_t number, const gen_services &services, size_t arenaBytes,
                     const std::vector<Buffer> &hostVariables, const std::vector<bool> &viewed,
                     const std::vector<Part> &arguments, const std::vector<Part> &results,
                     const std::vector<int64_t> &dimensions, bool isWatched) {
  const gen_entry_info &entry = artefact.entries[number];
  EntryMemory &memory = entries[number];
  gpu.select();
  reserve(entry, memory, arenaBytes, arguments, results);
  bringVariables(hostVariables, viewed);
  for (uint32_t i = 0; i < entry.argument_count; ++i)
    std::memcpy(memory.arguments[i].host.data(), arguments[i].data, arguments[i].bytes);
  auto body = [&] {
    for (uint32_t i = 0; i < entry.argument_count; ++i)
      gpu.upload(memory.arguments[i].device.data(), memory.arguments[i].host.data(),
                 arguments[i].bytes);
    entry.run(&services, arena.data(), variablePointers.data(), memory.argumentPointers.data(),
              memory.resultPointers.data(), dimensions.data());
    for (uint32_t i = 0; i < entry.result_count; ++i)
      gpu.download(memory.results[i].host.data(), memory.results[i].device.data(),
                   results[i].bytes);
  };
  auto keyNow = [&]() -> const GpuCallKey & { return keyOf(number, dimensions); };
  if (isWatched)
    body();
  else
    graphs.run(gpu, std::ref(keyNow), std::ref(body)); // references: a call allocates nothing
  for (uint32_t i = 0; i < entry.written_count; ++i)
    newer[entry.written[i]] = Device;
  gpu.wait();
  for (uint32_t i = 0; i < entry.result_count; ++i)
    std::memcpy(results[i].data, memory.results[i].host.data(), results[i].bytes);
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
