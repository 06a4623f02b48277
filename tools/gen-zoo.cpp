// gen-zoo: the models that come with gencc: lists, exports, trains and samples them.
#include "gen/compile.hpp"
#include "gen/files.hpp"
#include "gen/picture.hpp"
#include "gen/trainer.hpp"
#include "models/zoo.hpp"
#include "tools/CommandLine.h"

#include <fmt/format.h>

#include <csignal>
#include <filesystem>

namespace {

struct Options {
  std::string name, output, data, outputDir = "out", resume, load;
  std::vector<std::string> settings;
  int64_t steps = 0, batch = 128;
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

void build(gen::Program &program, const gen::zoo::ModelInfo &model, const Options &options) {
  model.build(program, gen::zoo::settingsOf(model, options.settings));
}

void exportModel(const Options &options) {
  const gen::zoo::ModelInfo &model = modelOf(options.name);
  gen::Program program(model.name);
  build(program, model, options);
  std::string path = options.output.empty() ? model.name + ".mlir" : options.output;
  if (path == "-")
    fmt::print("{}", program.str(/*locations=*/true));
  else
    program.write(path);
}

/// Compiles into the output folder and opens the artefact.
gen::Model compileModel(const gen::zoo::ModelInfo &model, const Options &options) {
  gen::Program program(model.name);
  build(program, model, options);
  gen::createFolder(options.outputDir);
  std::string path = options.outputDir + "/" + model.name + ".so";
  gen::compileTo(program, path);
  return gen::Model::open(path);
}

void requireFile(const std::string &option, const std::string &path) {
  if (!std::filesystem::is_regular_file(path))
    throw std::invalid_argument(fmt::format("{} {}: there is no such file", option, path));
}

/// A session with the weights of `path`, if one is given.
gen::Session openSession(const gen::Model &model, const Options &options, const char *option,
                         const std::string &path) {
  gen::Session session(model, {.seed = options.seed, .threads = options.threads});
  if (path.empty())
    return session;
  requireFile(option, path);
  session.load(path);
  return session;
}

/// The data's images have to be as large as the model's.
void checkPixels(const gen::Model &model, const gen::Recipe &recipe,
                 const gen::data::Dataset &dataset) {
  int64_t pixels = model.entry("train_step").inputs.at(0).shape.at(1);
  const gen::data::Images &images = dataset.train;
  if (images.pixelsPerImage() != pixels)
    throw std::invalid_argument(fmt::format(
        "train_step: input '{}' takes images of {} pixels, those of '{}' have {} ({} x {} x {})",
        recipe.input, pixels, dataset.name, images.pixelsPerImage(), images.height, images.width,
        images.channels));
}

void train(Options options) {
  const gen::zoo::ModelInfo &model = modelOf(options.name);
  const gen::Recipe &recipe = recipeOf(model);
  if (!options.resume.empty())
    requireFile("--resume", options.resume);
  gen::data::Dataset dataset =
      options.data.empty() ? gen::data::drawnDigits() : gen::data::readFolder(options.data);
  gen::Model compiled = compileModel(model, options);
  checkPixels(compiled, recipe, dataset);
  gen::Session session = openSession(compiled, options, "--resume", options.resume);
  auto seed = static_cast<uint64_t>(session.variable("random.seed").scalar<int64_t>());
  if (options.seedGiven && seed != options.seed)
    throw std::invalid_argument(
        fmt::format("--seed {}: the run that is resumed has seed {}", options.seed, seed));

  gen::TrainerOptions trainerOptions;
  trainerOptions.name = model.name;
  trainerOptions.outputDir = options.outputDir;
  trainerOptions.steps = options.steps > 0 ? options.steps : recipe.steps;
  trainerOptions.batch = options.batch;
  trainerOptions.json = options.json;
  trainerOptions.stop = &interrupted;
  gen::Trainer trainer(session, recipe, dataset, trainerOptions);
  std::signal(SIGINT, interrupt);
  std::signal(SIGTERM, interrupt);
  bool done = trainer.run();
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  trainer.writePictures();
  if (!done)
    fmt::print(stderr, "stopped; go on with: gen-zoo train {0} --resume {1}/{0}.safetensors\n",
               model.name, options.outputDir);
}

void sample(const Options &options) {
  const gen::zoo::ModelInfo &model = modelOf(options.name);
  const gen::Recipe &recipe = recipeOf(model);
  if (options.load.empty())
    throw std::invalid_argument(fmt::format(
        "sample needs weights; hint: --load FILE, such as {}/{}.safetensors after training",
        options.outputDir, model.name));
  requireFile("--load", options.load);
  gen::Session session = openSession(compileModel(model, options), options, "--load", options.load);
  if (options.seedGiven) {
    session.setVariable("random.seed", gen::Array::of(static_cast<int64_t>(options.seed)));
    session.setVariable("random.counter", gen::Array::of(int64_t{0}));
  }
  gen::View images = session.call("sample")["x"];
  int64_t side = std::lround(std::sqrt(images.dimension(1)));
  gen::GridOptions grid;
  grid.black = static_cast<float>(recipe.low);
  grid.white = static_cast<float>(recipe.high);
  gen::writeGrid(options.outputDir + "/samples.png", images.data<float>(),
                 {images.dimension(0), side, side}, grid);
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

int run(int argc, char **argv) {
  CLI::App app("The models that come with gencc.", "gen-zoo");
  app.require_subcommand(1);
  Options options;

  CLI::App *listing = app.add_subcommand("list", "Lists the models and their settings");
  CLI::App *exporting = app.add_subcommand("export", "Writes a model as MLIR, for gencc");
  addCommon(*exporting, options);
  exporting->add_option("-o", options.output, "File to write; - is stdout (default: NAME.mlir)");

  CLI::App *training = app.add_subcommand(
      "train", "Trains a model on images; writes weights, artefact, loss curve and samples");
  addCommon(*training, options);
  addRunning(*training, options);
  training->add_option("--data", options.data,
                       "Folder of IDX files as MNIST's, plain or .gz (default: drawn digits)");
  training->add_option("--steps", options.steps, "In all, those before --resume included")
      ->check(CLI::PositiveNumber);
  training->add_option("--batch", options.batch, "Images a step")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 20))
      ->capture_default_str();
  training->add_option("--resume", options.resume, "Weights file of the run to go on with");
  training->add_flag("--json", options.json, "One JSON object a line instead of a progress bar");

  CLI::App *sampling = app.add_subcommand("sample", "Draws samples into samples.png");
  addCommon(*sampling, options);
  addRunning(*sampling, options);
  sampling->add_option("--load", options.load, "Weights file");

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
