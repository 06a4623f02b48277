//===- gen/trainer.hpp - a training loop ------------------------*- C++ -*-===//
//
// For any model that has an entry `train_step` and a recipe: batches in an order that depends on
// the seed only, progress, evaluations, checkpoints, and pictures or texts. Where a run stands is
// in the session: its variables (weights, optimizers' state, the counter of random numbers) and its
// metadata (steps taken, which are batches dealt). So a run that is resumed from its weights file
// goes on with the same batches and the same random numbers, bit for bit.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_TRAINER_HPP
#define GEN_TRAINER_HPP

#include "gen/evaluation.hpp"
#include "gen/plot.hpp"

#include <atomic>

namespace gen {

struct TrainerOptions {
  std::string name;            ///< of the model: names the files
  std::string outputDir = "."; ///< must exist
  int64_t steps = 0;           ///< in all, those before a resume included; 0: the recipe's
  int64_t batch = 0;           ///< 0: the resumed run's, or the recipe's
  int64_t patience = 0;        ///< evaluations without a better one before it stops; 0: no end
  Settings settings;           ///< of the model, for recipes that ask for them
  bool json = false; ///< one JSON object a line on stdout, instead of a progress bar on stderr
  const std::atomic<bool> *stop = nullptr; ///< set by a signal handler: stop after this step
};

/// Gives a new session what a weights file of another model has of its variables, for a run that
/// begins with them. Throws gen::Error, or std::runtime_error if it has none.
void startWith(Session &session, const std::string &path);

/// Trains one session. Keeps references to the session and the recipe.
class Trainer {
public:
  /// Throws gen::Error or std::runtime_error if data, model and options do not fit together.
  Trainer(Session &session, const Recipe &recipe, data::TrainingData data,
          const TrainerOptions &options);

  enum class End { Steps, Patience, Stop };
  /// Takes the steps that are left, evaluates as the recipe says and at the end, and saves
  /// NAME.safetensors with each evaluation and when stopped, and NAME.best.safetensors where the
  /// first figure is the lowest yet.
  End run();
  /// Writes loss.svg and what the recipe's samples and outputs write.
  void writeOutputs();

private:
  /// An entry that takes steps.
  struct Call {
    std::string name;
    std::vector<std::string> losses; ///< its results
    std::unique_ptr<Feed> feed;      ///< null if it takes nothing
  };
  Call &callOf(const std::string &entry);
  std::vector<std::string> entriesOf(int64_t step) const;
  void note(int64_t step, const std::string &loss, double value);
  void takeStep(int64_t step);
  bool evaluationDue(int64_t step) const;
  void evaluateAt(int64_t step);
  void keepBest(double loss);
  void sample();
  void save(const std::string &file);
  std::string path(const std::string &file) const { return options.outputDir + "/" + file; }

  Session &session;
  const Recipe &recipe;
  const data::TrainingData data;
  TrainerOptions options;
  std::vector<Call> calls; ///< those made so far
  int64_t firstStep = 0, lastEvaluated = -1;
  int64_t worse = 0; ///< evaluations since the best
  double best;       ///< of the first figure
  std::unique_ptr<data::Loader> loader;
  std::vector<Series> curves; ///< of the losses
  Series testCurve;
};

} // namespace gen

#endif // GEN_TRAINER_HPP
