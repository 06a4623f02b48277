//===- op-completeness.cpp - nothing about an op is forgotten -------------===//
//
// Walks the dialect. Each op needs a description with an example, reference semantics, a derivative
// or the reason why there is none, a lowering, and a row of the op table. What the .td files say
// comes from `llvm-tblgen --dump-json`.
//
//===----------------------------------------------------------------------===//

#include "OpTable.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include <gtest/gtest.h>
#include <map>
#include <set>

namespace {

using mlir::OperationName;

/// Ops that are structure, not computation.
const std::map<std::string, std::string> kStructure = {
    {"gen.variable", "declares state; gen.read and gen.assign have its semantics"},
    {"gen.kernel", "a container; gen.launch has its semantics"},
    {"gen.yield", "a terminator; gen.launch has its semantics"},
    {"gen.gradient", "expanded by --gen-differentiate, which its row runs"},
};

/// Ops that a stage of the compiler handles by itself, whatever interface they have.
const std::set<std::string> kHandledByStage = {"gen.variable", "gen.read",   "gen.assign",
                                               "gen.gradient", "gen.kernel", "gen.launch",
                                               "gen.yield"};

/// Descriptions by op name.
std::map<std::string, std::string> readDescriptions() {
  std::map<std::string, std::string> descriptions;
  auto file = llvm::MemoryBuffer::getFile(GEN_OPS_JSON);
  if (!file) {
    ADD_FAILURE() << GEN_OPS_JSON << ": " << file.getError().message();
    return descriptions;
  }
  llvm::Expected<llvm::json::Value> json = llvm::json::parse((*file)->getBuffer());
  if (!json) {
    ADD_FAILURE() << llvm::toString(json.takeError());
    return descriptions;
  }
  const llvm::json::Object &records = *json->getAsObject();
  for (const llvm::json::Value &name : *records.getObject("!instanceof")->getArray("Op")) {
    const llvm::json::Object &op = *records.getObject(*name.getAsString());
    if (op.getObject("opDialect")->getString("def") == "Gen_Dialect")
      descriptions["gen." + op.getString("opName")->str()] =
          op.getString("description").value_or("").str();
  }
  return descriptions;
}

class OpCompleteness : public testing::Test {
protected:
  std::unique_ptr<mlir::MLIRContext> context = optable::makeContext();

  /// Fails, naming the op, wherever `isMissing`.
  void expectNone(const std::string &what, llvm::function_ref<bool(OperationName)> isMissing) {
    int count = 0;
    for (mlir::RegisteredOperationName name : context->getRegisteredOperations()) {
      if (name.getDialectNamespace() != "gen")
        continue;
      EXPECT_FALSE(isMissing(name)) << name.getStringRef().str() << " lacks " << what;
      ++count;
    }
    EXPECT_GT(count, 0);
  }
};

TEST_F(OpCompleteness, Description) {
  auto descriptions = readDescriptions();
  expectNone("a description",
             [&](OperationName name) { return descriptions[name.getStringRef().str()].empty(); });
}

TEST_F(OpCompleteness, Example) {
  auto descriptions = readDescriptions();
  expectNone("an example in its description", [&](OperationName name) {
    const std::string &text = descriptions[name.getStringRef().str()];
    size_t fence = text.find("```mlir");
    return fence == std::string::npos ||
           text.find(name.getStringRef().str(), fence) == std::string::npos;
  });
}

TEST_F(OpCompleteness, ReferenceSemantics) {
  expectNone("reference semantics", [&](OperationName name) {
    return !name.hasInterface<mlir::gen::ReferenceOpInterface>() &&
           !kStructure.count(name.getStringRef().str());
  });
}

TEST_F(OpCompleteness, Derivative) {
  expectNone("a derivative or the reason why there is none", [&](OperationName name) {
    // Kernels are made after differentiation.
    if (kStructure.count(name.getStringRef().str()) || name.getStringRef() == "gen.launch" ||
        name.hasInterface<mlir::gen::DifferentiableOpInterface>() ||
        name.hasInterface<mlir::gen::DecomposableOpInterface>()) // that of its parts
      return false;
    auto *reason = name.getInterface<mlir::gen::NotDifferentiableOpInterface>();
    return !reason || reason->whyNotDifferentiable().empty();
  });
}

TEST_F(OpCompleteness, Lowering) {
  expectNone("a lowering", [&](OperationName name) {
    return !name.hasInterface<mlir::gen::PointwiseOpInterface>() &&
           !name.hasInterface<mlir::gen::ReductionOpInterface>() &&
           !name.hasInterface<mlir::gen::ContractionOpInterface>() &&
           !name.hasInterface<mlir::gen::AnchorOpInterface>() &&
           !name.hasInterface<mlir::gen::DecomposableOpInterface>() &&
           !kHandledByStage.count(name.getStringRef().str());
  });
}

TEST_F(OpCompleteness, OpTableRow) {
  std::set<std::string> rows;
  for (const optable::Row &row : optable::rows())
    rows.insert(row.op);
  expectNone("a row in the op table (test/unit/OpTable.cpp)",
             [&](OperationName name) { return !rows.count(name.getStringRef().str()); });
}

TEST_F(OpCompleteness, RowsAreOfTheDialect) {
  for (const optable::Row &row : optable::rows())
    EXPECT_TRUE(OperationName(row.op, context.get()).isRegistered()) << row.op;
}

} // namespace
