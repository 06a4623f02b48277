//===- Optimizers.cpp - optimizers ----------------------------------------===//

#include "gen/optimizers.hpp"
#include "Diagnostic.h"

namespace gen {

/// The variable of that name under `scope`, made with zeros at its first use.
static Variable stateOf(const Scope &scope, const std::string &name, DType dtype,
                        const Shape &shape) {
  const std::string whole = (scope / name).path();
  for (const Variable &variable : scope.variables())
    if (variable.name() == whole)
      return variable;
  return scope.variable(name, dtype, shape);
}

static void requireVariables(const Scope &scope, const std::vector<Variable> &variables,
                             SourceLocation where) {
  if (variables.empty())
    throw detail::Diagnostic(where, scope.path() + ".minimize", "there are no variables to change")
        .hint("(program / \"name\").variables() are those below the scope 'name'")
        .error();
}

void Adam::minimize(const Tensor &loss, const std::vector<Variable> &variables,
                    SourceLocation where) {
  SourceScope lines(where);
  requireVariables(scope, variables, where);
  std::vector<std::string> given;
  for (const Variable &variable : variables)
    given.push_back(variable.name());
  if (!names.empty() && given != names)
    throw detail::Diagnostic(where, scope.path() + ".minimize",
                             "it has been given other variables before")
        .hint("make one optimizer for each network, as Adam(program / \"adam_d\")")
        .error();
  names = given;
  std::vector<Tensor> gradients = gradient(loss, variables);

  // Corrections of the moments' bias, computed once for all variables; powers near 1 need f64.
  Variable step = stateOf(scope, "step", i64, {});
  assign(step, step + 1);
  Tensor steps = cast(step, f64);
  Tensor rate = cast(options.learning_rate / (1.0 - pow(options.beta1, steps)), f32);
  Tensor scale = cast(1.0 / sqrt(1.0 - pow(options.beta2, steps)), f32);

  for (size_t i = 0; i < variables.size(); ++i) {
    const Variable &w = variables[i];
    const Tensor &g = gradients[i];
    Variable mean = stateOf(scope / w.name(), "exp_avg", w.dtype(), w.shape());
    Variable square = stateOf(scope / w.name(), "exp_avg_sq", w.dtype(), w.shape());
    Tensor m = options.beta1 * mean + (1 - options.beta1) * g;
    Tensor v = options.beta2 * square + (1 - options.beta2) * (g * g);
    assign(mean, m);
    assign(square, v);
    assign(w,
           w - cast(rate, w.dtype()) * (m / (sqrt(v) * cast(scale, w.dtype()) + options.epsilon)));
  }
}

void SGD::minimize(const Tensor &loss, const std::vector<Variable> &variables,
                   SourceLocation where) {
  SourceScope lines(where);
  requireVariables(scope, variables, where);
  std::vector<Tensor> gradients = gradient(loss, variables);
  for (size_t i = 0; i < variables.size(); ++i) {
    const Variable &w = variables[i];
    Tensor direction = gradients[i];
    if (options.momentum != 0) {
      Variable velocity = stateOf(scope / w.name(), "momentum_buffer", w.dtype(), w.shape());
      direction = options.momentum * velocity + direction;
      assign(velocity, direction);
    }
    assign(w, w - options.learning_rate * direction);
  }
}

} // namespace gen
