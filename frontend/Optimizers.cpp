//===- Optimizers.cpp - optimizers ----------------------------------------===//
//
// First what they share, then each in the order of the header: the next value of one variable.
//
//===----------------------------------------------------------------------===//

#include "gen/optimizers.hpp"
#include "Diagnostic.h"
#include "Entry.h"

namespace gen {

/// The variable of that name under `scope`, made at its first use.
static Variable stateOf(const Scope &scope, const std::string &name, DType dtype,
                        const Shape &shape, Initializer initial = {}) {
  const std::string whole = (scope / name).path();
  for (const Variable &variable : scope.variables())
    if (variable.name() == whole)
      return variable;
  return scope.variable(name, dtype, shape, initial);
}

/// `x` as a number of `dtype`.
static Operand numberOf(const Operand &x, DType dtype) {
  return x.isNumber ? x : Operand(cast(x.tensor, dtype), x.where);
}

/// `value`, or `old` in calls that take no step.
static Tensor choose(const Tensor &isDue, const Tensor &value, const Tensor &old) {
  return isDue.handle() ? where(isDue, value, old) : value;
}

//===----------------------------------------------------------------------===//
// What optimizers share
//===----------------------------------------------------------------------===//

Variable Optimizer::Update::find(const std::string &name, double initial) const {
  return stateOf(scope, name, w.dtype(), w.shape(), Initializer::constant(initial));
}

Tensor Optimizer::Update::state(const std::string &name, double initial) const {
  return find(name, initial);
}

Tensor Optimizer::Update::set(const std::string &name, const Tensor &value, double initial) const {
  Variable variable = find(name, initial);
  assign(variable, choose(isDue, value, variable));
  return value;
}

Tensor Optimizer::Update::decayed(double factor) const { return factor == 0 ? g : g + factor * w; }

std::vector<Operand> Optimizer::scalars(const Tensor &, const Operand &rate) const {
  return {rate};
}

void Optimizer::check(const std::vector<Variable> &variables, const MinimizeOptions &options,
                      SourceLocation where) {
  auto mistake = [&](const std::string &message) {
    return detail::Diagnostic(where, scope.path() + ".minimize", message);
  };
  if (variables.empty())
    throw mistake("there are no variables to change")
        .hint("(program / \"name\").variables() are those below the scope 'name'")
        .error();
  std::vector<std::string> given;
  for (const Variable &variable : variables)
    given.push_back(variable.name());
  if (!names.empty() && given != names)
    throw mistake("it has been given other variables before")
        .hint("make one optimizer for each network, as Adam(program / \"adam_d\")")
        .error();
  names = given;
  if (options.accumulate < 1 || !(options.clip_norm >= 0) || !(options.clip_value >= 0))
    throw mistake("expected accumulate of 1 or more, clip_norm and clip_value of 0 or more, got " +
                  std::to_string(options.accumulate) + ", " + std::to_string(options.clip_norm) +
                  " and " + std::to_string(options.clip_value))
        .error();
}

/// Adds the gradients to those of the calls before; whether this call takes a step. The gradients
/// become the means.
Tensor Optimizer::accumulate(std::vector<Tensor> &gradients, const std::vector<Variable> &variables,
                             int64_t calls) const {
  if (calls == 1)
    return {};
  Variable count = stateOf(scope, "calls", i64, {});
  Tensor isDue = equal(count + 1, calls);
  assign(count, where(isDue, 0, count + 1));
  for (size_t i = 0; i < variables.size(); ++i) {
    const Variable &w = variables[i];
    Variable sum = stateOf(scope / w.name(), "gradient", w.dtype(), w.shape());
    Tensor total = sum + gradients[i];
    assign(sum, where(isDue, 0.0, total));
    gradients[i] = total / static_cast<double>(calls);
  }
  return isDue;
}

static void clip(std::vector<Tensor> &gradients, const MinimizeOptions &options) {
  if (options.clip_value > 0)
    for (Tensor &g : gradients)
      g = maximum(minimum(g, options.clip_value), -options.clip_value);
  if (options.clip_norm == 0)
    return;
  Tensor squares;
  for (const Tensor &g : gradients) {
    Tensor each = cast(sum(square(g)), f32);
    squares = squares.handle() ? squares + each : each;
  }
  Tensor factor = minimum(options.clip_norm / (sqrt(squares) + 1e-6), 1.0);
  for (Tensor &g : gradients)
    g = cast(factor, g.dtype()) * g;
}

void Optimizer::minimize(const Tensor &loss, const std::vector<Variable> &variables,
                         const MinimizeOptions &options, SourceLocation where) {
  SourceScope lines(where);
  check(variables, options, where);
  std::vector<Tensor> gradients = gradient(loss, variables);
  Tensor isDue = accumulate(gradients, variables, options.accumulate);
  clip(gradients, options);

  // Powers of numbers near 1 need f64.
  Variable count = stateOf(scope, "step", i64, {});
  Tensor number = count + 1;
  assign(count, choose(isDue, number, count));
  Operand rate = learningRate;
  if (options.schedule)
    rate = learningRate * options.schedule(cast(number - 1, f64));
  std::vector<Operand> shared = scalars(cast(number, f64), rate);
  for (Operand &scalar : shared)
    scalar = numberOf(scalar, f32);

  for (size_t i = 0; i < variables.size(); ++i) {
    const Variable &w = variables[i];
    std::vector<Operand> own;
    for (const Operand &scalar : shared)
      own.push_back(numberOf(scalar, w.dtype()));
    Update update(scope / w.name(), w, gradients[i], std::move(own), isDue);
    assign(w, choose(isDue, next(update), w));
  }
}

//===----------------------------------------------------------------------===//
// Each of them
//===----------------------------------------------------------------------===//

Tensor SGD::next(const Update &u) const {
  Tensor g = u.decayed(options.weight_decay), direction = g;
  if (options.momentum != 0) {
    Tensor b = u.set("momentum_buffer", options.momentum * u.state("momentum_buffer") + g);
    direction = options.nesterov ? g + options.momentum * b : b;
  }
  return u.w - u.scalars[0] * direction;
}

/// The learning rate and the scale of the second moment's root, with corrections of the moments'
/// bias.
static std::vector<Operand> adamScalars(const Tensor &step, const Operand &rate, double beta1,
                                        double beta2) {
  return {rate / (1.0 - pow(beta1, step)), 1.0 / sqrt(1.0 - pow(beta2, step)), rate};
}

std::vector<Operand> Adam::scalars(const Tensor &step, const Operand &rate) const {
  return adamScalars(step, rate, options.beta1, options.beta2);
}

Tensor Adam::next(const Update &u) const {
  Tensor g = u.decayed(options.weight_decay);
  Tensor m = u.set("exp_avg", options.beta1 * u.state("exp_avg") + (1 - options.beta1) * g);
  Tensor v =
      u.set("exp_avg_sq", options.beta2 * u.state("exp_avg_sq") + (1 - options.beta2) * (g * g));
  return u.w - u.scalars[0] * (m / (sqrt(v) * u.scalars[1] + options.epsilon));
}

std::vector<Operand> AdamW::scalars(const Tensor &step, const Operand &rate) const {
  return adamScalars(step, rate, options.beta1, options.beta2);
}

Tensor AdamW::next(const Update &u) const {
  Tensor m = u.set("exp_avg", options.beta1 * u.state("exp_avg") + (1 - options.beta1) * u.g);
  Tensor v = u.set("exp_avg_sq",
                   options.beta2 * u.state("exp_avg_sq") + (1 - options.beta2) * (u.g * u.g));
  Tensor decayed = u.w - u.scalars[2] * (options.weight_decay * u.w);
  return decayed - u.scalars[0] * (m / (sqrt(v) * u.scalars[1] + options.epsilon));
}

Tensor Adagrad::next(const Update &u) const {
  Tensor g = u.decayed(options.weight_decay);
  const double first = options.initial_accumulator_value;
  Tensor sum = u.set("sum", u.state("sum", first) + g * g, first);
  return u.w - u.scalars[0] * (g / (sqrt(sum) + options.epsilon));
}

Tensor RMSprop::next(const Update &u) const {
  Tensor g = u.decayed(options.weight_decay);
  auto average = [&](const char *name, const Tensor &value) {
    return u.set(name, options.alpha * u.state(name) + (1 - options.alpha) * value);
  };
  Tensor v = average("square_avg", g * g);
  if (options.centered)
    v = v - square(average("grad_avg", g));
  Tensor direction = g / (sqrt(v) + options.epsilon);
  if (options.momentum != 0)
    direction = u.set("momentum_buffer", options.momentum * u.state("momentum_buffer") + direction);
  return u.w - u.scalars[0] * direction;
}

/// factor ||w|| / divisor; 1 where a norm is 0.
static Tensor trustRatio(double factor, const Tensor &weights, const Tensor &divisor) {
  return where(weights > 0.0 && divisor > 0.0, factor * weights / divisor, 1.0);
}

Tensor LARS::next(const Update &u) const {
  Tensor weights = norm(u.w), gradients = norm(u.g);
  Tensor divisor = gradients + options.weight_decay * weights;
  Tensor ratio = trustRatio(options.trust, weights, where(gradients > 0.0, divisor, 0.0));
  Tensor step = u.scalars[0] * (ratio * u.decayed(options.weight_decay));
  return u.w - u.set("momentum_buffer", options.momentum * u.state("momentum_buffer") + step);
}

std::vector<Operand> LAMB::scalars(const Tensor &step, const Operand &rate) const {
  return {rate, 1.0 / (1.0 - pow(options.beta1, step)), 1.0 / sqrt(1.0 - pow(options.beta2, step))};
}

Tensor LAMB::next(const Update &u) const {
  Tensor m = u.set("exp_avg", options.beta1 * u.state("exp_avg") + (1 - options.beta1) * u.g);
  Tensor v = u.set("exp_avg_sq",
                   options.beta2 * u.state("exp_avg_sq") + (1 - options.beta2) * (u.g * u.g));
  Tensor direction =
      (m * u.scalars[1]) / (sqrt(v) * u.scalars[2] + options.epsilon) + options.weight_decay * u.w;
  return u.w - (u.scalars[0] * trustRatio(1, norm(u.w), norm(direction))) * direction;
}

Tensor FTRL::next(const Update &u) const {
  const double first = options.initial_accumulator_value;
  Tensor n = u.state("accumulator", first), sum = n + u.g * u.g;
  Tensor change = (sqrt(sum) - sqrt(n)) / u.scalars[0];
  Tensor z = u.set("linear", u.state("linear") + u.g - change * u.w);
  u.set("accumulator", sum, first);
  Tensor shrunk = sign(z) * maximum(abs(z) - options.l1, 0.0);
  return -shrunk / ((options.beta + sqrt(sum)) / u.scalars[0] + options.l2);
}

Tensor Lion::next(const Update &u) const {
  Tensor m = u.state("exp_avg");
  Tensor direction = sign(options.beta1 * m + (1 - options.beta1) * u.g);
  u.set("exp_avg", options.beta2 * m + (1 - options.beta2) * u.g);
  return u.w - u.scalars[0] * (direction + options.weight_decay * u.w);
}

//===----------------------------------------------------------------------===//
// Averages of the weights
//===----------------------------------------------------------------------===//

Variable EMA::average(const Variable &w) const {
  detail::ProgramState &program = detail::Entry::current("EMA", w.where()).program;
  Variable mean = stateOf(scope, w.name(), w.dtype(), w.shape(), program.initializers.at(w.name()));
  program.streams[mean.name()] = w.name();
  return mean;
}

void EMA::update(const std::vector<Variable> &variables, SourceLocation where) const {
  SourceScope lines(where);
  Variable count = stateOf(scope, "n_averaged", i64, {});
  Tensor kept = gen::where(equal(count, 0), 0.0, full({}, decay));
  assign(count, count + 1);
  for (const Variable &w : variables) {
    Variable mean = average(w);
    Tensor part = cast(kept, w.dtype());
    assign(mean, part * mean + (1.0 - part) * w);
  }
}

void EMA::apply(const std::vector<Variable> &variables, SourceLocation where) const {
  SourceScope lines(where);
  for (const Variable &w : variables)
    detail::Entry::current("EMA.apply", where).substitute(w, average(w), where);
}

} // namespace gen
