//===- LibraryTables.h - what libraries are told of kernels -----*- C++ -*-===//
//
// The tables of an artefact that describe kernels which are left to a library (gen/artefact.h).
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_LIBRARYTABLES_H
#define GEN_PASSES_LIBRARYTABLES_H

#include "passes/ArtefactTables.h"
#include "passes/LibraryKernels.h"

namespace mlir::gen {

/// The symbol of a gen_device_product; "" if the kernel is none, or is not left to a library.
std::string libraryProductTable(KernelOp kernel, ArtefactTables &tables);

/// The same of a gen_device_convolution.
std::string libraryConvolutionTable(KernelOp kernel, ArtefactTables &tables);

} // namespace mlir::gen

#endif // GEN_PASSES_LIBRARYTABLES_H
