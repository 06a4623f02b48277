//===- device-zoo.cpp - the models of the zoo on a GPU, emulated ----------===//
//
// Every model, small by its settings, on the emulator (test/emulator) beside the CPU: initial
// values have to be the same bits, integers and the random counter equal, results and what training
// changes equal up to rounding.
//
//===----------------------------------------------------------------------===//

#include "Compiled.h"
#include "OpTable.h"
#include "Oracle.h"
#include "models/zoo.hpp"
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <set>

using namespace gen;

namespace {

/// Of the largest element of a tensor: sums over batches and images have other orders on a GPU.
constexpr double kTolerance = 1e-5;
/// Of the largest gradient of a model: sums that cancel.
constexpr double kRounding = 1e-6;

struct Sized {
  std::string name;
  std::vector<std::string> settings;
};

[[maybe_unused]] void PrintTo(const Sized &model, std::ostream *stream) { *stream << model.name; }

/// Settings that make a model small; the others are small as they are. A diffusion model's first
/// step divides by 0.006, so that 1e-7 of its network would be 1e-5 of the picture, unless it
/// predicts v.
const std::map<std::string, std::vector<std::string>> kSmall = {
    {"vae", {"hidden=32"}},
    {"conv_vae", {"width=4"}},
    {"cvae", {"hidden=32"}},
    {"wgan", {"batch=4"}},
    {"wgan_gp", {"batch=4"}},
    {"dcgan", {"batch=4", "features=4"}},
    {"sagan", {"batch=4", "features=8"}},
    {"progan", {"batch=4", "features=8"}},
    {"nice", {"hidden=32"}},
    {"realnvp", {"couplings=2", "hidden=32"}},
    {"glow", {"steps=1", "hidden=8"}},
    {"ddpm", {"width=8", "samples=2", "sample_steps=2", "predict_v=1"}},
    {"guided_ddpm", {"width=8", "sample_steps=2", "predict_v=1"}},
    {"alexnet", {"width=4"}},
    {"resnet", {"width=4", "depth=1"}},
    {"rnn", {"hidden=16", "length=8", "batch=4"}},
    {"lstm", {"hidden=16", "length=8", "batch=4"}},
    {"gru", {"hidden=16", "length=8", "batch=4"}},
    {"transformer", {"width=32", "layers=1", "inner=64", "vocabulary=100", "length=8"}},
    {"transformer_base", {"width=32", "layers=1", "inner=64", "vocabulary=100", "length=8"}},
    {"bert", {"width=32", "layers=1", "vocabulary=100", "length=16"}},
    {"bert_classifier", {"width=32", "layers=1", "vocabulary=100", "length=16"}},
    {"gpt", {"width=32", "layers=1", "length=16"}},
};

class DeviceZoo : public testing::TestWithParam<Sized> {
protected:
  void SetUp() override { setenv("GEN_CUDA_DRIVER", GEN_CUDA_EMULATOR, /*overwrite=*/1); }
  void TearDown() override { std::filesystem::remove(path); }

  Model compiled() {
    const zoo::ModelInfo *model = zoo::find(GetParam().name);
    Program program(GetParam().name);
    model->build(program, zoo::settingsOf(*model, GetParam().settings));
    mlir::gen::CompileOptions options;
    options.target = "cpu,cuda";
    options.deviceCode = mlir::gen::DeviceCode::Bitcode;
    optable::compileText(program.str(), options, path);
    return Model::open(path);
  }

  std::string path =
      (std::filesystem::path(testing::TempDir()) / ("device-" + GetParam().name + ".so")).string();
};

/// Integers are indices, below what any model has of them.
int64_t limitOf(const std::string &input) {
  static const std::map<std::string, int64_t> limits = {
      {"labels", 2}, {"segments", 2}, {"follows", 2}, {"done", 1}, {"given", 4}};
  auto known = limits.find(input);
  return known == limits.end() ? 50 : known->second;
}

Array makeInput(const TensorSpec &spec, uint32_t number) {
  std::vector<int64_t> shape = spec.shape;
  for (size_t axis = 0; axis < shape.size(); ++axis)
    if (shape[axis] < 0)
      shape[axis] = spec.dimensions[axis] == "length" ? 8 : 4;
  Array array(spec.dtype, shape);
  std::vector<float> numbers = test::uniformNumbers(number, static_cast<int64_t>(array.size()));
  for (size_t i = 0; i < array.size(); ++i)
    if (spec.dtype == GEN_F32)
      array.data<float>()[i] = numbers[i];
    else
      array.data<int64_t>()[i] =
          static_cast<int64_t>(static_cast<float>(limitOf(spec.name)) * numbers[i]);
  return array;
}

/// The elements of a state or a result; of means of squares the roots, which are as large as what
/// was squared.
std::vector<double> elementsOf(const std::string &name, const View &view) {
  std::vector<double> elements;
  for (float x : view.values<float>())
    elements.push_back(name.ends_with("_sq") ? std::sqrt(x) : x);
  return elements;
}

double largestOf(const std::vector<double> &elements) {
  double largest = 0;
  for (double x : elements)
    largest = std::max(largest, std::fabs(x));
  return largest;
}

/// Fails where an element is off by more than `room` (and of the largest, kTolerance), unless
/// `isNoise` of its number: returns how many are.
size_t expectClose(const std::string &name, const View &device, const View &host, double room = 0,
                   const std::function<bool(size_t)> &isNoise = nullptr) {
  EXPECT_EQ(device.shape(), host.shape()) << name;
  if (host.dtype() != GEN_F32) {
    EXPECT_TRUE(optable::sameBits(device, host)) << name;
    return 0;
  }
  size_t excused = 0;
  std::vector<double> got = elementsOf(name, device), expected = elementsOf(name, host);
  room += kTolerance * largestOf(expected);
  for (size_t i = 0; i < got.size(); ++i) {
    if (std::fabs(got[i] - expected[i]) <= room)
      continue;
    if (!isNoise || !isNoise(i)) {
      ADD_FAILURE() << name << ", element " << i << ": " << got[i] << " on the GPU, " << expected[i]
                    << " on the CPU, room for " << room;
      break;
    }
    ++excused;
  }
  return excused;
}

/// What training has left on both. Of the gradients Adam keeps means (`exp_avg`, `exp_avg_sq`).
class Trained {
public:
  Trained(Session &device, Session &host) : device(device), host(host) {
    for (const TensorSpec &spec : host.model().variables())
      if (std::string kind = kindOf(spec.name); !kind.empty())
        largest[kind] =
            std::max(largest[kind], largestOf(elementsOf(spec.name, host.variable(spec.name))));
  }

  void compare() {
    size_t excused = 0, all = 0;
    for (const TensorSpec &spec : host.model().variables()) {
      excused += compare(spec.name);
      all += host.variable(spec.name).size();
    }
    EXPECT_LE(excused, all / 100) << "of " << all << " elements are not compared";
  }

private:
  static std::string kindOf(const std::string &name) {
    size_t dot = name.rfind(".exp_avg");
    return dot == std::string::npos ? "" : name.substr(dot);
  }

  /// The means of a variable's gradients, or of those of the one that it is an average of
  /// (`ema.unet...` of `unet...`); none for what no gradient changes.
  std::vector<double> gradientsOf(const std::string &variable) {
    for (const TensorSpec &spec : host.model().variables())
      if (spec.name.ends_with("." + variable + ".exp_avg"))
        return elementsOf(spec.name, host.variable(spec.name));
    size_t dot = variable.find('.');
    return dot == std::string::npos ? std::vector<double>() : gradientsOf(variable.substr(dot + 1));
  }

  /// A sum that cancels is off by the rounding of its summands. They are taken to be as large as
  /// the largest gradient of the model; and where a gradient is no larger than its error can be, as
  /// where it is zero in exact arithmetic (of a bias that a normalization takes away, of the keys'
  /// bias in an attention), Adam divides noise by its own size. What it does to the variable is not
  /// compared.
  size_t compare(const std::string &name) {
    View onDevice = device.variable(name), onHost = host.variable(name);
    if (std::string kind = kindOf(name); !kind.empty())
      return expectClose(name, onDevice, onHost, kRounding * largest[kind]);
    std::vector<double> gradients = gradientsOf(name);
    double noise = 10 * kTolerance * largestOf(gradients) + 10 * kRounding * largest[".exp_avg"];
    return expectClose(name, onDevice, onHost, 0, [&](size_t i) {
      return !gradients.empty() && std::fabs(gradients[i]) <= noise;
    });
  }

  Session &device, &host;
  std::map<std::string, double> largest; ///< of the model, by kind
};

/// Trains last: what is left of noise must not be in what is compared.
std::vector<EntrySpec> entriesOf(const Model &model) {
  std::vector<EntrySpec> entries;
  for (bool trains : {false, true})
    for (const EntrySpec &entry : model.entries())
      if (entry.name != "init" && entry.name.starts_with("train") == trains)
        entries.push_back(entry);
  return entries;
}

TEST_P(DeviceZoo, MatchesCpu) {
  Model model = compiled();
  Session host(model, {.seed = 1}), device(model, {.seed = 1, .device = "cuda"});
  for (const TensorSpec &spec : model.variables())
    EXPECT_TRUE(optable::sameBits(device.variable(spec.name), host.variable(spec.name)))
        << spec.name;
  uint32_t number = 0;
  for (const EntrySpec &entry : entriesOf(model)) {
    std::vector<Array> arrays;
    for (const TensorSpec &spec : entry.inputs)
      arrays.push_back(makeInput(spec, ++number));
    std::vector<View> inputs(arrays.begin(), arrays.end());
    Results onDevice = device.call(entry.name, inputs), onHost = host.call(entry.name, inputs);
    for (size_t i = 0; i < onHost.size(); ++i)
      expectClose(entry.name + ": " + onHost.name(i), onDevice[i], onHost[i]);
  }
  Trained(device, host).compare();
}

/// Workloads whose sizes are fixed, and too large; their networks are those of dcgan, ddpm,
/// transformer, bert, gpt and lstm.
const std::set<std::string> kLarge = {"train_dcgan_b32",      "ddpm_unet_b1",     "ddpm_unet_b8",
                                      "train_ddpm_unet_b4",   "transformer_b1",   "transformer_b8",
                                      "train_transformer_b8", "bert_base_b1",     "gpt2_prefill_b1",
                                      "gpt2_decode_b1",       "train_lstm_lm_b32"};

bool isRun(const std::string &model) {
#if __has_feature(address_sanitizer)
  static const std::set<std::string> few = {"vae", "wgan_gp", "resnet", "lstm",
                                            "gpt"}; // it takes longer
  return few.count(model);
#else
  return !kLarge.count(model);
#endif
}

std::vector<Sized> sizedModels() {
  std::vector<Sized> chosen;
  for (const zoo::ModelInfo &model : zoo::models()) {
    auto small = kSmall.find(model.name);
    std::vector<std::string> settings;
    if (small != kSmall.end())
      settings = small->second;
    else if (model.defaults.count("dynamic"))
      settings = {"dynamic=1"};
    if (isRun(model.name))
      chosen.push_back({model.name, settings});
  }
  return chosen;
}

INSTANTIATE_TEST_SUITE_P(Models, DeviceZoo, testing::ValuesIn(sizedModels()),
                         [](const auto &info) { return info.param.name; });

} // namespace
