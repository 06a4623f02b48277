//===- CompiledRow.h - a row of the op table, compiled ----------*- C++ -*-===//
//
// The functions of a row in one artefact, the calls to make, and what the interpreter says of them.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_TEST_UNIT_COMPILEDROW_H
#define GEN_TEST_UNIT_COMPILEDROW_H

#include "Compiled.h"
#include "OpTable.h"
#include "passes/Compiler.h"

namespace optable {

class CompiledRow {
public:
  /// `name` makes the artefact's file one of its own.
  CompiledRow(const Row &row, std::vector<Function> functions, const std::string &name);
  ~CompiledRow();

  /// Each a test failure if it cannot be.
  void interpret();
  void compile(const mlir::gen::CompileOptions &options);

  /// Calls everything in a session; the results have to be the interpreter's up to rounding.
  void check(const gen::SessionOptions &options);
  /// The same, and they have to be the bits of the first check.
  void checkSameBits(const gen::SessionOptions &options);

  /// Copies the artefact to `file`.so, and writes the calls and what they have to come to on a GPU
  /// to `file`.calls (test/gpu/StoredCalls.h): those of few elements, of each entry at least one.
  void store(const std::string &file) const;

private:
  struct Call {
    std::string entry;
    std::vector<mlir::gen::Array> arguments, expected;
    std::vector<gen::Array> first; ///< Results of the first check.
  };

  std::string text() const;
  bool hasGradient(const Function &function) const;
  void addCalls(const Function &function, const Sizes &sizes);
  void run(const gen::SessionOptions &options, bool isFirst);
  double scaleOnDevice(const Call &call, size_t result) const;

  Row row;
  std::vector<Function> functions;
  std::unique_ptr<mlir::MLIRContext> context;
  std::vector<Call> calls;
  std::string path;
};

/// The rows that kernels come from.
std::vector<Row> compiledRows();

} // namespace optable

#endif // GEN_TEST_UNIT_COMPILEDROW_H
