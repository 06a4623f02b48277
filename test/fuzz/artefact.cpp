// Fuzzes the container check, which stands between any file and the system's loader.
#include "Container.h"

#include <cstdlib>

using namespace gen::runtime;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  try {
    checkContainer(data, size, "input");
  } catch (const Failure &failure) {
    if ((failure.code != GEN_CORRUPT && failure.code != GEN_INCOMPATIBLE) ||
        failure.message.empty())
      std::abort();
  }
  return 0;
}
