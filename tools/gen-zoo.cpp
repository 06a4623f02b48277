// gen-zoo: the models that come with gencc: lists, exports, trains, evaluates and samples them.
#include "gen/checkpoint.hpp"
#include "gen/compile.hpp"
#include "gen/files.hpp"
#include "gen/judging.hpp"
#include "gen/progress.hpp"
#include "gen/trainer.hpp"
#include "models/zoo.hpp"
#include "tools/CommandLine.h"

#include <fmt/format.h>

#include <csignal>
#include <filesystem>

namespace {

struct Options {
  std::string name, output, data, outputDir = "out", resume, start, load, judge;
  std::vector<std::string> settings;
  int64_t steps = 0, batch = 0, patience = 0, samples = 10000;
  gen::SampleOptions sampling;
  uint64_t seed = 0;
  uint32_t threads = 0;
  bool json = false, seedGiven = false;
};

std::atomic<bool> interrupted = false;
void interrupt(int) { interrupted = true; }

const gen::zoo::ModelInfo &modelOf(const std::string &name) {
  if (const gen::zoo::ModelInfo *model = gen::zoo::find(name))
    return *model;
  std::string near = gen::zoo::nearest(name), names;
  for (const gen::zoo::ModelInfo &model : gen::zoo::models())
    names += (names.empty() ? "" : ", ") + model.name;
  throw std::invalid_argument(
      fmt::format("there is no model '{}'; hint: {}", name,
                  near.empty() ? "the models are: " + names : "did you mean '" + near + "'?"));
}

const gen::Recipe &recipeOf(const gen::zoo::ModelInfo &model) {
  if (!model.recipe)
    throw std::invalid_argument(
        fmt::format("'{}' is a benchmark: it can be exported, not trained or sampled", model.name));
  return *model.recipe;
}

void list() {
  for (const gen::zoo::ModelInfo &model : gen::zoo::models()) {
    std::string settings;
    for (const auto &[key, value] : model.defaults)
      settings += fmt::format("{}{}={:g}", settings.empty() ? "" : " ", key, value);
    fmt::print("{:<20} {}{}\n", model.name, model.summary,
               settings.empty() ? "" : "  [" + settings + "]");
  }
}

void exportModel(const Options &options) {
  const gen::zoo::ModelInfo &model = modelOf(options.name);
  gen::Program program(model.name);
  model.build(program, gen::zoo::settingsOf(model, options.settings));
  std::string path = options.output.empty() ? model.name + ".mlir" : options.output;
  if (path == "-")
    fmt::print("{}", program.str(/*locations=*/true));
  else
    program.write(path);
}

void requireFile(const std::string &option, const std::string &path) {
  if (!std::filesystem::is_regular_file(path))
    throw std::invalid_argument(fmt::format("{} {}: there is no such file", option, path));
}

/// A model of the zoo at work: with data, if there are any, and a session with the weights of a
/// file, if one is given.
struct Workshop {
  Workshop(const Options &options, const char *weightsOption, const std::string &weights,
           bool withData)
      : info(modelOf(options.name)), recipe(recipeOf(info)) {
    for (const auto &[option, path] :
         {std::pair(weightsOption, weights), {"--start", options.start}})
      if (!path.empty()) {
        requireFile(option, path);
        known = gen::metadataOf(path);
      }
    settings = settingsOf(options, weightsOption, weights);
    batch = options.batch;
    if (auto fixed = settings.find("batch"); fixed != settings.end()) {
      if (batch > 0)
        fixed->second = static_cast<double>(batch);
      batch = gen::zoo::sizeOf(settings, "batch");
    }
    if (withData) {
      data = recipe.data(options.data, settings, known);
      for (const auto &[key, value] : data.facts)
        if (auto setting = settings.find(key); setting != settings.end())
          setting->second = value;
    }
    session = gen::Session(compile(options.outputDir),
                           {.seed = options.seed, .threads = options.threads});
    if (!weights.empty())
      session.load(weights);
    else if (!options.start.empty())
      gen::startWith(session, options.start);
    session.setMetadata("settings", gen::zoo::str(settings));
  }

  const gen::zoo::ModelInfo &info;
  const gen::Recipe &recipe;
  gen::data::TrainingData data;
  gen::Session session;
  gen::Settings settings;
  int64_t batch = 0; ///< that of a model that keeps something for each row, or the one asked for

private:
  gen::data::Metadata known; ///< of the weights

  /// The model's, those the weights were made with, those of the command line: the last counts.
  /// Weights to start with are another model's: it has settings of its own, too.
  gen::Settings settingsOf(const Options &options, const char *weightsOption,
                           const std::string &weights) const {
    std::vector<std::string> changes;
    if (known.contains("settings"))
      changes = gen::zoo::split(known.at("settings"));
    if (!options.start.empty())
      std::erase_if(changes, [&](const std::string &change) {
        return !info.defaults.contains(change.substr(0, change.find('=')));
      });
    else if (known.contains("model") && known.at("model") != info.name)
      throw std::invalid_argument(fmt::format("{} {}: expected weights of '{}', got those of '{}'",
                                              weightsOption, weights, info.name,
                                              known.at("model")));
    changes.insert(changes.end(), options.settings.begin(), options.settings.end());
    return gen::zoo::settingsOf(info, changes);
  }

  /// Compiles into the output folder and opens the artefact.
  gen::Model compile(const std::string &folder) const {
    gen::Program program(info.name);
    info.build(program, settings);
    gen::createFolder(folder);
    std::string path = folder + "/" + info.name + ".so";
    gen::compileTo(program, path);
    return gen::Model::open(path);
  }
};

void train(const Options &options) {
  Workshop shop(options, "--resume", options.resume, /*withData=*/true);
  if (options.seedGiven && !options.resume.empty()) {
    auto seed = static_cast<uint64_t>(shop.session.variable("random.seed").scalar<int64_t>());
    if (seed != options.seed)
      throw std::invalid_argument(
          fmt::format("--seed {}: the run that is resumed has seed {}", options.seed, seed));
  }
  gen::TrainerOptions trainerOptions;
  trainerOptions.name = shop.info.name;
  trainerOptions.outputDir = options.outputDir;
  trainerOptions.steps = options.steps;
  trainerOptions.batch = shop.batch;
  trainerOptions.patience = options.patience;
  trainerOptions.settings = shop.settings;
  trainerOptions.json = options.json;
  trainerOptions.stop = &interrupted;
  gen::Trainer trainer(shop.session, shop.recipe, shop.data, trainerOptions);
  std::signal(SIGINT, interrupt);
  std::signal(SIGTERM, interrupt);
  gen::Trainer::End end = trainer.run();
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  trainer.writeOutputs();
  if (end == gen::Trainer::End::Stop)
    fmt::print(stderr, "stopped; go on with: gen-zoo train {0} --resume {1}/{0}.safetensors\n",
               shop.info.name, options.outputDir);
  else if (end == gen::Trainer::End::Patience)
    fmt::print(stderr, "no better for {} evaluations; the best: {}/{}.best.safetensors\n",
               options.patience, options.outputDir, shop.info.name);
}

void requireWeights(const char *command, const Options &options) {
  if (options.load.empty())
    throw std::invalid_argument(
        fmt::format("{} needs weights; hint: --load FILE, such as {}/{}.safetensors after training",
                    command, options.outputDir, options.name));
}

/// What a trained LeNet says of samples.
gen::Figures judgedSamples(Workshop &shop, const Options &options) {
  Options judgeOptions;
  judgeOptions.name = "lenet";
  judgeOptions.outputDir = options.outputDir;
  judgeOptions.threads = options.threads;
  Workshop judging(judgeOptions, "--judge", options.judge, /*withData=*/false);
  gen::Judge judge(judging.session);
  return gen::judgeSamples(shop.session, shop.recipe, judge, *shop.data.test, options.samples);
}

void evaluate(const Options &options) {
  const gen::Recipe &recipe = recipeOf(modelOf(options.name));
  requireWeights("evaluate", options);
  if (!options.judge.empty() && !recipe.images)
    throw std::invalid_argument(
        fmt::format("--judge {}: '{}' draws no images", options.judge, options.name));
  Workshop shop(options, "--load", options.load, /*withData=*/true);
  bool hasEntry = shop.session.model().hasEntry("evaluate");
  if (!hasEntry && options.judge.empty())
    throw std::invalid_argument(fmt::format(
        "'{}' has no entry 'evaluate'{}", options.name,
        recipe.images ? "; hint: --judge FILE, weights of a lenet trained on the same images"
                      : ""));
  if (!shop.data.test)
    throw std::invalid_argument(fmt::format("{}: has no test part", shop.data.name));
  gen::requireSameData(shop.session, shop.data);
  gen::Evaluation evaluation;
  if (hasEntry)
    evaluation = gen::evaluate(shop.session, shop.recipe, *shop.data.test);
  gen::Figures judged = options.judge.empty() ? gen::Figures() : judgedSamples(shop, options);
  if (options.json)
    fmt::print("{{\"examples\":{}{}{}}}\n", shop.data.test->count(),
               gen::jsonOf(evaluation.figures, "test_"), gen::jsonOf(judged));
  else {
    if (hasEntry)
      fmt::print("{} examples: {}\n", shop.data.test->count(), gen::textOf(evaluation.figures));
    if (!judged.empty())
      fmt::print("{} samples: {}\n", options.samples, gen::textOf(judged));
  }
  if (!evaluation.report)
    return;
  if (!options.json)
    fmt::print("{}", evaluation.report->text());
  evaluation.report->write(options.outputDir);
}

void sample(const Options &options) {
  const gen::Recipe &recipe = recipeOf(modelOf(options.name));
  if (recipe.samples.empty())
    throw std::invalid_argument(
        fmt::format("'{}' makes no samples; hint: gen-zoo evaluate", options.name));
  requireWeights("sample", options);
  Workshop shop(options, "--load", options.load, /*withData=*/false);
  if (options.seedGiven) {
    shop.session.setVariable("random.seed", gen::Array::of(static_cast<int64_t>(options.seed)));
    shop.session.setVariable("random.counter", gen::Array::of(int64_t{0}));
  }
  std::optional<gen::Progress> bar; // once there is something to tell
  auto progress = [&](int64_t done, int64_t left) {
    if (!bar) {
      bar.emplace(gen::Progress::Options{.total = done + left});
      std::signal(SIGINT, interrupt);
    }
    bar->update(done);
    return !interrupted;
  };
  for (const gen::Output &output : recipe.samples)
    output({shop.session, nullptr, options.sampling, options.outputDir, progress});
  bar.reset();
  if (interrupted)
    fmt::print(stderr, "stopped: the samples in {} are not finished\n", options.outputDir);
}

void addCommon(CLI::App &command, Options &options) {
  command.add_option("NAME", options.name, "A model of `gen-zoo list`")->required();
  command.add_option("--set", options.settings, "KEY=VALUE: changes a setting of the model");
}

void addRunning(CLI::App &command, Options &options) {
  command.add_option("--output-dir", options.outputDir, "Folder for what is written")
      ->capture_default_str();
  command.add_option("--seed", options.seed, "Of everything random")
      ->capture_default_str()
      ->check(gen::tools::checkSeed);
  command.add_option("--threads", options.threads, "0: one for each processor")
      ->capture_default_str();
}

void addData(CLI::App &command, Options &options) {
  command.add_option(
      "--data", options.data,
      "Folder of IDX files as MNIST's, an IDX file of images, plain or .gz, or a text "
      "file (default: what the program draws or tells itself)");
}

void addSampling(CLI::App &command, gen::SampleOptions &options) {
  command.add_option("--prompt", options.prompt, "Text to go on with");
  command.add_option("--length", options.length, "Characters to write")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 24))
      ->capture_default_str();
  command.add_option("--temperature", options.temperature, "0: always the likeliest")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  command.add_option("--top-k", options.topK, "Only the likeliest so many; 0: all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command.add_option("--top-p", options.topP, "Only the likeliest with this probability together")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
}

int run(int argc, char **argv) {
  CLI::App app("The models that come with gencc.", "gen-zoo");
  app.require_subcommand(1);
  Options options;

  CLI::App *listing = app.add_subcommand("list", "Lists the models and their settings");
  CLI::App *exporting = app.add_subcommand("export", "Writes a model as MLIR, for gencc");
  addCommon(*exporting, options);
  exporting->add_option("-o", options.output, "File to write; - is stdout (default: NAME.mlir)");

  CLI::App *training = app.add_subcommand(
      "train", "Trains a model; writes weights, artefact, loss curve and samples");
  addCommon(*training, options);
  addRunning(*training, options);
  addData(*training, options);
  training->add_option("--steps", options.steps, "In all, those before --resume included")
      ->check(CLI::PositiveNumber);
  training->add_option("--batch", options.batch, "Examples a step (default: the model's)")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 20));
  training
      ->add_option("--patience", options.patience,
                   "Stops after so many evaluations without a better one")
      ->check(CLI::PositiveNumber);
  CLI::Option *resuming =
      training->add_option("--resume", options.resume, "Weights file of the run to go on with");
  training
      ->add_option("--start", options.start,
                   "Weights file of another model to begin with, for variables of the same names "
                   "(bert's for bert_classifier)")
      ->excludes(resuming);
  training->add_flag("--json", options.json, "One JSON object a line instead of a progress bar");

  CLI::App *evaluating =
      app.add_subcommand("evaluate", "Tells how good a trained model is on test data");
  addCommon(*evaluating, options);
  addRunning(*evaluating, options);
  addData(*evaluating, options);
  evaluating->add_option("--load", options.load, "Weights file");
  evaluating->add_option("--judge", options.judge,
                         "Weights of a lenet that samples are shown to: Fréchet distance to the "
                         "test images, and whether classes are as asked");
  evaluating->add_option("--samples", options.samples, "How many the judge is shown")
      ->check(CLI::Range(int64_t{2}, int64_t{1} << 24))
      ->capture_default_str();
  evaluating->add_flag("--json", options.json, "A JSON object instead of text");

  CLI::App *sampling = app.add_subcommand("sample", "Draws samples: samples.png or samples.txt");
  addCommon(*sampling, options);
  addRunning(*sampling, options);
  sampling->add_option("--load", options.load, "Weights file");
  addSampling(*sampling, options.sampling);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return gen::tools::exitStatus(app, error);
  }
  for (CLI::App *command : {training, sampling})
    options.seedGiven = options.seedGiven || (*command && command->count("--seed") > 0);
  if (*listing)
    list();
  else if (*exporting)
    exportModel(options);
  else if (*training)
    train(options);
  else if (*evaluating)
    evaluate(options);
  else
    sample(options);
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (const std::exception &error) {
    std::string message = error.what();
    // Messages about a line of a model start with it, and have the word already.
    bool located = message.find("error: ") != std::string::npos;
    fmt::print(stderr, "{}{}\n", located ? "" : "error: ", message);
    return 1;
  }
}
