// A module of kernels as code of this machine: the LLVM IR from which PTX would be made, its
// intrinsics as functions.
#pragma once

#include "Threads.h"

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace llvm::orc {
class LLJIT;
}

namespace emulator {

struct SharedMemory {
  char *data;
  size_t bytes;
};

// What is done wrong on purpose in each module; -1: nothing.
struct Faults {
  int droppedBarrier = -1; // number of a call that waits at a barrier, left out
  int loosenedWait = -1;   // of one that waits for copies: for all but one group more
  int wrongStride = -1;    // of a matrix descriptor of wgmma: the next 16 bytes

  bool operator==(const Faults &) const = default;
};

struct Kernel {
  std::string name;
  void (*run)(const uint64_t *words) = nullptr; // what one thread does
  size_t words = 0;                             // its parameters, of 8 bytes each
  bool waits = false;                           // for other threads
  bool hasProxies = false;                      // wgmma reads its shared memory
  std::vector<SharedMemory> shared;             // of no bytes: so many as a launch asks for

  // What a block finds there is left by no other: every byte is 0xff.
  void spoilSharedMemory(size_t bytesOfLaunch) const;
};

class Code {
public:
  // Compiles LLVM bitcode; `error` says what is wrong with it.
  static std::unique_ptr<Code> load(const char *bitcode, size_t bytes, const Faults &faults,
                                    std::string &error);
  ~Code();

  const Kernel *find(const std::string &name) const;

private:
  Code();
  std::unique_ptr<llvm::orc::LLJIT> jit;
  std::map<std::string, Kernel> kernels;
};

} // namespace emulator
