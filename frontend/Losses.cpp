//===- Losses.cpp - losses ------------------------------------------------===//

#include "gen/losses.hpp"
#include "Ops.h"

using namespace gen::detail;

namespace gen {

Tensor bce(const Tensor &probabilities, const Operand &targets, SourceLocation where) {
  SourceScope scope(where);
  // The inner choice keeps log(0) away: its infinite derivative times 0 would be NaN.
  auto logarithm = [](const Tensor &p) {
    return gen::where(p > 0.0, log(gen::where(p > 0.0, p, 1.0)), -100.0);
  };
  Tensor yes = logarithm(probabilities), no = logarithm(1.0 - probabilities);
  return -(targets * yes + (1.0 - targets) * no);
}

Tensor cross_entropy(const Tensor &logits, const Tensor &labels, SourceLocation where) {
  constexpr const char *kName = "gen.cross_entropy";
  requireFloat(kName, logits, where);
  Shape rows = logits.shape();
  if (!rows.empty())
    rows.pop_back();
  if (logits.rank() < 1 || rows != labels.shape() ||
      (labels.dtype() != i32 && labels.dtype() != i64))
    throw Diagnostic(where, kName,
                     "expected a label of i32 or i64 for each row of logits along the last axis")
        .operand("logits", logits)
        .operand("labels", labels)
        .error();
  Entry &entry = Entry::current(kName, where);
  mlir::Value x = entry.value(logits, where), classes = entry.value(labels, where);
  return entry.emit<mlir::gen::CrossEntropyOp>(
      where, logits.dtype(), rows, callText("cross_entropy", {logits.text(), labels.text()}), x,
      classes);
}

Tensor mse(const Tensor &prediction, const Operand &target, SourceLocation where) {
  SourceScope scope(where);
  return mean(square(prediction - target));
}

Tensor l1(const Tensor &prediction, const Operand &target, SourceLocation where) {
  SourceScope scope(where);
  return mean(abs(prediction - target));
}

Tensor kl_standard_normal(const Tensor &mean, const Tensor &log_variance, SourceLocation where) {
  SourceScope scope(where);
  return 0.5 * (square(mean) + exp(log_variance) - log_variance - 1.0);
}

} // namespace gen
