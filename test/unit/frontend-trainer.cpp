// The training loop on a model of one weight: resumption, the best weights, patience.
#include "support-files.h"

#include "gen/checkpoint.hpp"
#include "gen/compile.hpp"
#include "gen/optimizers.hpp"
#include "gen/trainer.hpp"

#include <gmock/gmock.h>

namespace {

using namespace gen;
using gen::test::errorOf;
using gen::test::Folder;

// Learns w = 3 from x and 3 x with noise; far too fast a rate makes it worse and worse.
Model lineModel(double rate) {
  Program program("line");
  Variable w = (program / "net").variable("w", f32, {});
  SGD sgd(program / "sgd", {.learning_rate = rate});
  Dimension batch = program.dimension("batch");
  Input images = input("x", f32, {batch, 1});
  auto loss = [&](const Tensor &x) { return mean(square(w * x - 3.0 * x + 0.1 * normal_like(x))); };
  program.entry("train_step", {images}, training, [&](Tensor x) {
    Tensor value = loss(x);
    sgd.minimize(value, (program / "net").parameters());
    return result("loss", value);
  });
  program.entry("evaluate", {images}, evaluation,
                [&](Tensor x) { return result("loss", loss(x)); });
  program.entry("sample", {}, [&] { return result("x", normal({4, 4}) + w); });
  return compile(program);
}

Recipe lineRecipe() {
  Recipe recipe;
  recipe.inputs = {"images"};
  recipe.batch = 4;
  recipe.evaluateEvery = 3;
  recipe.steps = 10;
  recipe.samples = {[](const OutputContext &context) { context.session.call("sample"); }};
  return recipe;
}

data::TrainingData bytes() {
  data::Images images{50, 1, 1, 1, std::vector<uint8_t>(50), {}};
  for (size_t i = 0; i < 50; ++i)
    images.pixels[i] = static_cast<uint8_t>(5 * i);
  data::TrainingData data;
  data.name = "bytes";
  data.train = data.test = std::make_shared<data::ImageSource>(images, 0, 1);
  return data;
}

TrainerOptions optionsOf(Folder &folder) {
  TrainerOptions options;
  options.name = "line";
  options.outputDir = folder.path("");
  options.json = true;
  return options;
}

TEST(Trainer, StopAndResumeEqualOneRun) {
  Folder whole, parts;
  Model model = lineModel(0.05);
  Recipe recipe = lineRecipe();
  {
    Session session(model, {.seed = 4});
    EXPECT_EQ(Trainer(session, recipe, bytes(), optionsOf(whole)).run(), Trainer::End::Steps);
  }
  // Stopped after each step, in sessions of their own.
  std::atomic<bool> stop = true;
  TrainerOptions options = optionsOf(parts);
  options.stop = &stop;
  for (int step = 1; step <= 10; ++step) {
    Session session(model, {.seed = 4});
    if (step > 1)
      session.load(parts.path("line.safetensors"));
    EXPECT_EQ(Trainer(session, recipe, bytes(), options).run(),
              step < 10 ? Trainer::End::Stop : Trainer::End::Steps);
    EXPECT_EQ(metadataOf(parts.path("line.safetensors"))["trainer.step"], std::to_string(step));
  }
  Session first(model), second(model);
  first.load(whole.path("line.safetensors"));
  second.load(parts.path("line.safetensors"));
  EXPECT_EQ(first.variable("net.w").scalar<float>(), second.variable("net.w").scalar<float>());
  EXPECT_EQ(first.variable("random.counter").scalar<int64_t>(),
            second.variable("random.counter").scalar<int64_t>());
}

TEST(Trainer, KeepsTheBestAndLosesPatience) {
  Folder folder;
  Model model = lineModel(50);
  Recipe recipe = lineRecipe();
  recipe.steps = 1000;
  recipe.evaluateEvery = 1;
  TrainerOptions options = optionsOf(folder);
  options.patience = 4;
  Session session(model, {.seed = 4});
  EXPECT_EQ(Trainer(session, recipe, bytes(), options).run(), Trainer::End::Patience);
  EXPECT_EQ(metadataOf(folder.path("line.safetensors"))["trainer.step"], "5");
  auto best = metadataOf(folder.path("line.best.safetensors"));
  EXPECT_EQ(best["trainer.step"], "1");
  EXPECT_EQ(best["trainer.worse"], "0");
}

// Entries as the recipe says: one on data, and in every third step one that takes nothing.
TEST(Trainer, CallsWhatTheRecipeSays) {
  Program program("two");
  Variable first = program.scope().variable("first", f32, {}),
           second = program.scope().variable("second", f32, {});
  Dimension batch = program.dimension("batch");
  program.entry("train_step", {input("x", f32, {batch, 1})}, training, [&](Tensor x) {
    assign(first, first + 1.0);
    return result("d_loss", mean(x));
  });
  program.entry("generator_step", {}, training, [&] {
    assign(second, second + first);
    return result("g_loss", Tensor(second));
  });
  Recipe recipe = lineRecipe();
  recipe.samples = {};
  recipe.calls = [](int64_t step, const Settings &settings) -> std::vector<std::string> {
    if (step % static_cast<int64_t>(settings.at("period")) == 0)
      return {"train_step", "generator_step"};
    return {"train_step"};
  };
  Folder folder;
  TrainerOptions options = optionsOf(folder);
  options.settings = {{"period", 3}};
  Session session(compile(program));
  Trainer trainer(session, recipe, bytes(), options);
  EXPECT_EQ(trainer.run(), Trainer::End::Steps);
  EXPECT_EQ(session.variable("first").scalar<float>(), 10);
  EXPECT_EQ(session.variable("second").scalar<float>(), 3 + 6 + 9);
  trainer.writeOutputs();
  EXPECT_THAT(folder.read("loss.svg"),
              testing::AllOf(testing::HasSubstr("d_loss"), testing::HasSubstr("g_loss")));
}

TEST(Trainer, RefusesWhatDoesNotFit) {
  Folder folder;
  Model model = lineModel(0.05);
  Recipe recipe = lineRecipe();
  Session session(model);
  auto error = [&](const TrainerOptions &options) {
    return errorOf([&] { Trainer(session, recipe, bytes(), options); });
  };
  TrainerOptions options = optionsOf(folder);
  recipe.inputs = {"labels"};
  EXPECT_EQ(error(options), "expected data with 'labels', got images");
  recipe.inputs = {"images", "images"};
  EXPECT_EQ(error(options), "train_step: has 1 inputs, the recipe names 2");
  recipe.inputs = {"images"};
  session.setMetadata("trainer.step", "12");
  EXPECT_THAT(error(options), testing::HasSubstr("trained for 12 steps, but 10 steps in all"));
  session.setMetadata("trainer.step", "many");
  EXPECT_EQ(error(options),
            "the weights' metadata: expected a number as 'trainer.step', got 'many'");
  session.setMetadata("trainer.step", "2");
  data::TrainingData wide = bytes();
  wide.train = std::make_shared<data::ImageSource>(
      data::Images{8, 1, 2, 1, std::vector<uint8_t>(16), {}}, 0, 1);
  EXPECT_EQ(errorOf([&] { Trainer(session, recipe, wide, options); }),
            "train_step: input 'x': expected f32[batch, 1], but 'images' of the data are f32[1, "
            "1, 2] each");
  data::TrainingData other = bytes();
  other.metadata = {{"alphabet", "abc"}};
  session.setMetadata("alphabet", "abd");
  EXPECT_EQ(errorOf([&] { Trainer(session, recipe, other, options); }),
            "the weights were trained on other data: the alphabet of 'bytes' is not the same");
}

} // namespace
