//===- Compiler.h - from a module to an artefact ----------------*- C++ -*-===//
//
// The compiler as a library: what `gencc` and `gen::compile` call.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_COMPILER_H
#define GEN_PASSES_COMPILER_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"
#include <string>

namespace mlir::gen {

/// What comes out of compiling, by how far it goes.
enum class Stage {
  Gen,     ///< the module as read
  Kernels, ///< differentiated, simplified, fused and planned: gen.kernel and gen.launch
  Loops,   ///< loop nests on bare pointers
  Llvm,    ///< LLVM IR (text)
  Asm,     ///< assembly (text)
  Obj,     ///< object file
  So       ///< shared object: the artefact
};

/// What the code of a GPU is in an artefact.
enum class DeviceCode {
  Ptx,    ///< for the driver
  Cubin,  ///< the same, and before it machine code, by ptxas
  Bitcode ///< LLVM's, for an emulator
};

struct CompileOptions {
  /// What kernels run on: "cpu", "cuda" (NVIDIA GPUs), or both, separated by a comma.
  std::string target = "cpu";
  DeviceCode deviceCode = DeviceCode::Ptx;
  /// "native", an x86-64 level ("x86-64-v2", "x86-64-v3", "x86-64-v4") or several, separated by
  /// commas, or "aarch64". With several, the runtime takes the highest that the processor has.
  std::string cpu = "native";
  /// 0 to 3. The results do not depend on it.
  int optimization = 3;
  /// Name of the model in the artefact; the module's own name if it has one.
  std::string name = "model";
  /// Prints the module to stderr after this pass ("gen-fuse-kernels"), or after each ("all").
  std::string dumpAfter;
  /// Where to write a C++ header of the entries (Stage::Obj and Stage::So; "" for none), and a page
  /// about kernels and memory (HTML, Stage::Kernels and later).
  std::string header, report;
  /// "f32": as the model is written. "int8w": weights that an entry only reads in eight bits, with
  /// a scale a column; sums stay f32. "int8": what they are multiplied with, too, with a scale a
  /// row. "bf16", "f16": operands of products rounded to it; sums, and all else, stay f32. "tf32":
  /// GPUs multiply f32 with ten bits of mantissa, on tensor cores; on CPUs as "f32".
  std::string precision = "f32";
  /// What variables and intermediate values of an entry may take, in bytes; negative: no limit.
  int64_t memoryBudget = -1;
  /// A file of measured schedules ("" for none; ScheduleTable.h).
  std::string schedules;
  /// The module has kernels and their launches already, as the pipeline makes them: it is planned
  /// and emitted.
  bool isFused = false;
  /// Reports the time of each stage, and the memory of each entry, to stderr.
  bool verbose = false;
};

/// Registers the dialects that models and the compiler use, and the translations to LLVM IR.
void registerCompilerDialects(DialectRegistry &registry);

/// Parses a model. Diagnostics go to the context's handler; null on failure. Text nested too deeply
/// for the parser is refused.
OwningOpRef<ModuleOp> parseModel(StringRef path, MLIRContext &context);

/// The part of the pipeline that stays in the gen dialect (up to Stage::Kernels).
void buildKernelPipeline(OpPassManager &pm, const CompileOptions &options = {},
                         bool onDevice = false);
/// From kernels to loop nests and the launch program (up to Stage::Loops).
void buildEmissionPipeline(OpPassManager &pm, bool onDevice = false);
/// From loop nests to the LLVM dialect.
void buildLlvmPipeline(OpPassManager &pm);

/// Runs the part of the pipeline up to Stage::Kernels on `module`, for one CPU or a GPU alone.
LogicalResult makeKernels(ModuleOp module, const CompileOptions &options);

/// Compiles `module` (which is changed on the way) up to `stage` and writes the result to `path`
/// ("-" is stdout). In an object file the artefact's tables have a symbol named after the model
/// (see
/// --header), so that several models can be linked into one program. Diagnostics go to the
/// context's handler. An existing file is replaced only by a complete new one.
LogicalResult compile(ModuleOp module, Stage stage, StringRef path, const CompileOptions &options);

} // namespace mlir::gen

#endif // GEN_PASSES_COMPILER_H
