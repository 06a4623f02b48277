// A model: an opened artefact, its tables checked, and what keeps its code in memory.
#pragma once

#include "Failure.h"

#include <atomic>
#include <string>

struct gen_model {
  // Takes over the handle and descriptor of a loaded file; null and -1 for linked artefacts.
  gen_model(const gen_artefact_info *artefact, const gen_device_artefact_info *deviceArtefact,
            void *handle, int descriptor)
      : artefact(artefact), deviceArtefact(deviceArtefact), handle(handle), descriptor(descriptor) {
  }
  ~gen_model();

  void retain() { references.fetch_add(1, std::memory_order_relaxed); }
  void release() {
    if (references.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete this;
  }

  // The entry or variable of that name, or a Failure that lists the names there are.
  const gen_entry_info &findEntry(const char *name) const;
  size_t findVariable(const char *name) const;

  // What describes the model, and is the CPU's code if there is any.
  const gen_artefact_info *artefact;
  // Code for GPUs, or null.
  const gen_device_artefact_info *deviceArtefact;

private:
  void *handle;
  int descriptor;
  std::atomic<int> references{1};
};

namespace gen::runtime {

// Checks every table of an artefact, so that nothing later has to. Throws a Failure that starts
// with `origin`.
void checkArtefact(const gen_artefact_info &artefact, const std::string &origin);

} // namespace gen::runtime
