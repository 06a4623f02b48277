// NumPy's .npy files (numpy.lib.format, versions 1 to 3): little-endian, C order, the dtypes known
// here. For the tools; the runtime itself does not use it.
#pragma once

#include "Failure.h"

#include "gen/runtime.hpp"

#include <string>
#include <string_view>

namespace gen::runtime {

struct NpyHeader {
  gen_tensor tensor;   // without data
  uint64_t dataOffset; // in the file
};

constexpr uint64_t kMaxNpyHeader = 1 << 16;

// Reads the header from the first bytes of a file of `fileSize` bytes: all of them, or at least
// kMaxNpyHeader + 12. A Failure names the path, the byte offset and what is wrong.
NpyHeader readNpyHeader(std::string_view bytes, uint64_t fileSize, const std::string &path);

// The header of a file with that tensor (version 1.0).
std::string writeNpyHeader(const gen_tensor &tensor);

Array readNpy(const std::string &path);
// Replaces the file atomically.
void writeNpy(const std::string &path, const View &view);

} // namespace gen::runtime
