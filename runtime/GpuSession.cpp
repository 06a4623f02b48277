// Calls of entries on a GPU.
#include "GpuSession.h"

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
    memory.arguments[i].reserve(arguments[i].bytes);
    memory.argumentPointers[i] = memory.arguments[i].data();
  }
  for (uint32_t i = 0; i < entry.result_count; ++i) {
    memory.results[i].reserve(results[i].bytes);
    memory.resultPointers[i] = memory.results[i].data();
  }
}

void GpuSession::run(uint32_t number, const gen_services &services, size_t arenaBytes,
                     const std::vector<Buffer> &hostVariables, const std::vector<bool> &viewed,
                     const std::vector<Part> &arguments, const std::vector<Part> &results,
                     const int64_t *dimensions) {
  const gen_entry_info &entry = artefact.entries[number];
  EntryMemory &memory = entries[number];
  gpu.select();
  reserve(entry, memory, arenaBytes, arguments, results);
  for (uint32_t i = 0; i < artefact.variable_count; ++i)
    if (newer[i] == Host || viewed[i]) {
      gpu.upload(variables[i].data(), hostVariables[i].data(), bytesOf(i));
      newer[i] = Both;
    }
  for (uint32_t i = 0; i < entry.argument_count; ++i)
    gpu.upload(memory.arguments[i].data(), arguments[i].data, arguments[i].bytes);
  entry.run(&services, arena.data(), variablePointers.data(), memory.argumentPointers.data(),
            memory.resultPointers.data(), dimensions);
  for (uint32_t i = 0; i < entry.result_count; ++i)
    gpu.download(results[i].data, memory.results[i].data(), results[i].bytes);
  for (uint32_t i = 0; i < entry.written_count; ++i)
    newer[entry.written[i]] = Device;
  gpu.wait();
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
