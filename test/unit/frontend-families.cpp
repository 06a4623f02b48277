// Families of the zoo against PyTorch (frontend-families.py): the losses of 50 training steps from
// equal weights, minibatches and noise, and samples before them. The models are those of the zoo,
// small by their settings; their noise is the session's, which the script computes again.
#include "frontend-families.inc"
#include "Oracle.h"

#include "gen/evaluation.hpp"
#include "gen/outputs.hpp"
#include "models/zoo.hpp"

#include <cmath>
#include <gtest/gtest.h>

namespace {

using namespace gen;
using namespace gen::test;

constexpr int64_t kWords = 11;

// Examples of families_data.py: what an entry takes, which features the recipe names.
class Examples : public data::Source {
public:
  Examples(const EntrySpec &entry, const std::vector<std::string> &names, double low) : low(low) {
    for (size_t i = 0; i < names.size(); ++i) {
      const TensorSpec &spec = entry.inputs.at(i);
      list.push_back({names[i], {spec.shape.begin() + 1, spec.shape.end()}, spec.dtype == GEN_I64});
    }
  }
  const std::vector<data::Feature> &features() const override { return list; }
  int64_t count() const override { return 1000; }
  void read(int64_t example, data::Batch &batch) const override {
    auto number = static_cast<uint32_t>(example);
    ++batch.size;
    auto label = static_cast<uint32_t>(10 * uniformNumbers(1000 + number, 1)[0]);
    int64_t rows = 0;
    for (size_t i = 0; i < list.size(); ++i) {
      const data::Feature &feature = list[i];
      std::vector<int64_t> &integers = batch.features[i].integers;
      if (!feature.integer)
        draw(label, number, feature.size(), batch.features[i].reals);
      else if (feature.shape.empty())
        integers.push_back(feature.name == "follows" ? label % 2 : label);
      else if (feature.name == "segments")
        for (int64_t place = 0; place < feature.size(); ++place)
          integers.push_back(place >= feature.size() / 2 ? 1 : 0);
      else
        write(number, rows++, feature.size(), integers);
    }
  }

private:
  // A noisy copy of a picture.
  void draw(uint32_t label, uint32_t number, int64_t pixels, std::vector<float> &reals) const {
    std::vector<float> picture = uniformNumbers(80 + label, pixels),
                       noise = uniformNumbers(2000 + number, pixels);
    for (size_t i = 0; i < noise.size(); ++i) {
      double value = 0.25 * noise[i] + (picture[i] > 0.5F ? 0.75 : 0);
      reals.push_back(static_cast<float>(low + (1 - low) * static_cast<float>(value)));
    }
  }
  // A row that counts on, or what follows its pieces.
  static void write(uint32_t number, int64_t first, int64_t length,
                    std::vector<int64_t> &integers) {
    std::vector<float> way = uniformNumbers(1000 + number, 2);
    auto start = static_cast<int64_t>(static_cast<double>(kWords) * way[0]);
    int64_t stride = 1 + static_cast<int64_t>(3.0 * way[1]);
    for (int64_t i = first; i < first + length; ++i)
      integers.push_back((start + i * stride) % kWords);
  }

  double low;
  std::vector<data::Feature> list;
};

// The weights of families_data.py. Averages of weights start as these.
void fill(Session &session, bool scaled) {
  for (const TensorSpec &variable : session.model().variables()) {
    std::string name = variable.name;
    if (name.starts_with("ema."))
      name = name.substr(4);
    bool isState = name.starts_with("adam") || name.starts_with("rms_") ||
                   name.starts_with("state.") || name.find("running_") != std::string::npos ||
                   name.ends_with("initialized") || name.ends_with("steps");
    if (variable.dtype != GEN_F32 || isState)
      continue;
    uint32_t hash = 2166136261U;
    for (unsigned char byte : name)
      hash = (hash ^ byte) * 16777619U;
    Array values(GEN_F32, variable.shape);
    std::vector<float> drawn = uniformNumbers(hash, static_cast<int64_t>(values.size()));
    bool isMatrix = variable.shape.size() > 1 && !name.ends_with("bias");
    double row = 1.0 / 3; // variance 1
    if (isMatrix && !scaled)
      row = static_cast<double>(values.size()) / static_cast<double>(variable.shape[0]);
    for (size_t i = 0; i < drawn.size(); ++i) {
      double value = 2.0 * drawn[i] - 1;
      value = isMatrix ? value / std::sqrt(row) : 0.05 * value + (name.ends_with("weight") ? 1 : 0);
      values.data<float>()[i] = static_cast<float>(value);
    }
    session.setVariable(variable.name, values);
  }
}

struct Family {
  std::string name; ///< in the zoo
  std::vector<std::string> settings;
  int64_t batch;
  std::vector<double> losses;       ///< PyTorch's
  std::vector<double> samples = {}; ///< PyTorch's, if compared
  double low = 0;                   ///< what black is
  /// Relative differences that are allowed in the first ten steps, and later.
  double first = 1e-5, later = 1e-4;
  double scale = 0;    ///< differences are relative to no less than this
  bool scaled = false; ///< the model scales its weights itself
};

[[maybe_unused]] void PrintTo(const Family &family, std::ostream *stream) {
  *stream << family.name;
}

// 99 elements, evenly spread.
std::vector<double> some(const View &x) {
  std::vector<double> numbers;
  size_t stride = std::max<size_t>(x.size() / 99, 1);
  for (size_t i = 0; i < x.size() && numbers.size() < 99; i += stride)
    numbers.push_back(x.data<float>()[i]);
  return numbers;
}

class Families : public testing::TestWithParam<Family> {};

TEST_P(Families, FollowsPyTorch) {
  const Family &family = GetParam();
  constexpr int64_t kSteps = 50;
  const zoo::ModelInfo *model = zoo::find(family.name);
  ASSERT_NE(model, nullptr);
  const Recipe &recipe = *model->recipe;
  Program program(family.name);
  zoo::Settings settings = zoo::settingsOf(*model, family.settings);
  model->build(program, settings);
  Session session(compile(program), {.seed = 1});
  fill(session, family.scaled);
  if (!family.samples.empty())
    expectClose(some(drawSamples(session).images), family.samples, 1e-4, 1e-4);

  auto callsOf = [&](int64_t step) {
    return recipe.calls ? recipe.calls(step, settings) : std::vector<std::string>{"train_step"};
  };
  Examples examples(session.model().entry(callsOf(1)[0]), recipe.inputs, family.low);
  std::vector<double> losses;
  for (int64_t step = 0; step < kSteps; ++step) {
    data::Batch batch = examples.batch(family.batch * step, family.batch);
    for (const std::string &call : callsOf(step + 1)) {
      EntrySpec entry = session.model().entry(call);
      std::vector<View> arguments;
      if (!entry.inputs.empty())
        arguments = Feed(entry, recipe.inputs, examples)(batch);
      Results results = session.call(call, arguments);
      for (const std::string &name : scalarsOf(entry))
        losses.push_back(results.scalar<float>(name));
    }
  }
  ASSERT_EQ(losses.size(), family.losses.size());
  for (size_t i = 0; i < losses.size(); ++i)
    EXPECT_NEAR(losses[i], family.losses[i],
                (5 * i < losses.size() ? family.first : family.later) *
                    std::max(std::abs(family.losses[i]), family.scale))
        << "loss " << i;
}

const std::vector<std::string> kSmallRecurrent = {"vocabulary=11", "length=12", "hidden=16",
                                                  "batch=8"};

INSTANTIATE_TEST_SUITE_P(
    Zoo, Families,
    testing::Values(
        Family{"lenet", {}, 16, kLenetLosses}, Family{"alexnet", {"width=4"}, 16, kAlexnetLosses},
        // Of what rounding alone does see docs/models.md.
        Family{"resnet",
               {"width=4", "depth=1", "learning_rate=1e-3"},
               16,
               kResnetLosses,
               {},
               0,
               1e-5,
               1e-3},
        Family{"vae", {"hidden=24", "latent=4"}, 16, kVaeLosses, kVaeSamples},
        Family{"conv_vae",
               {"width=4", "latent=4", "beta=2", "gaussian=1"},
               16,
               kConvVaeLosses,
               kConvVaeSamples},
        Family{"cvae", {"hidden=24", "latent=4"}, 16, kCvaeLosses, kCvaeSamples},
        // Most adversarial ones have a tenth of their rate: at the whole they are chaotic.
        Family{"mlp_gan", {}, 16, kMlpGanLosses, kMlpGanSamples, -1},
        Family{"cgan", {"learning_rate=2e-5"}, 16, kCganLosses, kCganSamples, -1},
        Family{"lsgan", {"learning_rate=2e-5"}, 16, kLsganLosses, kLsganSamples, -1},
        // The critic's losses are differences, near 0, of means of its scores.
        Family{"wgan",
               {"batch=16", "critic_steps=2"},
               16,
               kWganLosses,
               kWganSamples,
               -1,
               1e-4,
               1e-4,
               0.01},
        Family{"wgan_gp",
               {"batch=16", "critic_steps=2", "learning_rate=1e-5"},
               16,
               kWganGpLosses,
               kWganGpSamples,
               -1,
               1e-5,
               1e-4,
               0.01},
        Family{"dcgan",
               {"batch=8", "features=4", "real_label=0.9", "feature_matching=1", "scales=2",
                "d_learning_rate=2e-5", "g_learning_rate=2e-5"},
               8,
               kDcganLosses,
               kDcganSamples,
               -1},
        Family{"sagan",
               {"batch=8", "features=8", "d_learning_rate=4e-5", "g_learning_rate=1e-5"},
               8,
               kSaganLosses,
               kSaganSamples,
               -1,
               1e-5,
               1e-4,
               0.01},
        Family{"progan",
               {"batch=8", "features=8", "grow_steps=12", "learning_rate=1e-4"},
               8,
               kProganLosses,
               kProganSamples,
               -1,
               1e-4,
               1e-4,
               0.01,
               true},
        Family{"realnvp", {"couplings=4", "hidden=24"}, 16, kRealNvpLosses, kRealNvpSamples},
        Family{"nice", {"couplings=4", "hidden=24", "depth=2"}, 16, kNiceLosses, kNiceSamples},
        Family{"glow", {"steps=2", "hidden=8"}, 16, kGlowLosses, kGlowSamples},
        Family{"ddpm",
               {"width=8", "sample_steps=5", "eta=1", "samples=4", "cosine=1", "predict_v=1"},
               8,
               kDdpmLosses,
               kDdpmSamples,
               -1},
        Family{"guided_ddpm",
               {"width=8", "sample_steps=5", "eta=1"},
               8,
               kGuidedDdpmLosses,
               kGuidedDdpmSamples,
               -1},
        Family{"gpt",
               {"vocabulary=11", "length=12", "width=16", "heads=2", "layers=2"},
               8,
               kGptLosses},
        Family{"transformer_small",
               {"vocabulary=11", "length=12", "width=16", "heads=2", "layers=2", "inner=32",
                "dropout=0", "warm_up=20"},
               8,
               kTransformerLosses},
        Family{"bert",
               {"vocabulary=11", "length=12", "width=16", "heads=2", "layers=2", "warm_up=20"},
               8,
               kBertLosses},
        Family{"rnn", kSmallRecurrent, 8, kCharRnnLosses},
        Family{"lstm", kSmallRecurrent, 8, kCharLstmLosses},
        Family{"gru", kSmallRecurrent, 8, kCharGruLosses}),
    [](const testing::TestParamInfo<Family> &info) {
      return info.param.name + "_" + std::to_string(info.index);
    });

} // namespace
