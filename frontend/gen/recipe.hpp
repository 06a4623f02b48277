//===- gen/recipe.hpp - how a model is trained ------------------*- C++ -*-===//
//
// All that training, evaluation and sampling have to know of a model beyond its entries. The rest
// they ask the compiled model for: what is called is what there is.
//
//   train_step  inputs as Recipe::inputs says; its f32 scalars are the losses, the first is shown
//   evaluate    inputs as train_step's; its f32 scalars are averages over the batch; lowest is best
//               in the first
//
//===----------------------------------------------------------------------===//

#ifndef GEN_RECIPE_HPP
#define GEN_RECIPE_HPP

#include "gen/loader.hpp"
#include "gen/runtime.hpp"

#include <optional>

namespace gen {

/// Numbers that `--set key=value` changes, by name.
using Settings = std::map<std::string, double>;

/// Named numbers, in order.
using Figures = std::vector<std::pair<std::string, double>>;

/// What is gathered over the examples of an evaluation, beyond averages.
class Report {
public:
  virtual ~Report() = default;
  /// Takes in the results of `evaluate` for a batch of `source`.
  virtual void add(const Results &results, const data::Source &source,
                   const data::Batch &batch) = 0;
  virtual Figures figures() const = 0;
  /// For people; ends in a line break.
  virtual std::string text() const = 0;
  /// Writes pictures into a folder.
  virtual void write(const std::string &folder) const = 0;
};

/// How samples are drawn; a model takes what concerns it.
struct SampleOptions {
  std::string prompt;     ///< text to go on with
  int64_t length = 500;   ///< characters
  double temperature = 1; ///< 0: always the likeliest
  int64_t topK = 0;       ///< only the likeliest so many; 0: all
  double topP = 1;        ///< only the likeliest that have this probability together
};

/// What an output is made from.
struct OutputContext {
  Session &session;
  const data::Source *test; ///< null where there is none
  const SampleOptions &options;
  std::string folder;
  /// Told how many steps of a diffusion are done and left, after each part of them; false ends it
  /// with what there is. Empty: goes on.
  std::function<bool(int64_t done, int64_t left)> progress = nullptr;
};
/// Writes something for people to look at: pictures, a text.
using Output = std::function<void(const OutputContext &context)>;

struct Recipe {
  /// Opens the data of a path, or what needs no file where that is "". `known` is what weights that
  /// are gone on with say of theirs.
  std::function<data::TrainingData(const std::string &path, const Settings &settings,
                                   const data::Metadata &known)>
      data;
  std::vector<std::string> inputs; ///< features of the data, one for each argument of train_step
  /// The entries that a step calls, given its number from 1 and the model's settings; only
  /// `train_step` if there is none. They take the inputs, or nothing.
  std::function<std::vector<std::string>(int64_t step, const Settings &settings)> calls;
  int64_t steps = 0;            ///< by default
  int64_t batch = 128;          ///< by default
  int64_t evaluateEvery = 0;    ///< steps; 0: after each epoch
  int64_t evaluateBatch = 1000; ///< at most
  data::Order order = data::Order::Shuffled;
  /// The values of black and white, where the entry `sample` returns images as `x`, [count, height
  /// * width] (square) or [count, channels, height, width]; and perhaps as `labels`, i64 [count],
  /// of which class each was to be.
  std::optional<data::ImageOptions> images;
  std::vector<Output> samples; ///< with each evaluation, and of `gen-zoo sample`
  std::vector<Output> outputs; ///< at the end of a run
  std::function<std::unique_ptr<Report>()> report; ///< or none
};

} // namespace gen

#endif // GEN_RECIPE_HPP
