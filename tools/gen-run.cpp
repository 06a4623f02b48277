// gen-run: runs an entry of a compiled model from the command line. Reads inputs from .npy files,
// writes results to .npy files, loads and saves weights, measures and profiles.
#include "tools/CommandLine.h"

#include "Npy.h"
#include "gen/runtime.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <map>
#include <sys/resource.h>

namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

struct Options {
  std::string model, entry, device = "cpu", outputDir, load, save, profile;
  std::vector<std::string> inputs, renames;
  uint64_t seed = 0;
  uint32_t threads = 0;
  int repeat = 0;
  bool list = false, benchmark = false, json = false, partial = false;
};

[[noreturn]] void reject(const std::string &message) {
  throw gen::Error(GEN_INVALID_ARGUMENT, message);
}

void printLine(const std::string &line) {
  std::string text = line + "\n";
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    throw gen::Error(GEN_IO, "cannot write to the standard output");
}

// ---- what the model has -------------------------------------------------------------------------

Json describe(const std::vector<gen::TensorSpec> &specs) {
  Json list = Json::array();
  for (const gen::TensorSpec &spec : specs)
    list.push_back({{"name", spec.name}, {"type", spec.describe()}});
  return list;
}

std::string joinSpecs(const std::vector<gen::TensorSpec> &specs) {
  std::string text;
  for (const gen::TensorSpec &spec : specs)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", spec.name, spec.describe());
  return text;
}

void list(const gen::Model &model, bool json) {
  if (json) {
    printLine(
        Json{{"model", model.name()}, {"producer", model.producer()}, {"target", model.target()}}
            .dump());
    for (const gen::EntrySpec &entry : model.entries())
      printLine(Json{{"entry", entry.name},
                     {"inputs", describe(entry.inputs)},
                     {"results", describe(entry.results)}}
                    .dump());
    for (const gen::TensorSpec &variable : model.variables())
      printLine(Json{{"variable", variable.name}, {"type", variable.describe()}}.dump());
    return;
  }
  printLine(fmt::format("model {} ({}, {})", model.name(), model.producer(), model.target()));
  for (const gen::EntrySpec &entry : model.entries())
    printLine(fmt::format("entry {}({}) -> ({})", entry.name, joinSpecs(entry.inputs),
                          joinSpecs(entry.results)));
  for (const gen::TensorSpec &variable : model.variables())
    printLine(fmt::format("variable {} {}", variable.name, variable.describe()));
}

// The only entry beside `init`, else the first there is of the usual ones.
gen::EntrySpec chooseEntry(const gen::Model &model, const std::string &wanted) {
  if (!wanted.empty())
    return model.entry(wanted);
  std::vector<gen::EntrySpec> entries = model.entries();
  if (entries.size() > 1)
    entries.erase(std::remove_if(entries.begin(), entries.end(),
                                 [](const gen::EntrySpec &entry) { return entry.name == "init"; }),
                  entries.end());
  if (entries.size() == 1)
    return entries.front();
  std::string names;
  for (const char *usual : {"main", "train_step", "sample"})
    if (model.hasEntry(usual))
      return model.entry(usual);
  for (const gen::EntrySpec &entry : entries)
    names += (names.empty() ? "" : ", ") + entry.name;
  reject(fmt::format("model '{}' has several entries; hint: choose one with --entry: {}",
                     model.name(), names));
}

// ---- inputs -------------------------------------------------------------------------------------

// Assigns each --input to an input of the entry: by name, else the first that has none yet.
std::map<std::string, gen::Array> readInputs(const gen::EntrySpec &entry,
                                             const std::vector<std::string> &arguments) {
  std::map<std::string, gen::Array> arrays;
  auto isInput = [&](const std::string &name) {
    return std::any_of(entry.inputs.begin(), entry.inputs.end(),
                       [&](const gen::TensorSpec &spec) { return spec.name == name; });
  };
  for (const std::string &argument : arguments) {
    size_t equals = argument.find('=');
    std::string name = equals == std::string::npos ? "" : argument.substr(0, equals),
                path = argument;
    if (isInput(name)) {
      path = argument.substr(equals + 1);
    } else if (equals != std::string::npos && !std::filesystem::exists(argument)) {
      reject(fmt::format("{} has no input '{}'; hint: its inputs are {}", entry.name, name,
                         entry.inputs.empty() ? "none" : joinSpecs(entry.inputs)));
    } else {
      auto open =
          std::find_if(entry.inputs.begin(), entry.inputs.end(),
                       [&](const gen::TensorSpec &spec) { return !arrays.count(spec.name); });
      if (open == entry.inputs.end())
        reject(fmt::format("{} has {} inputs, '{}' is one more", entry.name, entry.inputs.size(),
                           argument));
      name = open->name;
    }
    if (!arrays.emplace(name, gen::runtime::readNpy(path)).second)
      reject(fmt::format("input '{}' is given twice", name));
  }
  return arrays;
}

// Sizes of the dimension symbols, as the given inputs have them.
std::map<std::string, int64_t> bindDimensions(const gen::EntrySpec &entry,
                                              const std::map<std::string, gen::Array> &arrays) {
  std::map<std::string, int64_t> sizes;
  for (const gen::TensorSpec &spec : entry.inputs) {
    auto given = arrays.find(spec.name);
    for (size_t axis = 0; given != arrays.end() && axis < spec.shape.size(); ++axis)
      if (spec.shape[axis] < 0 && given->second.rank() == spec.shape.size())
        sizes[spec.dimensions[axis]] = given->second.dimension(axis);
  }
  return sizes;
}

// The same values in every run: uniform in [0, 1) from a 64-bit mixing function (splitmix64); zeros
// for integers, which may be indices.
gen::Array makeInput(const gen::TensorSpec &spec, const std::map<std::string, int64_t> &sizes,
                     uint64_t seed) {
  std::vector<int64_t> shape = spec.shape;
  for (size_t axis = 0; axis < shape.size(); ++axis)
    if (shape[axis] < 0) {
      auto known = sizes.find(spec.dimensions[axis]);
      shape[axis] = known == sizes.end() ? 1 : known->second;
    }
  gen::Array array(spec.dtype, shape);
  for (size_t i = 0; i < array.size() && (spec.dtype == GEN_F32 || spec.dtype == GEN_F64); ++i) {
    uint64_t bits = (seed += 0x9e3779b97f4a7c15);
    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111eb;
    double value = double((bits ^ bits >> 31) >> 40) * 0x1p-24;
    if (spec.dtype == GEN_F32)
      array.data<float>()[i] = float(value);
    else
      array.data<double>()[i] = value;
  }
  return array;
}

// The inputs in the order of the entry. What is not given is made up for a benchmark, else an
// error.
std::vector<gen::Array> collectInputs(const gen::EntrySpec &entry, const Options &options) {
  std::map<std::string, gen::Array> arrays = readInputs(entry, options.inputs);
  std::map<std::string, int64_t> sizes = bindDimensions(entry, arrays);
  std::vector<gen::Array> inputs;
  for (const gen::TensorSpec &spec : entry.inputs) {
    auto given = arrays.find(spec.name);
    if (given != arrays.end())
      inputs.push_back(std::move(given->second));
    else if (options.benchmark)
      inputs.push_back(makeInput(spec, sizes, inputs.size() << 32));
    else
      reject(fmt::format("{}: input '{}' is missing, expected {}; hint: --input={}=FILE.npy",
                         entry.name, spec.name, spec.describe(), spec.name));
  }
  return inputs;
}

// ---- running ------------------------------------------------------------------------------------

Json scalarOf(const gen::View &view) {
  switch (view.dtype()) {
  case GEN_F32:
    return view.scalar<float>();
  case GEN_F64:
    return view.scalar<double>();
  case GEN_I1:
    return *static_cast<const unsigned char *>(view.raw()) != 0;
  case GEN_I8:
    return view.scalar<int8_t>();
  case GEN_I32:
    return view.scalar<int32_t>();
  default:
    return view.scalar<int64_t>();
  }
}

// One line about a call: scalars with their values, other results with their types.
void report(const std::string &entry, int call, const gen::Results &results, bool json) {
  Json line = {{"entry", entry}, {"call", call}};
  std::string text;
  for (size_t i = 0; i < results.size(); ++i) {
    gen::View view = results[i];
    Json value = view.rank() == 0 ? scalarOf(view) : Json(view.describe());
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", results.name(i),
                        view.rank() == 0 ? value.dump() : view.describe());
    line[results.name(i)] = std::move(value);
  }
  if (json)
    printLine(line.dump());
  else if (!text.empty())
    printLine(fmt::format("{}: {}", entry, text));
}

// A result's name is the compiler's; it must not lead out of the folder.
std::filesystem::path outputPath(const std::string &folder, std::string name) {
  std::replace(name.begin(), name.end(), '/', '_');
  return std::filesystem::path(folder) / (name + ".npy");
}

void writeResults(const gen::Results &results, const std::string &folder) {
  for (size_t i = 0; i < results.size(); ++i)
    gen::runtime::writeNpy(outputPath(folder, results.name(i)).string(), results[i]);
}

double peakMemoryMib() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return double(usage.ru_maxrss) / 1024;
}

// Two calls to warm up (the second counts floating-point operations), then at least five, for three
// seconds or 10000 calls, unless --repeat says how many.
void benchmark(gen::Session &session, const std::string &entry,
               const std::vector<gen::View> &inputs, const Options &options) {
  session.call(entry, inputs);
  session.startProfile();
  session.call(entry, inputs);
  session.stopProfile();
  double gflop = gen_profile_flops(session.c()) * 1e-9;
  if (!options.profile.empty())
    session.startProfile();
  std::vector<double> milliseconds;
  auto begin = Clock::now();
  auto isDone = [&] {
    size_t runs = milliseconds.size();
    if (options.repeat)
      return runs >= size_t(options.repeat);
    return runs >= 10000 || (runs >= 5 && Clock::now() - begin > std::chrono::seconds(3));
  };
  while (!isDone()) {
    auto start = Clock::now();
    session.call(entry, inputs);
    milliseconds.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  double least = milliseconds.front(), median = milliseconds[milliseconds.size() / 2];
  uint32_t threads = session.threadCount();
  double memory = peakMemoryMib(); // before the limits are measured, which takes some
  double calls = options.profile.empty() ? 1 : double(milliseconds.size());
  double percent = least > 0 ? 1e5 * session.profileLimit() / calls / least : 0;
  if (options.json)
    printLine(Json{
        {"entry", entry},
        {"threads", threads},
        {"ms_min", least},
        {"ms_median", median},
        {"gflop", gflop},
        {"peak_rss_mib", memory},
        {"percent_of_limit",
         percent}}.dump());
  else
    printLine(
        fmt::format("{}: {:.4g} ms at least, {:.4g} ms in the median of {} calls, {:.4g} GFLOP "
                    "({:.4g} GFLOP/s, {:.0f} % of the limit), {} threads, {:.0f} MiB at most",
                    entry, least, median, milliseconds.size(), gflop,
                    least > 0 ? gflop / least * 1e3 : 0, percent, threads, memory));
}

void call(gen::Session &session, const std::string &entry, const std::vector<gen::View> &inputs,
          const Options &options) {
  for (int number = 1; number <= std::max(1, options.repeat); ++number) {
    gen::Results results = session.call(entry, inputs);
    report(entry, number, results, options.json);
    if (!options.outputDir.empty() && number == std::max(1, options.repeat))
      writeResults(results, options.outputDir);
  }
}

std::vector<gen::Rename> renamesOf(const Options &options) {
  std::vector<gen::Rename> renames;
  for (const std::string &text : options.renames) {
    size_t split = text.find('=');
    if (split == std::string::npos)
      reject(fmt::format("--rename {}: expected FILE=VARIABLE, as in module.=vae.", text));
    renames.push_back({text.substr(0, split), text.substr(split + 1)});
  }
  return renames;
}

void run(const Options &options) {
  gen::Model model = gen::Model::open(options.model);
  if (options.list)
    return list(model, options.json);
  gen::EntrySpec entry = chooseEntry(model, options.entry);
  std::vector<gen::Array> arrays = collectInputs(entry, options);
  std::vector<gen::View> inputs(arrays.begin(), arrays.end());
  if (!options.outputDir.empty())
    std::filesystem::create_directories(options.outputDir);

  gen::SessionOptions settings;
  settings.seed = options.seed;
  settings.threads = options.threads;
  settings.device = options.device;
  gen::Session session(model, settings);
  std::vector<gen::Rename> renames = renamesOf(options);
  if (!options.load.empty()) {
    session.load(options.load, renames, options.partial);
    fmt::print(stderr, "{}", session.loadReport());
  }
  if (!options.profile.empty())
    session.startProfile();
  if (options.benchmark)
    benchmark(session, entry.name, inputs, options);
  else
    call(session, entry.name, inputs, options);
  if (!options.profile.empty())
    session.writeProfile(options.profile);
  if (!options.save.empty())
    session.save(options.save, renames);
}

void declare(CLI::App &app, Options &options) {
  app.add_option("MODEL", options.model, "compiled model (.so, written by gencc)")->required();
  app.add_flag("--list", options.list, "list entries and variables, run nothing");
  app.add_option("--entry", options.entry,
                 "entry to call (default: the only one; else main, train_step or sample)");
  app.add_option("--device", options.device,
                 "cpu (default), cuda (the first NVIDIA GPU) or cuda:NUMBER");
  app.add_option("--input", options.inputs,
                 "[NAME=]FILE.npy: an input, by name or in order (may be repeated)")
      ->allow_extra_args(false);
  app.add_option("--output-dir", options.outputDir,
                 "write the results of the last call as DIR/NAME.npy");
  app.add_option("--seed", options.seed, "seed of everything random (default 0)")
      ->check(gen::tools::checkSeed);
  app.add_option("--threads", options.threads, "number of threads (default: all processors)")
      ->check(CLI::Range(1, 1024));
  app.add_option("--load", options.load, "read variables from a safetensors file before the calls");
  app.add_flag("--partial", options.partial,
               "load what fits; what is missing and unexpected is told");
  app.add_option("--rename", options.renames,
                 "FILE=VARIABLE: a name in weights files for a variable's; of all that begin so if "
                 "both are empty or end in '.' (may be repeated; only renamed variables are saved)")
      ->allow_extra_args(false);
  app.add_option("--save", options.save, "write variables to a safetensors file after the calls");
  app.add_option("--repeat", options.repeat, "number of calls (default 1)")
      ->check(CLI::Range(1, 1 << 30));
  app.add_flag(
      "--benchmark", options.benchmark,
      "measure: 2 calls to warm up, then 5 or more for 3 seconds (or --repeat); inputs not "
      "given are made up, with 1 for dynamic dimensions");
  app.add_flag("--json", options.json, "print one JSON object a line");
  app.add_option("--profile", options.profile, "write the times of all kernels as a Chrome trace");
}

} // namespace

int main(int argc, char **argv) {
  // A full disk or a closed pipe is an error message, not a death.
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  Options options;
  CLI::App app("Runs an entry of a compiled model.", "gen-run");
  declare(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return gen::tools::exitStatus(app, error);
  }
  std::string message;
  try {
    run(options);
    return 0;
  } catch (const gen::runtime::Failure &failure) {
    message = failure.message;
  } catch (const std::filesystem::filesystem_error &error) {
    message = error.path1().string() + ": cannot write: " + error.code().message();
  } catch (const std::bad_alloc &) {
    message = "out of memory";
  } catch (const std::exception &error) {
    message = error.what();
  }
  std::fprintf(stderr, "error: %s\n", message.c_str());
  return 1;
}
