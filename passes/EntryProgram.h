//===- EntryProgram.h - the code of one entry -------------------*- C++ -*-===//

#ifndef GEN_PASSES_ENTRYPROGRAM_H
#define GEN_PASSES_ENTRYPROGRAM_H

#include "dialect/Gen.h"
#include "passes/Sizes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::gen {

/// On a module: the name of the instruction set, and the bits of gen_artefact_header.features.
inline constexpr StringLiteral kTargetAttr = "gen.target";
inline constexpr StringLiteral kFeaturesAttr = "gen.features";
/// On a module that becomes an object file: the symbol of its tables (default:
/// GEN_ARTEFACT_SYMBOL).
inline constexpr StringLiteral kSymbolAttr = "gen.symbol";
/// On a module that is compiled for several instruction sets: the symbols of the tables of the
/// higher ones (on the lowest), or the symbol of its own (on the others).
inline constexpr StringLiteral kVariantsAttr = "gen.variants";
inline constexpr StringLiteral kVariantAttr = "gen.variant";
/// On a constant that is stored in the artefact: the symbol of its data.
inline constexpr StringLiteral kDataAttr = "gen.data";

/// Emits the functions `plan` and `run` of gen_entry_info for a planned entry.
class EntryProgram {
public:
  EntryProgram(func::FuncOp function, const llvm::StringMap<int64_t> &variables);

  void emitPlan();
  void emitRun();
  /// `run` finds a variable as its only argument, or result, and not among the variables.
  void takeAsArgument(StringRef variable) { argument = variable; }
  void giveAsResult(StringRef variable) { result = variable; }
  std::string planSymbol() const { return func::FuncOp(function).getSymName().str() + ".plan"; }
  std::string runSymbol() const { return func::FuncOp(function).getSymName().str() + ".run"; }

  /// The shape of gen_tensor_info: sizes, or -(1 + i) for dimension symbol i, or INT64_MIN.
  SmallVector<int64_t> argumentShape(BlockArgument argument) const;
  SmallVector<int64_t> resultShape(unsigned number) const;

  func::FuncOp function;
  /// Names of the dimension symbols.
  std::vector<std::string> dimensions;

private:
  void collectDimensions();
  LLVM::LLVMFuncOp start(StringRef symbol, Type result, unsigned pointers);
  Value pointerAt(Value array, int64_t number);
  Value sizeOf(Value tensor, int64_t axis);
  Value indexValue(Value value);
  Value bytesOf(Value tensor);
  /// Byte offsets of the slots, then the total.
  SmallVector<Value> slotOffsets();
  SmallVector<ArrayRef<Operation *>> partsOf(ArrayRef<Operation *> ops);
  void startRun(const std::string &symbol);
  Value pointerTo(Value value);
  void emitOps(ArrayRef<Operation *> ops);
  void launch(LaunchOp op);
  void loop(scf::ForOp op);
  void extract(tensor::ExtractOp op);
  /// The first element of a slice of `length` of `whole`, whose memory is at `base`.
  Value sliceAt(Value base, Value whole, Value index, int64_t axis, int64_t length);
  void update(DynamicUpdateSliceOp op);
  /// Where a launch writes a result.
  Value locate(OpResult result);
  Value pointerOf(Attribute place);
  void finish();
  void assignAtOnce(SmallVector<AssignOp> pending);
  void rotate(ArrayRef<AssignOp> cycle);
  Value variablePointer(StringRef variable);
  void copy(Value to, Value from, Value tensor);
  void exchange(Value one, Value other, Value tensor);
  /// Function `number` of gen_services, counted in words, called with its context and `arguments`.
  LLVM::CallOp callService(int64_t number, Type result, ArrayRef<Value> arguments);
  Value constant(int64_t number);

  const llvm::StringMap<int64_t> &variables;
  std::string argument, result; ///< Of the variables, those that are passed so.
  llvm::DenseMap<std::pair<Value, int64_t>, int64_t>
      symbolOf; // argument and axis -> dimension symbol
  mutable Sizes sizes;
  ImplicitLocOpBuilder b;
  bool onDevice; ///< Tensors are in the memory of a device.
  // While a function is emitted:
  LLVM::LLVMFuncOp current;
  Value dimensionValues, frame, work;
  SmallVector<Value> slots;
  /// Where the loop around keeps what it carries for its next step.
  SmallVector<Value> next;
  /// Of values that launches and loops make, and of sizes.
  llvm::DenseMap<Value, Value> pointers, indices;
};

} // namespace mlir::gen

#endif // GEN_PASSES_ENTRYPROGRAM_H
