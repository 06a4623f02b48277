//===- Cpu.h - machine code for CPUs ----------------------------*- C++ -*-===//

#ifndef GEN_PASSES_TARGET_CPU_H
#define GEN_PASSES_TARGET_CPU_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include <memory>
#include <string>

namespace mlir::gen {

/// A CPU to compile for.
struct CpuTarget {
  std::string level;    ///< "x86-64-v3", the name that the artefact states
  uint32_t featureBits; ///< GEN_X86_64_V3 ... of gen/artefact.h
  std::unique_ptr<llvm::TargetMachine> machine;
};

/// `cpu` is "native" or an x86-64 level. Native means the highest level that this machine has.
llvm::Expected<CpuTarget> makeCpuTarget(llvm::StringRef cpu, int optimization);

/// Sets the target's attributes on all functions and runs the light mid-end.
void prepareForCpu(llvm::Module &module, CpuTarget &target, int optimization);

/// Writes assembly or an object file.
llvm::Error emitCpuCode(llvm::Module &module, CpuTarget &target, bool assembly,
                        llvm::raw_pwrite_stream &out);

/// Links an object file into a shared object with lld.
llvm::Error linkSharedObject(llvm::StringRef object, llvm::StringRef output);

} // namespace mlir::gen

#endif // GEN_PASSES_TARGET_CPU_H
