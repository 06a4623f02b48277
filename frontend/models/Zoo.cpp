//===- Zoo.cpp - the model zoo --------------------------------------------===//

#include "models/zoo.hpp"

#include "gen/outputs.hpp"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/FormatVariadic.h"

#include <fmt/format.h>

#include <cmath>

namespace gen::zoo {

static const Settings kFixed = {{"dynamic", 0}};

const std::vector<ModelInfo> &models() {
  static const std::vector<ModelInfo> all = {
      vae(),
      convVae(),
      cvae(),
      mlpGan(),
      cgan(),
      lsgan(),
      wgan(),
      wganGp(),
      dcgan(),
      sagan(),
      progan(),
      nice(),
      realNvp(),
      glow(),
      ddpm(),
      guidedDdpm(),
      lenet(),
      alexnet(),
      resnet(),
      rnn(),
      lstm(),
      gru(),
      transformer(),
      transformerSmall(),
      bert(),
      bertClassifier(),
      gpt(),
      {"train_vae_b128", "benchmark: a VAE's training step", kFixed, buildTrainVae, {}},
      {"train_mlp_gan_b128", "benchmark: a GAN's training step", {}, buildTrainMlpGan, {}},
      {"vae_decode_b128", "benchmark: a VAE's decoder", kFixed, buildVaeDecoder, {}},
      {"mlp_gan_g_b128", "benchmark: a GAN's generator", kFixed, buildMlpGenerator, {}},
      {"realnvp_sample_b128", "benchmark: samples of a flow", {}, buildRealNvpSampler, {}},
      {"train_realnvp_b128", "benchmark: a flow's training step", {}, buildTrainRealNvp, {}},
      {"train_wgan_gp_b64", "benchmark: a WGAN-GP's training step", {}, buildTrainWganGp, {}},
      {"cnn_lenet_b1", "benchmark: LeNet on one image", {}, buildLenet1, {}},
      {"cnn_lenet_b128", "benchmark: LeNet on 128 images", kFixed, buildLenet128, {}},
      {"train_cnn_lenet_b128", "benchmark: LeNet's training step", kFixed, buildTrainLenet, {}},
      {"dcgan_g_b1", "benchmark: DCGAN's generator, one image", {}, buildDcganGenerator1, {}},
      {"dcgan_g_b32", "benchmark: DCGAN's generator, 32 images", kFixed, buildDcganGenerator32, {}},
      {"train_dcgan_b32", "benchmark: DCGAN's training step", {}, buildTrainDcgan, {}},
      {"resnet18_b1", "benchmark: ResNet-18 on one image", {}, buildResnet18, {}},
      {"ddpm_unet_b1", "benchmark: a diffusion model's U-Net, one image", {}, buildDdpmUnet1, {}},
      {"ddpm_unet_b8", "benchmark: a diffusion model's U-Net, 8 images", {}, buildDdpmUnet8, {}},
      {"train_ddpm_unet_b4",
       "benchmark: a diffusion model's training step",
       {},
       buildTrainDdpmUnet,
       {}},
      {"train_lstm_lm_b32",
       "benchmark: a character LSTM's training step",
       {},
       buildTrainCharLstm,
       {}},
      {"lstm_b32", "benchmark: an LSTM of two layers", kFixed, buildLstm, {}},
      {"transformer_b1", "benchmark: the Transformer, base size", {}, buildTransformer1, {}},
      {"transformer_b8", "benchmark: the Transformer, batch 8", kFixed, buildTransformer8, {}},
      {"train_transformer_b8",
       "benchmark: the Transformer's training step",
       {},
       buildTrainTransformer,
       {}},
      {"bert_base_b1", "benchmark: BERT, base size", kFixed, buildBert, {}},
      {"gpt2_prefill_b1", "benchmark: GPT-2 reads 128 tokens", {}, buildGptPrefill, {}},
      {"gpt2_decode_b1", "benchmark: GPT-2 writes a token", {}, buildGptDecode, {}},
      {"train_gpt_tiny_b16",
       "benchmark: a small GPT's training step",
       kFixed,
       buildTrainGptTiny,
       {}},
  };
  return all;
}

const ModelInfo *find(const std::string &name) {
  for (const ModelInfo &model : models())
    if (model.name == name)
      return &model;
  return nullptr;
}

std::string nearest(const std::string &name) {
  std::string best;
  unsigned least = 4; // more edits than that is another word
  for (const ModelInfo &model : models()) {
    unsigned distance = llvm::StringRef(name).edit_distance(model.name, true, least);
    if (distance < least && distance < model.name.size()) {
      least = distance;
      best = model.name;
    }
  }
  return best;
}

/// "hidden, latent, learning_rate".
static std::string keysOf(const Settings &settings) {
  std::string keys;
  for (const auto &[key, value] : settings)
    keys += (keys.empty() ? "" : ", ") + key;
  return keys.empty() ? "none" : keys;
}

Dimension benchmarkSize(Program &program, const Settings &settings, const std::string &name,
                        int64_t size) {
  return settings.at("dynamic") == 0 ? Dimension(size) : program.dimension(name);
}

Recipe imageRecipe(const data::ImageOptions &range) {
  Recipe recipe;
  recipe.data = [=](const std::string &path, const Settings &, const data::Metadata &) {
    return data::imageData(path, range);
  };
  recipe.inputs = {"images"};
  recipe.images = range;
  recipe.samples = {imageSamples(range)};
  return recipe;
}

Settings settingsOf(const ModelInfo &model, const std::vector<std::string> &changes) {
  Settings settings = model.defaults;
  for (const std::string &change : changes) {
    auto [key, text] = llvm::StringRef(change).split('=');
    auto setting = settings.find(key.str());
    double value = 0;
    if (setting == settings.end())
      throw std::invalid_argument("--set " + change + ": " + model.name + " has no setting '" +
                                  key.str() + "'; it has: " + keysOf(settings));
    if (text.getAsDouble(value) || !std::isfinite(value))
      throw std::invalid_argument("--set " + change + ": expected a number, got '" + text.str() +
                                  "'");
    setting->second = value;
  }
  return settings;
}

std::string str(const Settings &settings) {
  std::string text;
  for (const auto &[key, value] : settings)
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", key, value); // the shortest exact one
  return text;
}

std::vector<std::string> split(const std::string &settings) {
  llvm::SmallVector<llvm::StringRef> parts;
  llvm::StringRef(settings).split(parts, ' ', -1, /*KeepEmpty=*/false);
  return {parts.begin(), parts.end()};
}

int64_t sizeOf(const Settings &settings, const std::string &key) {
  constexpr double kMost = 1 << 20;
  double value = settings.at(key);
  if (value < 1 || value > kMost || value != std::floor(value))
    throw std::invalid_argument(key + ": expected a whole number from 1 to " +
                                std::to_string(static_cast<int64_t>(kMost)) + ", got " +
                                llvm::formatv("{0:f}", value).str());
  return static_cast<int64_t>(value);
}

} // namespace gen::zoo
