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

struct Kernel {
  std::string name;
  void (*run)(const uint64_t *words) = nullptr; // what one thread does
  size_t words = 0;                             // its parameters, of 8 bytes each
  bool waits = false;                           // for other threads
  std::vector<SharedMemory> shared;

  // What a block finds there is left by no other: every byte is 0xff.
  void spoilSharedMemory() const;
};

class Code {
public:
  // Compiles LLVM bitcode; `error` says what is wrong with it. Of all calls that wait at barriers,
  // the one numbered `droppedBarrier` is left out.
  static std::unique_ptr<Code> load(const char *bitcode, size_t bytes, int droppedBarrier,
                                    std::string &error);
  ~Code();

  const Kernel *find(const std::string &name) const;

private:
  Code();
  std::unique_ptr<llvm::orc::LLJIT> jit;
  std::map<std::string, Kernel> kernels;
};

} // namespace emulator
