//===- Gradients.cpp - gradients and assignments --------------------------===//

#include "Ops.h"

#include "mlir/Transforms/RegionUtils.h"

using namespace gen::detail;

namespace gen {

/// True if `y` is computed from `x`.
static bool dependsOn(mlir::Value y, mlir::Value x) {
  llvm::SmallVector<mlir::Value> pending = {y};
  llvm::DenseSet<mlir::Value> seen;
  while (!pending.empty()) {
    mlir::Value value = pending.pop_back_val();
    if (value == x)
      return true;
    mlir::Operation *op = value.getDefiningOp();
    if (!op || !seen.insert(value).second)
      continue;
    pending.append(op->operand_begin(), op->operand_end());
    llvm::SetVector<mlir::Value> captured;
    mlir::getUsedValuesDefinedAbove(op->getRegions(), captured);
    pending.append(captured.begin(), captured.end());
  }
  return false;
}

std::vector<Tensor> gradient(const Tensor &y, const std::vector<Tensor> &xs, SourceLocation where) {
  constexpr const char *kName = "gen.gradient";
  Entry &entry = Entry::current(kName, where);
  requireFloat(kName, y, where);
  if (y.rank() != 0)
    throw Diagnostic(where, kName, "expected the gradient of a scalar")
        .operand("output", y)
        .hint("sum(...) or mean(...) makes it one")
        .error();
  mlir::Value output = entry.value(y, where);
  llvm::SmallVector<mlir::Value> inputs;
  for (const Tensor &x : xs) {
    requireFloat(kName, x, where);
    inputs.push_back(entry.value(x, where));
    if (!dependsOn(output, inputs.back()))
      throw Diagnostic(where, kName, y.text() + " does not depend on " + x.text())
          .operand("output", y)
          .operand("input", x)
          .hint("leave it out, or use it in the loss; a variable that has been assigned since is "
                "another value")
          .error();
  }
  if (inputs.empty())
    return {};
  auto op = mlir::gen::GradientOp::create(entry.builder, entry.locate(where),
                                          mlir::ValueRange(inputs).getTypes(), output, inputs);
  std::vector<Tensor> gradients;
  for (size_t i = 0; i < xs.size(); ++i)
    gradients.push_back(entry.wrap(op->getResult(static_cast<unsigned>(i)), xs[i].dtype(),
                                   xs[i].shape(), callText("gradient", {y.text(), xs[i].text()}),
                                   where));
  return gradients;
}

std::vector<Tensor> gradient(const Tensor &y, const std::vector<Variable> &xs,
                             SourceLocation where) {
  return gradient(y, std::vector<Tensor>(xs.begin(), xs.end()), where);
}

Tensor gradient(const Tensor &y, const Tensor &x, SourceLocation where) {
  return gradient(y, std::vector<Tensor>{x}, where).front();
}

void assign(const Variable &variable, const Tensor &value, SourceLocation where) {
  Entry::current("gen.assign", where).assign(variable, value, where);
}

} // namespace gen
