//===- Recurrent.cpp - recurrent layers -----------------------------------===//

#include "gen/recurrent.hpp"
#include "Ops.h"
#include "gen/loops.hpp"
#include "gen/nn.hpp"

#include <cmath>

using namespace gen::detail;

namespace gen {

Recurrent::Recurrent(const Scope &scope, const char *kind, int64_t gates, int64_t inputs,
                     int64_t hidden, RecurrentOptions options, SourceLocation where)
    : path(scope.path()), gates(gates), hidden(hidden), options(options) {
  if (inputs < 1 || hidden < 1 || options.layers < 1)
    throw Diagnostic(where, std::string(kind) + " '" + path + "'",
                     "expected sizes and layers of at least 1, got " + std::to_string(inputs) +
                         " inputs, " + std::to_string(hidden) + " hidden, " +
                         std::to_string(options.layers) + " layers")
        .error();
  double bound = 1 / std::sqrt(static_cast<double>(hidden));
  Initializer initial = Initializer::uniform(-bound, bound);
  for (int64_t number = 0; number < options.layers * directions(); ++number) {
    int64_t level = number / directions();
    std::string suffix = "_l" + std::to_string(level) + (number % directions() ? "_reverse" : "");
    auto variable = [&](const char *name, const Shape &shape) {
      return scope.variable(name + suffix, f32, shape, initial, where);
    };
    Layer &layer = layers.emplace_back();
    int64_t width = level == 0 ? inputs : directions() * hidden;
    layer.weight_ih = variable("weight_ih", {gates * hidden, width});
    layer.weight_hh = variable("weight_hh", {gates * hidden, hidden});
    if (options.bias) {
      layer.bias_ih = variable("bias_ih", {gates * hidden});
      layer.bias_hh = variable("bias_hh", {gates * hidden});
    }
  }
}

void Recurrent::check(const Tensor &x, SourceLocation where) const {
  Dimension inputs = layers.front().weight_ih.dimension(1);
  if (x.rank() == 3 && x.dimension(2) == inputs)
    return;
  throw Diagnostic(where, "'" + path + "'",
                   std::string("expected a sequence [") +
                       (options.batch_first ? "batch, steps, " : "steps, batch, ") + inputs.str() +
                       "], got " + describe(x.dtype(), x.shape()))
      .operand("input", x)
      .error();
}

/// Layer number `number` of a state [layers, batch, hidden], or zeros.
static Tensor initial(const Tensor &all, int64_t number, const Shape &shape, DType dtype,
                      SourceLocation where) {
  if (!all.handle())
    return zeros(shape, dtype, where);
  return reshape(slice(all, {0, number, number + 1}, where), shape, where);
}

RecurrentResult Recurrent::operator()(const Tensor &x, const Tensor &hiddenBefore,
                                      const Tensor &cellBefore, SourceLocation where) const {
  SourceScope scope(where);
  check(x, where);
  Tensor y = options.batch_first ? transpose(x, {1, 0, 2}, where) : x;
  Shape shape = {y.dimension(1), hidden}, one = {1, y.dimension(1), hidden};
  std::vector<Tensor> last[2];
  for (int64_t level = 0; level < options.layers; ++level) {
    std::vector<Tensor> outputs;
    for (int64_t direction = 0; direction < directions(); ++direction) {
      int64_t number = level * directions() + direction;
      State state;
      for (int64_t i = 0; i < states; ++i)
        state.push_back(
            initial(i == 0 ? hiddenBefore : cellBefore, number, shape, x.dtype(), where));
      const Layer &layer = layers[static_cast<size_t>(number)];
      outputs.push_back(runLayer(layer, y, state, /*reverse=*/direction == 1, where));
      for (size_t i = 0; i < state.size(); ++i)
        last[i].push_back(reshape(state[i], one, where));
    }
    y = outputs.size() == 1 ? outputs.front() : concat(outputs, 2, where);
    if (level + 1 < options.layers)
      y = dropout(y, options.dropout, where);
  }
  RecurrentResult result;
  result.output =
      (options.batch_first ? transpose(y, {1, 0, 2}, where) : y).named(callText(path, {x.text()}));
  result.hidden = concat(last[0], 0, where);
  if (states > 1)
    result.cell = concat(last[1], 0, where);
  return result;
}

/// x [steps, batch, inputs] to [steps, batch, hidden]; `state` becomes the last one.
Tensor Recurrent::runLayer(const Layer &layer, const Tensor &x, State &state, bool reverse,
                           SourceLocation where) const {
  Tensor rows = reshape(x, {-1, x.dimension(2)}, where);
  Tensor projected = matmul(rows, layer.weight_ih, {.transpose_rhs = true}, where);
  if (options.bias)
    projected =
        projected + (addsBiasOutside() ? layer.bias_ih + layer.bias_hh : Tensor(layer.bias_ih));
  projected = reshape(projected, {x.dimension(0), x.dimension(1), gates * hidden}, where);
  ScanStep result = scan(
      state, {projected},
      [&](const std::vector<Tensor> &values, const std::vector<Tensor> &elements) {
        Tensor product = matmul(values.front(), layer.weight_hh, {.transpose_rhs = true}, where);
        State next = step(elements.front(), product, values, layer);
        return ScanStep{next, {next.front()}};
      },
      {.reverse = reverse}, where);
  state = result.values;
  return result.outputs.front();
}

RNN::RNN(const Scope &scope, int64_t inputs, int64_t hidden, RecurrentOptions options,
         Nonlinearity nonlinearity, SourceLocation where)
    : Recurrent(scope, "RNN", 1, inputs, hidden, options, where), nonlinearity(nonlinearity) {}

Recurrent::State RNN::step(const Tensor &projected, const Tensor &product, const State &,
                           const Layer &) const {
  Tensor sum = projected + product;
  return {nonlinearity == Nonlinearity::Tanh ? tanh(sum) : relu(sum)};
}

GRU::GRU(const Scope &scope, int64_t inputs, int64_t hidden, RecurrentOptions options,
         SourceLocation where)
    : Recurrent(scope, "GRU", 3, inputs, hidden, options, where) {}

Recurrent::State GRU::step(const Tensor &projected, const Tensor &product, const State &state,
                           const Layer &layer) const {
  Tensor biased = options.bias ? product + layer.bias_hh : product;
  std::vector<Tensor> x = chunk(projected, 3, 1), h = chunk(biased, 3, 1);
  Tensor reset = sigmoid(x[0] + h[0]), update = sigmoid(x[1] + h[1]);
  Tensor fresh = tanh(x[2] + reset * h[2]);
  return {fresh + update * (state[0] - fresh)};
}

LSTM::LSTM(const Scope &scope, int64_t inputs, int64_t hidden, RecurrentOptions options,
           SourceLocation where)
    : Recurrent(scope, "LSTM", 4, inputs, hidden, options, where) {
  states = 2;
}

Recurrent::State LSTM::step(const Tensor &projected, const Tensor &product, const State &state,
                            const Layer &) const {
  std::vector<Tensor> gates = chunk(projected + product, 4, 1);
  Tensor cell = sigmoid(gates[1]) * state[1] + sigmoid(gates[0]) * tanh(gates[2]);
  return {sigmoid(gates[3]) * tanh(cell), cell};
}

} // namespace gen
