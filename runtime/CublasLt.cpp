// Finding cuBLASLt.
#include "CublasLt.h"

#include <cstdlib>
#include <dlfcn.h>
#include <string>

namespace gen::runtime {
namespace {

struct Library {
  CublasLt functions = {};
  bool isThere = false;
  std::string chosen; // by GEN_CUBLASLT
};

void *open(const std::string &chosen) {
  if (!chosen.empty())
    return dlopen(chosen.c_str(), RTLD_NOW | RTLD_LOCAL);
  for (const char *name : {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11"})
    if (void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL))
      return library;
  return nullptr;
}

template <class Function>
void find(const char *name, Function &function, void *from, Library &library) {
  function = reinterpret_cast<Function>(dlsym(from, name));
  library.isThere &= function != nullptr;
}

Library load() {
  Library library;
  if (const char *chosen = std::getenv("GEN_CUBLASLT"))
    library.chosen = chosen;
  void *from = open(library.chosen);
  library.isThere = from != nullptr;
  if (!from)
    return library;
  CublasLt &functions = library.functions;
  find("cublasLtCreate", functions.create, from, library);
  find("cublasLtDestroy", functions.destroy, from, library);
  find("cublasLtMatmulDescCreate", functions.productCreate, from, library);
  find("cublasLtMatmulDescDestroy", functions.productDestroy, from, library);
  find("cublasLtMatmulDescSetAttribute", functions.productSet, from, library);
  find("cublasLtMatrixLayoutCreate", functions.layoutCreate, from, library);
  find("cublasLtMatrixLayoutDestroy", functions.layoutDestroy, from, library);
  find("cublasLtMatrixLayoutSetAttribute", functions.layoutSet, from, library);
  find("cublasLtMatmulPreferenceCreate", functions.preferenceCreate, from, library);
  find("cublasLtMatmulPreferenceDestroy", functions.preferenceDestroy, from, library);
  find("cublasLtMatmulPreferenceSetAttribute", functions.preferenceSet, from, library);
  find("cublasLtMatmulAlgoGetHeuristic", functions.findAlgorithms, from, library);
  find("cublasLtMatmul", functions.multiply, from, library);
  return library;
}

} // namespace

const CublasLt *CublasLt::get() {
  static const Library library = load();
  if (!library.isThere && !library.chosen.empty())
    fail(GEN_NOT_FOUND, "GEN_CUBLASLT: '%s' is not cuBLASLt, or cannot be loaded",
         library.chosen.c_str());
  return library.isThere ? &library.functions : nullptr;
}

} // namespace gen::runtime
