// Finding libraries of NVIDIA's.
#include "FoundLibrary.h"
#include "Failure.h"

#include <cstdlib>
#include <dlfcn.h>

namespace gen::runtime {

static void *open(const std::string &chosen, std::initializer_list<const char *> names) {
  if (!chosen.empty())
    return dlopen(chosen.c_str(), RTLD_NOW | RTLD_LOCAL);
  for (const char *name : names)
    if (void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL))
      return library;
  return nullptr;
}

FoundLibrary::FoundLibrary(const char *variable, std::initializer_list<const char *> names)
    : variable(variable) {
  if (const char *name = std::getenv(variable))
    chosen = name;
  library = open(chosen, names);
  isThere = library != nullptr;
}

void *FoundLibrary::address(const char *name) {
  void *found = library ? dlsym(library, name) : nullptr;
  isThere &= found != nullptr;
  return found;
}

bool FoundLibrary::check(const char *what) const {
  if (!isThere && !chosen.empty())
    fail(GEN_NOT_FOUND, "%s: '%s' is not %s, or cannot be loaded", variable, chosen.c_str(), what);
  return isThere;
}

} // namespace gen::runtime
