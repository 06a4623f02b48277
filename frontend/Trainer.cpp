//===- Trainer.cpp - a training loop for images ---------------------------===//

#include "gen/trainer.hpp"
#include "gen/picture.hpp"
#include "gen/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gen {

static data::LoaderOptions loaderOptions(Session &session, const Recipe &recipe, int64_t batch) {
  data::LoaderOptions options;
  options.batch = batch;
  options.seed = static_cast<uint64_t>(session.variable("random.seed").scalar<int64_t>());
  options.range = recipe.low < 0 ? data::PixelRange::MinusOneToOne : data::PixelRange::ZeroToOne;
  return options;
}

Trainer::Trainer(Session &session, const Recipe &recipe, const data::Dataset &dataset,
                 const TrainerOptions &options)
    : session(session), recipe(recipe), dataset(dataset), options(options),
      loader(dataset.train, loaderOptions(session, recipe, options.batch)) {
  firstStep = session.variable(recipe.stepVariable).scalar<int64_t>();
  if (firstStep < 0 || firstStep > options.steps)
    throw std::runtime_error(fmt::format(
        "the weights have been trained for {} steps, but {} steps in all are asked for; "
        "hint: --steps counts those before a resume too",
        firstStep, options.steps));
  loader.seek(firstStep);
  for (const std::string &loss : recipe.losses)
    curves.push_back({recipe.losses.size() == 1 ? "training " + loss : loss, {}});
  testCurve.name = "test loss";
}

/// A number as JSON; what is not finite is a string, as JSON has no word for it.
static std::string jsonNumber(double value) {
  return std::isfinite(value) ? fmt::format("{:.9g}", value) : fmt::format("\"{}\"", value);
}

static void printLine(const std::string &line) {
  if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size() || std::fflush(stdout) != 0)
    throw std::runtime_error("cannot write to the standard output");
}

void Trainer::takeStep(int64_t step) {
  const data::Batch &batch = loader.next();
  auto pixels = dataset.train.pixelsPerImage();
  Results results =
      session.call("train_step", {View(batch.images.data(), {options.batch, pixels})});
  std::string fields;
  for (size_t i = 0; i < curves.size(); ++i) {
    double loss = results.scalar<float>(recipe.losses[i]);
    curves[i].points.emplace_back(static_cast<double>(step), loss);
    std::string name = i == 0 ? "loss" : recipe.losses[i];
    fields += fmt::format(",\"{}\":{}", name, jsonNumber(loss));
  }
  if (options.json)
    printLine(fmt::format("{{\"step\":{}{}}}\n", step, fields));
}

std::vector<float> Trainer::testImages(int64_t first, int64_t count) const {
  const data::Images &test = dataset.test;
  auto begin = test.pixels.begin() + first * test.pixelsPerImage();
  std::vector<float> values(static_cast<size_t>(count * test.pixelsPerImage()));
  std::transform(begin, begin + count * test.pixelsPerImage(), values.begin(), [&](uint8_t pixel) {
    return static_cast<float>(recipe.low + (recipe.high - recipe.low) * pixel / 255.0);
  });
  return values;
}

double Trainer::testLoss() {
  constexpr int64_t kBatch = 1000;
  const data::Images &test = dataset.test;
  double total = 0;
  for (int64_t first = 0; first < test.count; first += kBatch) {
    int64_t count = std::min(kBatch, test.count - first);
    std::vector<float> images = testImages(first, count);
    Results results =
        session.call("evaluate", {View(images.data(), {count, test.pixelsPerImage()})});
    total += static_cast<double>(count) * results.scalar<float>("loss");
  }
  return total / static_cast<double>(test.count);
}

void Trainer::evaluate(int64_t step) {
  if (!recipe.evaluates || dataset.test.count == 0 || step == lastEvaluated)
    return;
  lastEvaluated = step;
  double loss = testLoss();
  testCurve.points.emplace_back(static_cast<double>(step), loss);
  if (options.json)
    printLine(fmt::format("{{\"step\":{},\"epoch\":{},\"test_loss\":{}}}\n", step, loader.epoch(),
                          jsonNumber(loss)));
  else
    printLine(fmt::format("step {}, epoch {}: test loss {:.3f}\n", step, loader.epoch(), loss));
}

void Trainer::save() {
  session.setMetadata("model", options.name);
  session.save(path(options.name + ".safetensors"));
}

bool Trainer::run() {
  Progress::Options progressOptions;
  progressOptions.total = options.steps;
  progressOptions.first = firstStep;
  progressOptions.imagesPerStep = options.batch;
  Progress progress(progressOptions);
  for (int64_t step = firstStep + 1; step <= options.steps; ++step) {
    takeStep(step);
    if (!options.json)
      progress.update(step, curves.front().points.back().second);
    if (options.stop && *options.stop && step < options.steps) {
      save();
      return false;
    }
    if (step % loader.batchesPerEpoch() == 0 && step < options.steps) {
      evaluate(step);
      save();
    }
  }
  if (!options.json)
    progress.finish();
  evaluate(options.steps);
  save();
  return true;
}

void Trainer::writePictures() {
  std::vector<Series> series = curves;
  if (!testCurve.points.empty())
    series.push_back(testCurve);
  writePlot(path("loss.svg"), options.name, "step", "loss", series);

  const data::Images &test = dataset.test;
  GridOptions grid;
  grid.black = static_cast<float>(recipe.low);
  grid.white = static_cast<float>(recipe.high);
  View samples = session.call("sample")["x"];
  writeGrid(path("samples.png"), samples.data<float>(),
            {samples.dimension(0), dataset.train.height, dataset.train.width}, grid);
  if (!recipe.reconstructs || test.count == 0)
    return;

  // Eight a row: a row of images, below it their reconstructions.
  constexpr int64_t kColumns = 8;
  int64_t count = std::min<int64_t>(32, test.count), pixels = test.pixelsPerImage();
  std::vector<float> images = testImages(0, count), rows;
  View again = session.call("reconstruct", {View(images.data(), {count, pixels})})["x"];
  for (int64_t first = 0; first + kColumns <= count; first += kColumns)
    for (const float *source : {static_cast<const float *>(images.data()), again.data<float>()})
      rows.insert(rows.end(), source + first * pixels, source + (first + kColumns) * pixels);
  if (rows.empty())
    return;
  grid.columns = kColumns;
  writeGrid(path("reconstructions.png"), rows.data(),
            {static_cast<int64_t>(rows.size()) / pixels, test.height, test.width}, grid);
}

} // namespace gen
