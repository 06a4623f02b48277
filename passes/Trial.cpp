//===- Trial.cpp - one kernel with several schedules ----------------------===//

#include "passes/Trial.h"
#include "passes/LibraryKernels.h"

#include "Session.h"
#include "gen/runtime.hpp"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include <chrono>
#include <cmath>

using namespace mlir;
using namespace mlir::gen;

/// An entry for each schedule.
static OwningOpRef<ModuleOp> makeModule(KernelOp kernel, ArrayRef<DictionaryAttr> schedules) {
  OpBuilder b(kernel.getContext());
  OwningOpRef<ModuleOp> module = ModuleOp::create(b, kernel.getLoc());
  b.setInsertionPointToEnd(module->getBody());
  for (auto [i, schedule] : llvm::enumerate(schedules)) {
    auto copy = cast<KernelOp>(b.clone(*kernel));
    copy.setSymName("kernel_" + std::to_string(i));
    copy.setScheduleAttr(schedule);
    auto types = copy.getBody().getArgumentTypes();
    auto results = copy.getBody().front().getTerminator()->getOperandTypes();
    auto entry = func::FuncOp::create(b, kernel.getLoc(), "entry_" + std::to_string(i),
                                      b.getFunctionType(types, results));
    OpBuilder inside = OpBuilder::atBlockBegin(entry.addEntryBlock());
    auto launch =
        LaunchOp::create(inside, kernel.getLoc(), results, copy.getSymName(), entry.getArguments());
    func::ReturnOp::create(inside, kernel.getLoc(), launch.getResults());
  }
  return module;
}

namespace {

class Stopwatch {
public:
  Stopwatch(const std::string &path, bool onDevice)
      : model(::gen::Model::open(path)), session(model, optionsFor(onDevice)), onDevice(onDevice) {
    const ::gen::EntrySpec entry = model.entries().front();
    for (const ::gen::TensorSpec &spec : entry.inputs) {
      ::gen::Array &input = inputs.emplace_back(spec.dtype, spec.shape); // zeros are good indices
      fill(input);
    }
    views.assign(inputs.begin(), inputs.end());
  }

  /// Seconds of a call, by so many.
  double time(const std::string &entry, int calls) {
    return (onDevice ? timeByProfile(entry, calls) : timeByClock(entry, calls)) / calls;
  }

  /// Whether a library computes the kernel of an entry, after all.
  bool isLeftToLibrary(const std::string &entry) {
    const ::gen::runtime::Gpu &gpu = session.c()->gpu->gpu;
    int64_t before = gpu.countLibraryLaunches();
    session.call(entry, views);
    return gpu.countLibraryLaunches() > before;
  }

private:
  static ::gen::SessionOptions optionsFor(bool onDevice) {
    ::gen::SessionOptions options;
    options.seed = 0;
    options.threads = 1;
    if (onDevice)
      options.device = "cuda";
    return options;
  }

  /// Neither zeros nor huge.
  static void fill(::gen::Array &input) {
    bool isHalf = input.dtype() == GEN_F16 || input.dtype() == GEN_BF16;
    for (size_t i = 0; isHalf && i < input.size(); ++i) // from 1 on, or from 1/128
      static_cast<uint16_t *>(input.raw())[i] = static_cast<uint16_t>(0x3c00 + i % 256);
    for (size_t i = 0; input.dtype() == GEN_F32 && i < input.size(); ++i)
      input.data<float>()[i] = std::sin(static_cast<float>(i));
  }

  double timeByClock(const std::string &entry, int calls) {
    using Clock = std::chrono::steady_clock;
    auto start = Clock::now();
    for (int call = 0; call < calls; ++call)
      session.call(entry, views);
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

  /// Without copies of arguments and results.
  double timeByProfile(const std::string &entry, int calls) {
    session.startProfile();
    for (int call = 0; call < calls; ++call)
      session.call(entry, views);
    session.stopProfile();
    double seconds = 0;
    for (const gen_kernel_profile &kernel : session.profile())
      seconds += kernel.seconds;
    return seconds;
  }

  ::gen::Model model;
  ::gen::Session session;
  bool onDevice;
  std::vector<::gen::Array> inputs;
  std::vector<::gen::View> views;
};

} // namespace

/// The least time of each, in turns.
static void timeEntries(Stopwatch &stopwatch, ArrayRef<DictionaryAttr> schedules,
                        std::vector<double> &times) {
  constexpr int kRounds = 7;
  constexpr double kSeconds = 0.004; // of a turn, at least
  std::vector<int> calls(times.size(), 1);
  auto nameOf = [](size_t i) { return "entry_" + std::to_string(i); };
  for (size_t i = 0; i < times.size(); ++i)
    if (schedules[i] && schedules[i].get(kLibrary) && !stopwatch.isLeftToLibrary(nameOf(i)))
      calls[i] = 0;
  for (int round = -1; round < kRounds; ++round) // the first one only finds how often to call
    for (size_t i = 0; i < times.size(); ++i) {
      if (calls[i] == 0)
        continue;
      double time = stopwatch.time(nameOf(i), calls[i]);
      if (round < 0)
        calls[i] = static_cast<int>(std::clamp(kSeconds / time, 1.0, 10000.0));
      else
        times[i] = std::min(times[i], time);
    }
}

LogicalResult mlir::gen::timeSchedules(KernelOp kernel, ArrayRef<DictionaryAttr> schedules,
                                       const CompileOptions &options, std::vector<double> &times) {
  OwningOpRef<ModuleOp> module = makeModule(kernel, schedules);
  llvm::SmallString<128> path;
  if (std::error_code error = llvm::sys::fs::createTemporaryFile("gencc-tune", "so", path))
    return kernel.emitError("cannot write a temporary file: ") << error.message();
  llvm::FileRemover remover(path);
  CompileOptions trial = options;
  trial.isFused = true;
  trial.header = trial.report = trial.schedules = "";
  trial.verbose = false;
  trial.memoryBudget = -1;
  if (failed(compile(*module, Stage::So, path, trial)))
    return failure();
  times.assign(schedules.size(), std::numeric_limits<double>::infinity());
  try {
    Stopwatch stopwatch(path.str().str(), options.target == "cuda");
    timeEntries(stopwatch, schedules, times);
  } catch (const ::gen::Error &error) {
    return kernel.emitError("a trial cannot be run: ") << error.what();
  }
  return success();
}
