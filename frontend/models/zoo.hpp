//===- models/zoo.hpp - the model zoo ---------------------------*- C++ -*-===//
//
// The models that come with gencc, by name: what they are, how they are built, and how they are
// trained. A new model is a file beside this one, and its function in the list of Zoo.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_MODELS_ZOO_HPP
#define GEN_MODELS_ZOO_HPP

#include "gen/program.hpp"
#include "gen/recipe.hpp"

#include <optional>

namespace gen::zoo {

using gen::Settings;

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

/// "hidden=400 latent=20", which `split` takes apart into changes.
std::string str(const Settings &settings);
std::vector<std::string> split(const std::string &settings);

/// A setting that has to be a whole number from 1 to 2^20. Throws std::invalid_argument.
int64_t sizeOf(const Settings &settings, const std::string &key);

/// A size of a benchmark: `size`, or, where its setting `dynamic` is not 0, a symbol of that name.
Dimension benchmarkSize(Program &program, const Settings &settings, const std::string &name,
                        int64_t size);

/// A recipe for images without labels, of which the model draws samples; `range`: values of black
/// and white.
Recipe imageRecipe(const data::ImageOptions &range = {});

// The models that are trained, a file a family.
ModelInfo vae();
ModelInfo convVae();
ModelInfo cvae();
ModelInfo mlpGan();
ModelInfo cgan();
ModelInfo lsgan();
ModelInfo wgan();
ModelInfo wganGp();
ModelInfo dcgan();
ModelInfo sagan();
ModelInfo progan();
ModelInfo nice();
ModelInfo realNvp();
ModelInfo glow();
ModelInfo ddpm();
ModelInfo guidedDdpm();
ModelInfo lenet();
ModelInfo alexnet();
ModelInfo resnet();
ModelInfo gpt();
ModelInfo rnn();
ModelInfo lstm();
ModelInfo gru();
ModelInfo transformer();
ModelInfo transformerSmall();
ModelInfo bert();
ModelInfo bertClassifier();

// The builders of the benchmarks.
void buildTrainVae(Program &program, const Settings &settings);
void buildTrainMlpGan(Program &program, const Settings &settings);
void buildVaeDecoder(Program &program, const Settings &settings);
void buildTrainCharLstm(Program &program, const Settings &settings);
void buildLstm(Program &program, const Settings &settings);
void buildMlpGenerator(Program &program, const Settings &settings);
void buildRealNvpSampler(Program &program, const Settings &settings);
void buildTrainRealNvp(Program &program, const Settings &settings);
void buildTrainWganGp(Program &program, const Settings &settings);
void buildLenet1(Program &program, const Settings &settings);
void buildLenet128(Program &program, const Settings &settings);
void buildTrainLenet(Program &program, const Settings &settings);
void buildDcganGenerator1(Program &program, const Settings &settings);
void buildDcganGenerator32(Program &program, const Settings &settings);
void buildTrainDcgan(Program &program, const Settings &settings);
void buildResnet18(Program &program, const Settings &settings);
void buildDdpmUnet1(Program &program, const Settings &settings);
void buildDdpmUnet8(Program &program, const Settings &settings);
void buildTrainDdpmUnet(Program &program, const Settings &settings);
void buildTransformer1(Program &program, const Settings &settings);
void buildTransformer8(Program &program, const Settings &settings);
void buildTrainTransformer(Program &program, const Settings &settings);
void buildBert(Program &program, const Settings &settings);
void buildGptPrefill(Program &program, const Settings &settings);
void buildGptDecode(Program &program, const Settings &settings);
void buildTrainGptTiny(Program &program, const Settings &settings);

} // namespace gen::zoo

#endif // GEN_MODELS_ZOO_HPP
