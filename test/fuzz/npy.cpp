// Fuzzes the reader of .npy headers: any bytes are refused with a message, or describe the file
// exactly.
#include "Npy.h"
#include "Tensors.h"

#include <cstdlib>

using namespace gen::runtime;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  try {
    NpyHeader header = readNpyHeader({reinterpret_cast<const char *>(data), size}, size, "input");
    int64_t bytes = 0;
    const gen_tensor &tensor = header.tensor;
    if (!countBytes(tensor.dtype, tensor.shape, tensor.rank, &bytes) ||
        header.dataOffset + uint64_t(bytes) != size)
      std::abort();
    std::string written = writeNpyHeader(tensor);
    readNpyHeader(written, written.size() + uint64_t(bytes), "again");
  } catch (const Failure &failure) {
    if (failure.code != GEN_CORRUPT || failure.message.empty())
      std::abort();
  }
  return 0;
}
