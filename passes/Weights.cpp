//===- Weights.cpp - initial values from a file ---------------------------===//

#include "passes/Weights.h"

#include "dialect/Gen.h"
#include "passes/DType.h"

#include "File.h"
#include "Safetensors.h"
#include "Tensors.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::gen;
using ::gen::runtime::Safetensors;
using ::gen::runtime::SafetensorsTensor;

namespace {

RankedTensorType typeOf(const ::gen_tensor &tensor, MLIRContext *context) {
  return RankedTensorType::get(ArrayRef(tensor.shape, tensor.rank),
                               elementTypeOf(tensor.dtype, context));
}

/// Names of one kind of problem, at most eight of them.
class NameList {
public:
  void add(const Twine &name) {
    if (++count <= kShown)
      text += (count == 1 ? "" : ", ") + name.str();
  }
  bool empty() const { return count == 0; }
  std::string str(const char *what) const {
    return std::to_string(count) + " " + what + ": " + text + (count > kShown ? ", ..." : "");
  }

private:
  static constexpr size_t kShown = 8;
  std::string text;
  size_t count = 0;
};

class WeightsFile {
public:
  explicit WeightsFile(const std::string &path) : path(path), input(path) {
    if (input.size() < 8)
      ::gen::runtime::fail(GEN_CORRUPT, "%s: file of %llu bytes, too short for safetensors",
                           path.c_str(), static_cast<unsigned long long>(input.size()));
    unsigned char first[8];
    input.read(first, sizeof first, 0);
    std::string text(::gen::runtime::readSafetensorsLength(first, input.size(), path), '\0');
    input.read(text.data(), text.size(), sizeof first);
    header = ::gen::runtime::readSafetensorsHeader(text, input.size(), path);
  }

  DenseElementsAttr read(const SafetensorsTensor &tensor, RankedTensorType type) const {
    std::vector<char> bytes(tensor.end - tensor.begin);
    input.read(bytes.data(), bytes.size(), tensor.begin);
    if (!type.getElementType().isInteger(1))
      return DenseElementsAttr::getFromRawBuffer(type, bytes);
    SmallVector<bool> booleans;
    for (char byte : bytes) {
      if (byte != 0 && byte != 1)
        ::gen::runtime::fail(GEN_CORRUPT, "%s: tensor '%s': value %d of a BOOL, expected 0 or 1",
                             path.c_str(), tensor.name.c_str(), byte);
      booleans.push_back(byte == 1);
    }
    return DenseElementsAttr::get(type, booleans);
  }

  Safetensors header;

private:
  std::string path;
  ::gen::runtime::InputFile input;
};

/// What `init` assigns would replace the file's values when a session starts.
LogicalResult dropAssignments(ModuleOp module, const llvm::StringSet<> &names) {
  auto init = module.lookupSymbol<func::FuncOp>("init");
  if (!init || !init.isPublic() || init.isExternal() || init.getNumArguments() != 0)
    return success();
  PassManager pm(module.getContext());
  pm.addPass(createInlinerPass()); // assignments may stand in functions that `init` calls
  if (failed(pm.run(module)))
    return failure();
  init.walk([&](AssignOp assign) {
    if (names.contains(assign.getVariable()))
      assign.erase();
  });
  return success();
}

LogicalResult apply(ModuleOp module, const std::string &path) {
  WeightsFile file(path);
  llvm::StringMap<VariableOp> variables;
  for (auto variable : module.getOps<VariableOp>())
    variables[variable.getSymName()] = variable;
  llvm::StringSet<> found;
  NameList unexpected, mismatched, missing;
  for (const SafetensorsTensor &tensor : file.header.tensors) {
    VariableOp variable = variables.lookup(tensor.name);
    if (!variable) {
      unexpected.add(tensor.name);
      continue;
    }
    found.insert(tensor.name);
    if (typeOf(tensor.tensor, module.getContext()) != variable.getType()) {
      std::string expected;
      llvm::raw_string_ostream(expected) << variable.getType();
      mismatched.add(tensor.name + " (expected " + expected + ", got " +
                     ::gen::runtime::describe(tensor.tensor) + ")");
    }
  }
  for (auto variable : module.getOps<VariableOp>())
    if (!found.contains(variable.getSymName()))
      missing.add(variable.getSymName());
  std::string problems;
  if (!mismatched.empty())
    problems += "; " + mismatched.str("mismatched");
  if (!unexpected.empty())
    problems += "; " + unexpected.str("unexpected");
  if (found.empty())
    problems += "; no variable of the model is in it";
  if (!problems.empty())
    return emitError(UnknownLoc::get(module.getContext()))
           << path << ": does not fit the model" << problems;
  if (!missing.empty())
    emitWarning(UnknownLoc::get(module.getContext()))
        << path << ": " << missing.str("not in the file, with the model's own initial values");
  if (failed(dropAssignments(module, found)))
    return failure();
  for (const SafetensorsTensor &tensor : file.header.tensors) {
    VariableOp variable = variables.lookup(tensor.name);
    variable.setValueAttr(file.read(tensor, cast<RankedTensorType>(variable.getType())));
  }
  return success();
}

} // namespace

LogicalResult mlir::gen::setInitialValues(ModuleOp module, const std::string &path) try {
  return apply(module, path);
} catch (const ::gen::runtime::Failure &failure) {
  return emitError(UnknownLoc::get(module.getContext())) << failure.message;
} catch (const std::bad_alloc &) {
  return emitError(UnknownLoc::get(module.getContext())) << path << ": out of memory";
}
