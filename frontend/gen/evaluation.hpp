//===- gen/evaluation.hpp - a model on test data ----------------*- C++ -*-===//

#ifndef GEN_EVALUATION_HPP
#define GEN_EVALUATION_HPP

#include "gen/recipe.hpp"

namespace gen {

/// The arguments of an entry from batches of a source.
class Feed {
public:
  /// `inputs` are the features of the source, one for each argument.
  /// Throws std::runtime_error where entry, inputs and source do not fit together.
  Feed(const EntrySpec &entry, const std::vector<std::string> &inputs, const data::Source &source);
  /// Views of the batch, as the entry takes them.
  std::vector<View> operator()(const data::Batch &batch) const;

private:
  struct Argument {
    size_t feature;
    bool integer;
    std::vector<int64_t> shape; ///< without the batch
  };
  std::vector<Argument> arguments;
};

/// The names of an entry's results that are f32 scalars.
std::vector<std::string> scalarsOf(const EntrySpec &entry);

/// Throws std::runtime_error if the metadata of the weights say that they come from other data.
void requireSameData(const Session &session, const data::TrainingData &data);

/// What `evaluate` says of all examples of a source: its scalars, averaged, and the report's
/// figures.
struct Evaluation {
  Figures figures;
  std::unique_ptr<Report> report; ///< null if the recipe has none
};
Evaluation evaluate(Session &session, const Recipe &recipe, const data::Source &source);

/// "loss 2.303, accuracy 0.1".
std::string textOf(const Figures &figures);
/// `,"test_loss":2.303,"test_accuracy":0.1`, the members of a JSON object after its first one. What
/// is not finite is a string, as JSON has no word for it.
std::string jsonOf(const Figures &figures, const std::string &prefix = "");

} // namespace gen

#endif // GEN_EVALUATION_HPP
