//===- models/zoo.hpp - the model zoo ---------------------------*- C++ -*-===//
//
// The models that come with gencc, by name: what they are, how they are built, and how they are
// trained on images. A new model is a file beside this one and a row in Zoo.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_MODELS_ZOO_HPP
#define GEN_MODELS_ZOO_HPP

#include "gen/program.hpp"

#include <map>

namespace gen::zoo {

/// Numbers that `--set key=value` changes, by name.
using Settings = std::map<std::string, double>;

/// How a model is trained on images: by calls of its entry `train_step` with a batch of them.
struct Recipe {
  std::string input;               ///< train_step's argument
  double low = 0, high = 1;        ///< values of black and white
  std::vector<std::string> losses; ///< train_step's results; the first one is the curve's
  std::string stepVariable;        ///< i64 scalar: steps taken
  int64_t steps = 0;               ///< by default
  bool evaluates = false;          ///< has the entry `evaluate` for a test loss
  bool reconstructs = false;       ///< has the entry `reconstruct`
};

struct ModelInfo {
  std::string name;
  std::string summary;
  Settings defaults;
  void (*build)(Program &program, const Settings &settings);
  std::optional<Recipe> recipe; ///< none: for benchmarks only
};

/// All models, in the order in which they are listed.
const std::vector<ModelInfo> &models();
/// The model of that name, or null.
const ModelInfo *find(const std::string &name);
/// The known name nearest to `name`, or "" if none is near.
std::string nearest(const std::string &name);
/// `model.defaults` changed by "key=value" texts. Throws std::invalid_argument for an unknown key
/// or what is not a number.
Settings settingsOf(const ModelInfo &model, const std::vector<std::string> &changes);

// The builders, a file a family.
void buildVae(Program &program, const Settings &settings);
void buildMlpGan(Program &program, const Settings &settings);
void buildTrainVae(Program &program, const Settings &settings);
void buildTrainMlpGan(Program &program, const Settings &settings);
void buildVaeDecoder(Program &program, const Settings &settings);
void buildMlpGenerator(Program &program, const Settings &settings);

} // namespace gen::zoo

#endif // GEN_MODELS_ZOO_HPP
