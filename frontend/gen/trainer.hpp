//===- gen/trainer.hpp - a training loop for images -------------*- C++ -*-===//
//
// Batches in an order that depends on the seed only, progress, a test loss after every epoch,
// checkpoints, and pictures at the end. Where a run stands is all in the session's variables (the
// optimizer's step), so a run that is resumed from its weights file goes on with the same batches
// and the same random numbers.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_TRAINER_HPP
#define GEN_TRAINER_HPP

#include "gen/data.hpp"
#include "gen/plot.hpp"
#include "gen/recipe.hpp"
#include "gen/runtime.hpp"

#include <atomic>

namespace gen {

struct TrainerOptions {
  std::string name;            ///< of the model: names the files
  std::string outputDir = "."; ///< must exist
  int64_t steps = 0;           ///< in all, those before a resume included
  int64_t batch = 128;
  bool json = false; ///< one JSON object a line on stdout, instead of a progress bar on stderr
  const std::atomic<bool> *stop = nullptr; ///< set by a signal handler: stop after this step
};

/// Trains one session. Keeps references to the session and the data.
class Trainer {
public:
  /// Throws gen::Error or std::runtime_error if data, model and options do not fit together.
  Trainer(Session &session, const Recipe &recipe, const data::Dataset &dataset,
          const TrainerOptions &options);

  /// Takes the steps that are left, evaluates after each epoch and at the end, and saves
  /// NAME.safetensors with each evaluation. False if it was stopped before the end (and saved).
  bool run();
  /// Writes loss.svg, samples.png and, if the model can, reconstructions.png.
  void writePictures();

private:
  void takeStep(int64_t step);
  void evaluate(int64_t step);
  double testLoss();
  void save();
  std::string path(const std::string &file) const { return options.outputDir + "/" + file; }
  /// Test images `first` to `first + count` as the model's input.
  std::vector<float> testImages(int64_t first, int64_t count) const;

  Session &session;
  const Recipe recipe;
  const data::Dataset &dataset;
  const TrainerOptions options;
  data::Loader loader;
  std::vector<Series> curves; ///< of recipe.losses
  Series testCurve;
  int64_t firstStep = 0, lastEvaluated = -1;
};

} // namespace gen

#endif // GEN_TRAINER_HPP
