//===- Interpreter.h - the reference interpreter ----------------*- C++ -*-===//
//
// Runs a module as it stands, before or after any pass down to `gen.launch`: slow, obvious,
// floating point in f64. It is the oracle that compiled code is compared with.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_DIALECT_INTERPRETER_H
#define GEN_DIALECT_INTERPRETER_H

#include "dialect/Array.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/DenseMap.h"
#include <map>
#include <string>

namespace mlir::gen {

/// A session on the reference interpreter: the state of a model, and calls of its entries. What
/// goes wrong is reported as a diagnostic at the op. Not for several threads at once; the module
/// must outlive it and is not changed.
class Interpreter : public EvaluationContext {
public:
  /// Variables start with their values, without one with zeros; `random.seed`, where there is one,
  /// with `seed`.
  explicit Interpreter(ModuleOp module, int64_t seed = 0);

  /// Calls an entry. Before the first call the entry `init` runs, if the model has one without
  /// arguments.
  FailureOr<SmallVector<Array>> run(StringRef entry, ArrayRef<Array> arguments);

  Array *variable(StringRef name) override;
  LogicalResult call(Operation *callee, ArrayRef<Array> operands,
                     SmallVectorImpl<Array> &results) override;

private:
  using Values = llvm::DenseMap<Value, Array>;

  FailureOr<SmallVector<Array>> runEntry(StringRef entry, ArrayRef<Array> arguments);
  /// Runs a block; `results` are the operands of its terminator.
  LogicalResult runBlock(Block &block, ArrayRef<Array> arguments, Values &values,
                         SmallVectorImpl<Array> &results);
  LogicalResult runOp(Operation *op, ArrayRef<Array> operands, Values &values,
                      SmallVectorImpl<Array> &results);
  LogicalResult runCall(func::CallOp op, ArrayRef<Array> operands, SmallVectorImpl<Array> &results);
  LogicalResult runIf(scf::IfOp op, bool condition, Values &values,
                      SmallVectorImpl<Array> &results);
  LogicalResult runFor(scf::ForOp op, ArrayRef<Array> operands, Values &values,
                       SmallVectorImpl<Array> &results);
  LogicalResult runWhile(scf::WhileOp op, ArrayRef<Array> operands, Values &values,
                         SmallVectorImpl<Array> &results);

  ModuleOp module;
  std::map<std::string, Array, std::less<>> variables;
  bool isInitialized = false;
  int depth = 0;
};

} // namespace mlir::gen

#endif // GEN_DIALECT_INTERPRETER_H
