// Memory that NVIDIA's libraries have for themselves while they compute, and what they ask of the
// memory that they read and write.
#pragma once

#include "Gpu.h"

namespace gen::runtime {

// One for all: what a session launches happens in order.
class GpuWorkspace {
public:
  // What PyTorch gives cuBLASLt on the same GPUs.
  static constexpr size_t kBytes = size_t(32) << 20;
  // Where memory has to begin.
  static constexpr uint32_t kAlignment = 16;

  // To be called when nothing is recorded. The memory stays where it is, since recorded calls know
  // its address.
  void reserve() { memory.reserve(kBytes); }
  void *data() const { return memory.data(); }

  // The addresses of two operands and a result, which are words of a frame. False if one is not
  // aligned.
  static bool findMemory(const uint32_t (&words)[3], const uint64_t *frame, void *(&found)[3]) {
    for (int i = 0; i < 3; ++i) {
      uint64_t address = frame[words[i]];
      if (address % kAlignment != 0)
        return false;
      found[i] = reinterpret_cast<void *>(address);
    }
    return true;
  }

private:
  GpuBuffer memory;
};

} // namespace gen::runtime
