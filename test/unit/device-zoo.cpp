//===- device-zoo.cpp - the models of the zoo on a GPU, emulated ----------===//
//
// Every model, small by its settings (test/gpu/models.txt), on the emulator (test/emulator) beside
// the CPU (test/gpu/Compare.h).
//
//===----------------------------------------------------------------------===//

#include "Compiled.h"
#include "models/zoo.hpp"
#include "test/gpu/Compare.h"
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <sstream>

using namespace gen;

namespace {

struct Sized {
  std::string name, where;
  std::vector<std::string> settings;
};

[[maybe_unused]] void PrintTo(const Sized &model, std::ostream *stream) { *stream << model.name; }

std::vector<Sized> allModels() {
  std::vector<Sized> models;
  std::ifstream file(GEN_GPU_MODELS);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    Sized model;
    words >> model.name >> model.where;
    for (std::string setting; words >> setting;)
      model.settings.push_back(setting);
    if (!model.name.empty() && model.name != "#")
      models.push_back(model);
  }
  return models;
}

/// Those that are small enough; with sanitizers, which take longer, a few.
std::vector<Sized> emulatedModels() {
  std::vector<Sized> models = allModels();
  std::erase_if(models, [](const Sized &model) {
#if __has_feature(address_sanitizer)
    static const std::set<std::string> few = {"vae", "wgan_gp", "resnet", "lstm", "gpt"};
    return !few.count(model.name);
#else
    return model.where != "all";
#endif
  });
  return models;
}

class DeviceZoo : public testing::TestWithParam<Sized> {};

TEST_P(DeviceZoo, MatchesCpu) {
  setenv("GEN_CUDA_DRIVER", GEN_CUDA_EMULATOR, /*overwrite=*/1);
  const Sized &sized = GetParam();
  const zoo::ModelInfo *model = zoo::find(sized.name);
  ASSERT_NE(model, nullptr);
  std::string path =
      (std::filesystem::path(testing::TempDir()) / ("device-" + sized.name + ".so")).string();
  Program program(sized.name);
  model->build(program, zoo::settingsOf(*model, sized.settings));
  mlir::gen::CompileOptions options;
  options.target = "cpu,cuda";
  options.deviceCode = mlir::gen::DeviceCode::Bitcode;
  optable::compileText(program.str(), options, path);
  Model opened = Model::open(path);
  std::filesystem::remove(path);
  EXPECT_THAT(gpu::compareWithCpu(opened, path + ".safetensors"), testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Models, DeviceZoo, testing::ValuesIn(emulatedModels()),
                         [](const auto &info) { return info.param.name; });

TEST(DeviceZooModels, NoneIsForgotten) {
  std::vector<std::string> named, known;
  for (const Sized &model : allModels())
    named.push_back(model.name);
  for (const zoo::ModelInfo &model : zoo::models())
    known.push_back(model.name);
  EXPECT_THAT(named, testing::UnorderedElementsAreArray(known));
}

} // namespace
