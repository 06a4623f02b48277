//===- Nn.cpp - layers ----------------------------------------------------===//

#include "gen/nn.hpp"
#include "Ops.h"

#include <algorithm>
#include <cmath>

using namespace gen::detail;

namespace gen {

Linear::Linear(const Scope &scope, int64_t inputs, int64_t outputs, LinearOptions options,
               SourceLocation where)
    : path(scope.path()) {
  if (inputs < 1 || outputs < 1)
    throw Diagnostic(where, "Linear '" + path + "'",
                     "expected sizes of at least 1, got " + std::to_string(inputs) +
                         " inputs and " + std::to_string(outputs) + " outputs")
        .error();
  double bound = 1 / std::sqrt(static_cast<double>(inputs));
  Initializer initial = Initializer::uniform(-bound, bound);
  weight = scope.variable("weight", f32, {outputs, inputs}, initial, where);
  if (options.bias)
    bias = scope.variable("bias", f32, {outputs}, initial, where);
}

/// "did you mean to pass z (f32[batch, 20], vae.cpp:21:14)?", if there is such a value.
static std::string suggestion(const Tensor &x, const Dimension &inputs, SourceLocation where) {
  auto other = Entry::current("Linear", where).findByLastDimension(x.rank(), inputs);
  return other ? "; did you mean to pass " + other->text + " (" +
                     describe(other->dtype, other->shape) + ", " + str(other->where) + ")?"
               : "";
}

Tensor Linear::operator()(const Tensor &x, SourceLocation where) const {
  SourceScope scope(where);
  Dimension inputs = weight.dimension(1);
  if (x.rank() == 0 || x.dimension(-1) != inputs) {
    std::string columns = x.rank() == 0 ? "no columns" : count(x.dimension(-1), "column");
    throw Diagnostic(where, "gen.matmul",
                     "lhs has " + columns + ", rhs has " + count(inputs, "row"))
        .operand("lhs", x)
        .operand("rhs", weight, "transposed")
        .hint("Linear '" + path + "' was made for " + count(inputs, "input") +
              suggestion(x, inputs, where))
        .error();
  }
  // A matrix of all vectors along the last axis.
  Tensor rows = reshape(x, {-1, inputs});
  Tensor y = matmul(rows, weight, {.transpose_rhs = true});
  if (bias.handle())
    y = y + bias;
  Shape shape = x.shape();
  shape.back() = weight.dimension(0);
  return reshape(y, shape).named(callText(path, {x.text()}));
}

Embedding::Embedding(const Scope &scope, int64_t rows, int64_t width, Initializer initial,
                     SourceLocation where)
    : path(scope.path()) {
  if (rows < 1 || width < 1)
    throw Diagnostic(where, "Embedding '" + path + "'",
                     "expected sizes of at least 1, got " + std::to_string(rows) + " rows of " +
                         std::to_string(width))
        .error();
  weight = scope.variable("weight", f32, {rows, width}, initial, where);
}

Tensor Embedding::operator()(const Tensor &indices, SourceLocation where) const {
  SourceScope scope(where);
  return gather(weight, indices, where).named(callText(path, {indices.text()}));
}

Layer ReLU() {
  return [](const Tensor &x, SourceLocation where) { return relu(x, where); };
}
Layer LeakyReLU(double slope) {
  return [slope](const Tensor &x, SourceLocation where) { return leaky_relu(x, slope, where); };
}
Layer Tanh() {
  return [](const Tensor &x, SourceLocation where) { return tanh(x, where); };
}
Layer Sigmoid() {
  return [](const Tensor &x, SourceLocation where) { return sigmoid(x, where); };
}

/// Drops what a mask of that shape, which broadcasts, says.
static Tensor dropped(const char *name, const Tensor &x, const Shape &shape, double probability,
                      SourceLocation where) {
  SourceScope scope(where);
  requireFloat(name, x, where);
  if (!(probability >= 0 && probability <= 1))
    throw Diagnostic(where, name,
                     "expected a probability from 0 to 1, got " + numberText(probability))
        .error();
  if (!isTraining() || probability == 0)
    return x;
  Tensor kept = bernoulli(shape, 1 - probability);
  double scale = probability < 1 ? 1 / (1 - probability) : 0;
  return gen::where(kept, scale * x, 0.0).named(callText(name, {x.text()}));
}

Tensor dropout(const Tensor &x, double probability, SourceLocation where) {
  return dropped("dropout", x, x.shape(), probability, where);
}

Tensor dropout_channels(const Tensor &x, double probability, SourceLocation where) {
  if (x.rank() < 2)
    throw Diagnostic(where, "dropout_channels", "expected [batch, channels, ...]")
        .operand("input", x)
        .error();
  Shape shape(static_cast<size_t>(x.rank()), Dimension(1));
  std::copy_n(x.shape().begin(), 2, shape.begin());
  return dropped("dropout_channels", x, shape, probability, where);
}

Layer Dropout(double probability) {
  return [=](const Tensor &x, SourceLocation where) { return dropout(x, probability, where); };
}
Layer Dropout2d(double probability) {
  return [=](const Tensor &x, SourceLocation where) {
    return dropout_channels(x, probability, where);
  };
}

PReLU::PReLU(const Scope &scope, int64_t parameters, double initial, SourceLocation where)
    : path(scope.path()) {
  if (parameters < 1)
    throw Diagnostic(where, "PReLU '" + path + "'",
                     "expected at least one parameter, got " + std::to_string(parameters))
        .error();
  weight = scope.variable("weight", f32, {parameters}, Initializer::constant(initial), where);
}

Tensor PReLU::operator()(const Tensor &x, SourceLocation where) const {
  SourceScope scope(where);
  Dimension parameters = weight.dimension(0);
  Shape shape(static_cast<size_t>(x.rank()), Dimension(1));
  if (parameters != Dimension(1)) {
    if (x.rank() < 2 || x.dimension(1) != parameters)
      throw Diagnostic(where, "PReLU '" + path + "'",
                       "expected " + count(parameters, "channel") + " along axis 1")
          .operand("x", x)
          .error();
    shape[1] = parameters;
  }
  return gen::where(x > 0.0, x, reshape(weight, shape) * x).named(callText(path, {x.text()}));
}

Sequential &Sequential::add(Layer layer) {
  layers.push_back(std::move(layer));
  return *this;
}

Sequential &Sequential::linear(int64_t inputs, int64_t outputs, LinearOptions options,
                               SourceLocation where) {
  return add(Linear(next(), inputs, outputs, options, where));
}

Tensor Sequential::operator()(const Tensor &x, SourceLocation where) const {
  SourceScope scope(where);
  Tensor y = x;
  for (const Layer &layer : layers)
    y = layer(y, where);
  return y;
}

Mlp::Mlp(const Scope &scope, const std::vector<int64_t> &sizes, const MlpOptions &options,
         SourceLocation where)
    : Sequential(scope) {
  if (sizes.size() < 2)
    throw Diagnostic(where, "Mlp '" + scope.path() + "'", "expected at least two sizes").error();
  for (size_t i = 0; i + 1 < sizes.size(); ++i) {
    linear(sizes[i], sizes[i + 1], {}, where);
    if (i + 2 < sizes.size())
      add(options.activation);
  }
  if (options.last)
    add(options.last);
}

} // namespace gen
