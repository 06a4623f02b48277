//===- Trainer.cpp - a training loop --------------------------------------===//

#include "gen/trainer.hpp"
#include "gen/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace gen {

// Keys of the metadata.
static constexpr const char *kStep = "trainer.step", *kBatch = "trainer.batch",
                            *kBest = "trainer.best", *kWorse = "trainer.worse";

/// A number of the session's metadata, `missing` if there is none.
template <class T> static T metadataNumber(const Session &session, const char *key, T missing) {
  std::string text = session.metadata(key);
  const char *end = text.data() + text.size();
  T value = missing;
  if (!text.empty() && (std::from_chars(text.data(), end, value).ptr != end || value < 0))
    throw std::runtime_error(
        fmt::format("the weights' metadata: expected a number as '{}', got '{}'", key, text));
  return value;
}

void startWith(Session &session, const std::string &path) {
  std::vector<std::pair<std::string, Array>> own; // not the other run's
  for (const TensorSpec &variable : session.model().variables())
    if (variable.name.starts_with("random."))
      own.emplace_back(variable.name, session.variable(variable.name));
  session.load(path, /*partial=*/true);
  for (const auto &[name, value] : own)
    session.setVariable(name, value);
  for (const char *key : {kStep, kBatch, kBest, kWorse})
    session.setMetadata(key, "");
  const std::string report = session.loadReport();
  bool none = true;
  for (const TensorSpec &variable : session.model().variables())
    none &= variable.name.starts_with("random.") ||
            report.find("missing: " + variable.name + "\n") != std::string::npos;
  if (none)
    throw std::runtime_error(path + ": has none of the model's variables");
}

/// The batch of the options, or else of the run that is resumed, or else of the recipe.
static int64_t chooseBatch(const Session &session, const Recipe &recipe, int64_t asked) {
  auto before = metadataNumber<int64_t>(session, kBatch, 0);
  if (before > 0 && asked > 0 && asked != before)
    throw std::runtime_error(
        fmt::format("--batch {}: the run that is resumed has batches of {}", asked, before));
  return asked > 0 ? asked : before > 0 ? before : recipe.batch;
}

/// The seed of the session's random numbers, if it draws any.
static uint64_t seedOf(Session &session) {
  for (const TensorSpec &variable : session.model().variables())
    if (variable.name == "random.seed")
      return static_cast<uint64_t>(session.variable(variable.name).scalar<int64_t>());
  return 0;
}

Trainer::Trainer(Session &session, const Recipe &recipe, data::TrainingData given,
                 const TrainerOptions &givenOptions)
    : session(session), recipe(recipe), data(std::move(given)), options(givenOptions),
      best(metadataNumber(session, kBest, std::numeric_limits<double>::infinity())) {
  options.batch = chooseBatch(session, recipe, options.batch);
  if (options.steps == 0)
    options.steps = recipe.steps;
  firstStep = metadataNumber<int64_t>(session, kStep, 0);
  worse = metadataNumber<int64_t>(session, kWorse, 0);
  if (firstStep > options.steps)
    throw std::runtime_error(fmt::format(
        "the weights have been trained for {} steps, but {} steps in all are asked for; "
        "hint: --steps counts those before a resume too",
        firstStep, options.steps));
  requireSameData(session, data);
  for (const auto &[key, value] : data.metadata)
    session.setMetadata(key, value);
  for (const std::string &entry : entriesOf(firstStep + 1))
    callOf(entry);
  data::LoaderOptions loaderOptions;
  loaderOptions.batch = options.batch;
  loaderOptions.seed = seedOf(session);
  loaderOptions.order = recipe.order;
  loader = std::make_unique<data::Loader>(data.train, loaderOptions);
  loader->seek(firstStep);
}

std::vector<std::string> Trainer::entriesOf(int64_t step) const {
  return recipe.calls ? recipe.calls(step, options.settings)
                      : std::vector<std::string>{"train_step"};
}

Trainer::Call &Trainer::callOf(const std::string &entry) {
  for (Call &call : calls)
    if (call.name == entry)
      return call;
  EntrySpec spec = session.model().entry(entry);
  Call call{entry, scalarsOf(spec), nullptr};
  if (call.losses.empty())
    throw std::runtime_error(entry + ": expected a result that is an f32 scalar, the loss");
  if (!spec.inputs.empty())
    call.feed = std::make_unique<Feed>(spec, recipe.inputs, *data.train);
  return calls.emplace_back(std::move(call));
}

static void printLine(const std::string &line) {
  if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size() || std::fflush(stdout) != 0)
    throw std::runtime_error("cannot write to the standard output");
}

/// Adds a point to the loss's curve.
void Trainer::note(int64_t step, const std::string &loss, double value) {
  auto curve = std::find_if(curves.begin(), curves.end(),
                            [&](const Series &series) { return series.name == loss; });
  if (curve == curves.end())
    curve = curves.insert(curve, {loss, {}});
  curve->points.emplace_back(static_cast<double>(step), value);
}

void Trainer::takeStep(int64_t step) {
  const data::Batch &batch = loader->next();
  Figures figures;
  for (const std::string &entry : entriesOf(step)) {
    Call &call = callOf(entry);
    Results results =
        session.call(entry, call.feed ? call.feed->operator()(batch) : std::vector<View>());
    for (const std::string &loss : call.losses) {
      figures.emplace_back(loss, results.scalar<float>(loss));
      note(step, loss, figures.back().second);
    }
  }
  session.setMetadata(kStep, std::to_string(step));
  if (options.json)
    printLine(fmt::format("{{\"step\":{}{}}}\n", step, jsonOf(figures)));
}

bool Trainer::evaluationDue(int64_t step) const {
  int64_t every = recipe.evaluateEvery > 0 ? recipe.evaluateEvery : loader->batchesPerEpoch();
  return step == options.steps || step % every == 0;
}

void Trainer::evaluateAt(int64_t step) {
  if (!data.test || step == lastEvaluated || !session.model().hasEntry("evaluate"))
    return;
  lastEvaluated = step;
  Figures figures = evaluate(session, recipe, *data.test).figures;
  if (options.json)
    printLine(fmt::format("{{\"step\":{},\"epoch\":{}{}}}\n", step, loader->epoch(),
                          jsonOf(figures, "test_")));
  else
    printLine(fmt::format("step {}, epoch {}: test {}\n", step, loader->epoch(), textOf(figures)));
  if (figures.empty())
    return;
  testCurve.name = "test " + figures.front().first;
  testCurve.points.emplace_back(static_cast<double>(step), figures.front().second);
  keepBest(figures.front().second);
}

void Trainer::keepBest(double loss) {
  bool better = loss < best;
  worse = better ? 0 : worse + 1;
  best = better ? loss : best;
  session.setMetadata(kBest, fmt::format("{:.17g}", best));
  session.setMetadata(kWorse, std::to_string(worse));
  if (better)
    save(options.name + ".best.safetensors");
}

void Trainer::save(const std::string &file) {
  session.setMetadata("model", options.name);
  session.setMetadata(kBatch, std::to_string(options.batch));
  session.save(path(file));
}

/// Samples draw random numbers of their own: training goes on as if there had been none.
void Trainer::sample() {
  constexpr const char *kCounter = "random.counter";
  std::vector<TensorSpec> variables = session.model().variables();
  bool draws = std::any_of(variables.begin(), variables.end(),
                           [](const TensorSpec &variable) { return variable.name == kCounter; });
  Array counter;
  if (draws)
    counter = Array(session.variable(kCounter));
  for (const Output &output : recipe.samples)
    output({session, data.test.get(), SampleOptions(), options.outputDir});
  if (draws)
    session.setVariable(kCounter, counter);
}

Trainer::End Trainer::run() {
  Progress::Options progressOptions;
  progressOptions.total = options.steps;
  progressOptions.first = firstStep;
  progressOptions.examplesPerStep = options.batch;
  Progress progress(progressOptions);
  const std::string file = options.name + ".safetensors";
  for (int64_t step = firstStep + 1; step <= options.steps; ++step) {
    takeStep(step);
    if (!options.json)
      progress.update(step, curves.front().points.back().second);
    if (options.stop && *options.stop && step < options.steps) {
      save(file);
      return End::Stop;
    }
    if (!evaluationDue(step))
      continue;
    if (step == options.steps && !options.json)
      progress.finish();
    evaluateAt(step);
    save(file);
    if (options.patience > 0 && worse >= options.patience)
      return End::Patience;
    if (step < options.steps)
      sample();
  }
  evaluateAt(options.steps); // where no step was left
  save(file);
  return End::Steps;
}

void Trainer::writeOutputs() {
  std::vector<Series> series = curves;
  if (series.size() == 1)
    series.front().name = "training " + series.front().name;
  if (!testCurve.points.empty())
    series.push_back(testCurve);
  writePlot(path("loss.svg"), options.name, "step", "loss", series);
  sample();
  for (const Output &output : recipe.outputs)
    output({session, data.test.get(), SampleOptions(), options.outputDir});
}

} // namespace gen
