// What a session keeps on a GPU: the model's code, its variables, and the memory of a call. The
// variables stay there between calls; their copies in host memory are brought up to date when
// someone looks.
#pragma once

#include "GpuGraphs.h"
#include "Tensors.h"

#include <vector>

namespace gen::runtime {

class GpuSession {
public:
  GpuSession(const std::string &device, CUstream stream, const gen_device_artefact_info &artefact);
  ~GpuSession();

  // Memory, and how much of it.
  struct Part {
    void *data;
    size_t bytes;
  };
  // What a call is about, beside its arguments and results.
  struct Call {
    uint32_t entry; // its number
    const gen_services &services;
    size_t arenaBytes;
    const std::vector<Buffer> &variables;
    const std::vector<bool> &viewed; // memory that may have been written on the host
    const std::vector<int64_t> &dimensions;
    bool isWatched; // someone wants to see each launch, so the call is no graph
  };

  // Runs an entry. Variables that were written on the host since the last call are brought to the
  // GPU first, and so are those that may have been; results are brought back.
  void run(const Call &call, const std::vector<Part> &arguments, const std::vector<Part> &results);
  // The same with arguments in memory of the GPU. Results are left there: their addresses are
  // written to `results`. Nothing is waited for.
  void runThere(const Call &call, const std::vector<Part> &arguments, std::vector<Part> &results);
  // Brings a variable's memory on the host up to date.
  void fetch(uint32_t variable, Buffer &memory);
  // Its memory on the host was written.
  void noteWrite(uint32_t variable) { newer[variable] = Host; }

  Gpu gpu;

private:
  enum Place : char { Both, Host, Device };
  // An argument or result on the GPU, and on the host on its way.
  struct Staged {
    GpuBuffer device, host{GpuBuffer::Place::Pinned};
  };
  struct EntryMemory {
    std::vector<Staged> arguments, results;
    std::vector<const void *> argumentPointers;
    std::vector<void *> resultPointers;
  };
  size_t bytesOf(uint32_t variable) const;
  void grow(GpuBuffer &buffer, size_t bytes);
  void stage(const gen_entry_info &entry, EntryMemory &memory, const std::vector<Part> &arguments,
             const std::vector<Part> &results);
  void *placeArgument(EntryMemory &memory, uint32_t index, const Part &argument);
  bool bringVariables(const Call &call);
  void enqueue(const Call &call, const std::function<void()> &before,
               const std::function<void()> &after);
  const GpuCallKey &keyOf(const Call &call, bool isStaged);

  const gen_artefact_info &artefact;
  GpuBuffer arena;
  std::vector<GpuBuffer> variables;
  std::vector<void *> variablePointers;
  std::vector<Place> newer; // where each variable's value is
  std::vector<EntryMemory> entries;
  GpuGraphs graphs;
  GpuCallKey key; // of the call at hand
};

} // namespace gen::runtime
