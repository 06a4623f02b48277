//===- ArtefactTables.h - constant tables as LLVM globals -------*- C++ -*-===//
//
// Writes C structs (runtime/gen/artefact.h) as constant globals of the LLVM dialect.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_ARTEFACTTABLES_H
#define GEN_PASSES_ARTEFACTTABLES_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include <variant>

namespace mlir::gen {

/// A field of a table: a number of 4 or 8 bytes, a string of fixed bytes, or the address of a
/// symbol (empty: null).
struct Field {
  enum Kind { U32, I64, Bytes, Address } kind;
  int64_t number = 0;
  std::string text;

  static Field u32(int64_t number) { return {U32, number, {}}; }
  static Field i64(int64_t number) { return {I64, number, {}}; }
  static Field bytes(StringRef bytes) { return {Bytes, 0, bytes.str()}; }
  static Field address(StringRef symbol) { return {Address, 0, symbol.str()}; }
};
using Record = SmallVector<Field>;

class ArtefactTables {
public:
  explicit ArtefactTables(ModuleOp module);

  /// A NUL-terminated string; returns its symbol. Equal strings are one.
  std::string string(StringRef text);
  /// Who sees a table: this module, the objects it is linked with, or users of the linked file.
  enum Visibility { Local, Linked, Exported };
  /// An array of records of one shape; returns its symbol ("" for none). `symbol` names it.
  std::string records(StringRef symbol, ArrayRef<Record> records, Visibility visibility = Local,
                      StringRef section = "");
  /// Dense data of a constant; returns its symbol, which follows from the data: equal data of
  /// several objects are linked as one.
  std::string data(ElementsAttr value);
  /// A table of another object that this one is linked with.
  void declare(StringRef symbol);

private:
  Type typeOf(const Field &field);
  Value emit(ImplicitLocOpBuilder &b, const Field &field);

  ModuleOp module;
  ImplicitLocOpBuilder b;
  llvm::StringMap<std::string> strings;
  llvm::StringSet<> known; ///< symbols of data
};

} // namespace mlir::gen

#endif // GEN_PASSES_ARTEFACTTABLES_H
