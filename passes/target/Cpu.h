//===- Cpu.h - machine code for CPUs ----------------------------*- C++ -*-===//

#ifndef GEN_PASSES_TARGET_CPU_H
#define GEN_PASSES_TARGET_CPU_H

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace mlir::gen {

/// A CPU to compile for.
struct CpuTarget {
  std::string level;    ///< "x86-64-v3", the name that the artefact states
  uint32_t featureBits; ///< GEN_X86_64_V3 ... of gen/artefact.h
  int optimization;     ///< 0 to 3
  std::function<std::unique_ptr<llvm::TargetMachine>()> makeMachine;
};

/// The names of CPUs to compile for: "native", the x86-64 levels, "aarch64".
llvm::ArrayRef<llvm::StringRef> cpuNames();

/// `cpus` is one name or several x86-64 levels, "x86-64-v3,x86-64-v4". Native means the highest
/// level that this machine has. Lowest first, each once.
llvm::Expected<std::vector<CpuTarget>> makeCpuTargets(llvm::StringRef cpus, int optimization);

/// Sets the target's attributes on all functions and runs the light mid-end.
void prepareForCpu(llvm::Module &module, const CpuTarget &target);

/// Does so and writes assembly or an object file.
llvm::Error emitCpuCode(llvm::Module &module, const CpuTarget &target, bool assembly,
                        llvm::raw_pwrite_stream &out);

/// Writes object files to be linked, several for a large module, on all processors. What they are
/// depends on the module only. Symbols of the module that are known inside only get hidden.
llvm::Expected<std::vector<llvm::SmallString<0>>> emitCpuObjects(llvm::Module &module,
                                                                 const CpuTarget &target);

/// Links object files into a shared object, or into one object file, with lld.
llvm::Error linkObjects(llvm::ArrayRef<std::string> objects, llvm::StringRef output,
                        bool relocatable);

} // namespace mlir::gen

#endif // GEN_PASSES_TARGET_CPU_H
