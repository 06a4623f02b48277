// Finding cuBLASLt.
#include "CublasLt.h"
#include "FoundLibrary.h"

namespace gen::runtime {
namespace {

struct Library {
  FoundLibrary found{"GEN_CUBLASLT",
                     {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11"}};
  CublasLt functions = {};

  Library() {
    found.find("cublasLtCreate", functions.create);
    found.find("cublasLtDestroy", functions.destroy);
    found.find("cublasLtMatmulDescCreate", functions.productCreate);
    found.find("cublasLtMatmulDescDestroy", functions.productDestroy);
    found.find("cublasLtMatmulDescSetAttribute", functions.productSet);
    found.find("cublasLtMatrixLayoutCreate", functions.layoutCreate);
    found.find("cublasLtMatrixLayoutDestroy", functions.layoutDestroy);
    found.find("cublasLtMatrixLayoutSetAttribute", functions.layoutSet);
    found.find("cublasLtMatmulPreferenceCreate", functions.preferenceCreate);
    found.find("cublasLtMatmulPreferenceDestroy", functions.preferenceDestroy);
    found.find("cublasLtMatmulPreferenceSetAttribute", functions.preferenceSet);
    found.find("cublasLtMatmulAlgoGetHeuristic", functions.findAlgorithms);
    found.find("cublasLtMatmul", functions.multiply);
  }
};

} // namespace

const CublasLt *CublasLt::get() {
  static const Library library;
  return library.found.check("cuBLASLt") ? &library.functions : nullptr;
}

} // namespace gen::runtime
