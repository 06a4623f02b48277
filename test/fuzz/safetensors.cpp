// Fuzzes the reader of safetensors: any bytes are either read, and then what was read describes the
// file exactly and survives being written and read again, or refused with a message.
#include "Safetensors.h"
#include "Tensors.h"

#include <cstdlib>
#include <cstring>

using namespace gen::runtime;

static void require(bool condition) {
  if (!condition)
    std::abort();
}

// The data begin after the header and fill the file.
static void checkRanges(const Safetensors &file, uint64_t begin, uint64_t end) {
  for (const SafetensorsTensor &tensor : file.tensors) {
    int64_t bytes = 0;
    require(countBytes(tensor.tensor.dtype, tensor.tensor.shape, tensor.tensor.rank, &bytes));
    require(tensor.begin == begin && tensor.end - tensor.begin == uint64_t(bytes));
    begin = tensor.end;
  }
  require(begin == end);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 8)
    return 0;
  try {
    unsigned char first[8];
    std::memcpy(first, data, sizeof first);
    uint64_t length = readSafetensorsLength(first, size, "input");
    std::string_view header(reinterpret_cast<const char *>(data) + 8, length);
    Safetensors file = readSafetensorsHeader(header, size, "input");
    checkRanges(file, 8 + length, size);

    std::string written = writeSafetensorsHeader(file);
    uint64_t end = file.tensors.empty() ? written.size() : file.tensors.back().end;
    Safetensors again = readSafetensorsHeader(std::string_view(written).substr(8), end, "again");
    require(again.tensors.size() == file.tensors.size() && again.metadata == file.metadata);
  } catch (const Failure &failure) {
    require(failure.code == GEN_CORRUPT && !failure.message.empty());
  }
  return 0;
}
