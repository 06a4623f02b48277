//===- Evaluation.cpp - a model on test data ------------------------------===//

#include "gen/evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gen {

Feed::Feed(const EntrySpec &entry, const std::vector<std::string> &inputs,
           const data::Source &source) {
  if (entry.inputs.size() != inputs.size())
    throw std::runtime_error(fmt::format("{}: has {} inputs, the recipe names {}", entry.name,
                                         entry.inputs.size(), inputs.size()));
  for (size_t i = 0; i < inputs.size(); ++i) {
    const TensorSpec &spec = entry.inputs[i];
    size_t number = source.find(inputs[i]);
    const data::Feature &feature = source.features()[number];
    Argument argument{number, feature.integer, {}};
    int64_t size = 1;
    for (size_t axis = 1; axis < spec.shape.size(); ++axis) {
      argument.shape.push_back(spec.shape[axis]);
      size *= spec.shape[axis];
    }
    // A row of pixels may be a picture.
    if (spec.shape.empty() || size != feature.size() ||
        spec.dtype != (feature.integer ? GEN_I64 : GEN_F32))
      throw std::runtime_error(fmt::format("{}: input '{}': expected {}, but '{}' of the data are "
                                           "{} each",
                                           entry.name, spec.name, spec.describe(), feature.name,
                                           feature.describe()));
    arguments.push_back(argument);
  }
}

std::vector<View> Feed::operator()(const data::Batch &batch) const {
  std::vector<View> views;
  for (const Argument &argument : arguments) {
    const data::Values &values = batch.features[argument.feature];
    std::vector<int64_t> shape = argument.shape;
    shape.insert(shape.begin(), batch.size);
    if (argument.integer)
      views.emplace_back(values.integers.data(), shape);
    else
      views.emplace_back(values.reals.data(), shape);
  }
  return views;
}

std::vector<std::string> scalarsOf(const EntrySpec &entry) {
  std::vector<std::string> names;
  for (const TensorSpec &result : entry.results)
    if (result.shape.empty() && result.dtype == GEN_F32)
      names.push_back(result.name);
  return names;
}

void requireSameData(const Session &session, const data::TrainingData &data) {
  for (const auto &[key, value] : data.metadata) {
    std::string before = session.metadata(key);
    if (!before.empty() && before != value)
      throw std::runtime_error(
          fmt::format("the weights were trained on other data: the {} of '{}' is not the same", key,
                      data.name));
  }
}

Evaluation evaluate(Session &session, const Recipe &recipe, const data::Source &source) {
  EntrySpec entry = session.model().entry("evaluate");
  Feed feed(entry, recipe.inputs, source);
  Evaluation evaluation;
  for (const std::string &name : scalarsOf(entry))
    evaluation.figures.emplace_back(name, 0);
  if (recipe.report)
    evaluation.report = recipe.report();
  for (int64_t first = 0; first < source.count(); first += recipe.evaluateBatch) {
    data::Batch batch = source.batch(first, std::min(recipe.evaluateBatch, source.count() - first));
    Results results = session.call("evaluate", feed(batch));
    for (auto &[name, sum] : evaluation.figures)
      sum += static_cast<double>(batch.size) * results.scalar<float>(name);
    if (evaluation.report)
      evaluation.report->add(results, source, batch);
  }
  for (auto &[name, sum] : evaluation.figures)
    sum /= static_cast<double>(source.count());
  if (evaluation.report)
    for (const auto &figure : evaluation.report->figures())
      evaluation.figures.push_back(figure);
  return evaluation;
}

std::string textOf(const Figures &figures) {
  std::string text;
  for (const auto &[name, value] : figures)
    text += fmt::format("{}{} {:.5g}", text.empty() ? "" : ", ", name, value);
  return text;
}

std::string jsonOf(const Figures &figures, const std::string &prefix) {
  std::string members;
  for (const auto &[name, value] : figures)
    members += std::isfinite(value) ? fmt::format(",\"{}{}\":{:.9g}", prefix, name, value)
                                    : fmt::format(",\"{}{}\":\"{}\"", prefix, name, value);
  return members;
}

} // namespace gen
