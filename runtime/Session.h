// A session: the variables, memory, threads and profile of one instance of a model.
#pragma once

#include "FloatMode.h"
#include "GpuSession.h"
#include "Model.h"
#include "Profile.h"
#include "Renames.h"
#include "Tensors.h"
#include "ThreadPool.h"

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gen::runtime {

// What a session keeps for an entry between calls, so that a call allocates nothing.
struct EntryState {
  std::vector<int64_t> dimensions;     // values of the symbols, -1 while unbound
  std::vector<int64_t> resultShapes;   // one after another, as plan() writes them
  std::vector<Buffer> results;         // owned by the session
  std::vector<Buffer> copies;          // of arguments that overlap what is written
  std::vector<const void *> arguments; // as handed to the code
  std::vector<void *> outputs;
  std::vector<GpuSession::Part> inputParts, outputParts; // the same, for a GPU
};

} // namespace gen::runtime

struct gen_session {
  gen_session(gen_model *model, const gen_session_options &options);
  ~gen_session();
  gen_session(const gen_session &) = delete;
  gen_session &operator=(const gen_session &) = delete;

  // Runs an entry. `outputs` is null or has the caller's buffer for each result.
  void call(const char *entry, const gen_tensor *arguments, size_t argumentCount,
            const gen_tensor *outputs, size_t outputCount);
  // The same in the memory of the device: results are the session's, and are not waited for.
  void callOnDevice(const gen_entry_info &entry, const gen_tensor *arguments, size_t argumentCount,
                    gen_tensor *results);
  // Checks the arguments of an entry, binds its symbols and computes the result shapes: returns the
  // arena's bytes.
  int64_t plan(const gen_entry_info &entry, gen::runtime::EntryState &state,
               const gen_tensor *arguments, size_t argumentCount);

  // A result of the last plan() or call(), and memory of the session (null before the first call).
  gen_tensor result(const gen_entry_info &entry, size_t index);
  gen::runtime::EntryState &stateOf(const gen_entry_info &entry) {
    return states[&entry - artefact.entries];
  }
  // The entry of that name in the code that this session runs, or a Failure.
  const gen_entry_info &findEntry(const char *name) const {
    return artefact.entries[&model->findEntry(name) - model->artefact->entries];
  }
  // The same, for a caller with room for that many results: as many as there are, or a Failure.
  const gen_entry_info &findEntry(const char *name, const gen_tensor *results,
                                  size_t resultCount) const;

  // A variable with its value, or only the place where a new one is to be written.
  gen_tensor variable(size_t index) {
    restore(index);
    return place(index);
  }
  gen_tensor place(size_t index) {
    return gen::runtime::makeTensor(variables[index].data(), artefact.variables[index].tensor);
  }
  // To be told whenever a variable's memory changes; its packed copies are made anew then.
  void noteWrite(size_t variable) {
    ++versions[variable];
    released[variable] = nullptr;
    if (gpu)
      gpu->noteWrite(uint32_t(variable));
  }
  // The memory was handed out: it may change at any time.
  void noteView(size_t variable) { viewed[variable] = true; }

  void save(const std::string &path, const gen::runtime::Renames &renames);
  void load(const std::string &path, uint32_t flags, const gen::runtime::Renames &renames);

  gen_model *const model;
  const unsigned threads;                        // including the caller's
  std::unique_ptr<gen::runtime::GpuSession> gpu; // null: entries run on the CPU
  const gen_artefact_info &artefact;             // of those that the model has
  gen::runtime::Profile profile;
  std::map<std::string, std::string> metadata;
  std::string loadReport; // of the last load
  std::atomic<bool> busy{false};

private:
  static void launch(void *context, const gen_kernel_info *kernel, int64_t count,
                     const uint64_t *frame, int64_t flops, int64_t bytes);
  void runTasks(const gen_kernel_info *kernel, int64_t count, const uint64_t *frame, int64_t flops,
                int64_t bytes);
  void initialize(uint64_t seed);
  void runOnCpu(const gen_entry_info &entry, gen::runtime::EntryState &state, int64_t arenaBytes);
  gen::runtime::GpuSession::Call gpuCallOf(const gen_entry_info &entry,
                                           const gen::runtime::EntryState &state,
                                           int64_t arenaBytes) const;
  void runOnGpu(const gen_entry_info &entry, gen::runtime::EntryState &state, int64_t arenaBytes,
                const gen_tensor *arguments);
  void restoreViewed(const gen_entry_info &entry);
  void refreshPacked(const gen_entry_info &entry);
  void takeWrittenCopies(const gen_entry_info &entry);
  void restore(size_t variable);
  void bind(const gen_entry_info &entry, gen::runtime::EntryState &state,
            const gen_tensor *arguments, size_t argumentCount);
  void checkOutputs(const gen_entry_info &entry, const gen_tensor *outputs, size_t outputCount);
  void placeResults(const gen_entry_info &entry, gen::runtime::EntryState &state,
                    const gen_tensor *arguments, const gen_tensor *outputs);
  void placeArguments(const gen_entry_info &entry, gen::runtime::EntryState &state,
                      const gen_tensor *arguments);
  bool overlapsWritten(const gen_entry_info &entry, gen::runtime::EntryState &state,
                       const void *data, int64_t bytes);
  int64_t resultBytes(const gen_entry_info &entry, size_t index);

  const bool keepDenormals;
  const gen_parallel_for parallelFor;
  void *const parallelContext;
  std::unique_ptr<gen::runtime::ThreadPool> pool; // made by the first launch that needs it
  gen_services services;
  gen::runtime::Buffer arena;
  std::vector<gen::runtime::Buffer> variables;
  std::vector<uint64_t> versions; // of the variables: how often each was written
  std::vector<bool> viewed;
  std::vector<const gen_packed_info *> released; // where each variable's value is instead, or null
  std::vector<gen::runtime::Buffer> packed;
  std::vector<uint64_t> packedVersions; // what each copy was made from; 0: not made yet
  std::vector<void *> variablePointers; // then those of the packed copies
  std::vector<gen::runtime::EntryState> states;
};

namespace gen::runtime {

// Claims a session for one call; a Failure if another thread is inside.
class SessionUse {
public:
  SessionUse(gen_session *session, const char *function);
  ~SessionUse() { session->busy.store(false, std::memory_order_release); }

private:
  gen_session *session;
};

} // namespace gen::runtime
