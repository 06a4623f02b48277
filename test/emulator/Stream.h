// What libraries ask of the emulated driver's streams.
#pragma once

#include "Cuda.h"

#include <functional>

namespace emulator {

// Adds to the stream, or to what is recorded of it, something that libraries do on a GPU, of memory
// of the device. The name is counted (emulatorCalls).
void addWork(gen::runtime::CUstream stream, const char *name, std::function<void()> work);

} // namespace emulator
