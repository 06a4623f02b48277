//===- Tune.cpp - schedules by measuring ----------------------------------===//
//
// Each product of a model is compiled in several copies that differ in their schedules, one entry
// each, in one artefact, and the copies are timed in turns. One field after another takes the value
// that was best: the register tile, the depth of a block, its rows, its columns, what is copied.
//
//===----------------------------------------------------------------------===//

#include "passes/Tune.h"

#include "gen/runtime.hpp"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/FormatVariadic.h"
#include <chrono>
#include <cmath>
#include <set>

namespace mlir::gen {
namespace {

/// A schedule has to be this much faster than the one before to take its place.
constexpr double kGain = 0.98;

class Tuner {
public:
  Tuner(KernelOp kernel, const CompileOptions &options) : kernel(kernel), options(options) {}

  /// The best schedule; `ratio`: the rule's time by its time. Null on failure.
  DictionaryAttr run(DictionaryAttr rule, double &ratio) {
    DictionaryAttr best = rule;
    ratio = 1;
    for (auto variants :
         {&Tuner::tiles, &Tuner::depths, &Tuner::blocks, &Tuner::panels, &Tuner::copies}) {
      SmallVector<DictionaryAttr> candidates{best};
      for (DictionaryAttr candidate : (this->*variants)(best))
        if (!llvm::is_contained(candidates, candidate))
          candidates.push_back(candidate);
      std::vector<double> times;
      if (candidates.size() > 1 && failed(measure(candidates, times)))
        return {};
      for (size_t i = 1; i < times.size(); ++i)
        if (times[i] < kGain * times[0]) {
          ratio *= times[0] / times[i];
          times[0] = times[i];
          best = candidates[i];
        }
    }
    return best;
  }

private:
  using Candidates = SmallVector<DictionaryAttr>;

  static int64_t get(DictionaryAttr schedule, StringRef name) {
    return schedule.getAs<IntegerAttr>(name).getInt();
  }
  DictionaryAttr with(DictionaryAttr schedule, ArrayRef<std::pair<StringRef, int64_t>> changes) {
    NamedAttrList fields(schedule);
    for (auto [name, value] : changes)
      fields.set(name, Builder(kernel.getContext()).getI64IntegerAttr(value));
    return fields.getDictionary(kernel.getContext());
  }

  Candidates values(DictionaryAttr schedule, StringRef name, ArrayRef<int64_t> numbers) {
    return llvm::map_to_vector(numbers,
                               [&](int64_t number) { return with(schedule, {{name, number}}); });
  }

  Candidates tiles(DictionaryAttr s) {
    constexpr std::pair<int64_t, int64_t> kTiles[] = {{4, 6}, {5, 5},  {6, 4},
                                                      {8, 3}, {12, 2}, {24, 1}};
    Candidates all;
    int64_t block = get(s, "row_block");
    for (auto [rows, vectors] : kTiles)
      all.push_back(with(s, {{"rows", rows},
                             {"vectors", vectors},
                             {"row_block", std::max(rows, block / rows * rows)}}));
    return all;
  }
  Candidates depths(DictionaryAttr s) { return values(s, "depth", {0, 128, 256, 512}); }
  Candidates blocks(DictionaryAttr s) {
    Candidates all;
    int64_t rows = get(s, "rows"), tiles = get(s, "row_block") / rows;
    for (int64_t count : {tiles / 4, tiles / 2, tiles * 2})
      if (count >= 1)
        all.push_back(with(s, {{"row_block", count * rows}}));
    return all;
  }
  Candidates panels(DictionaryAttr s) { return values(s, "panels", {1, 2, 4, 8}); }
  Candidates copies(DictionaryAttr s) {
    Candidates all;
    Builder b(kernel.getContext());
    for (StringRef name : {"pack_lhs", "pack_rhs"}) {
      NamedAttrList fields(s);
      fields.set(name, b.getBoolAttr(!s.getAs<BoolAttr>(name).getValue()));
      all.push_back(fields.getDictionary(kernel.getContext()));
    }
    return all;
  }

  /// An entry for each candidate.
  OwningOpRef<ModuleOp> makeModule(ArrayRef<DictionaryAttr> candidates) {
    OpBuilder b(kernel.getContext());
    OwningOpRef<ModuleOp> module = ModuleOp::create(b, kernel.getLoc());
    b.setInsertionPointToEnd(module->getBody());
    for (auto [i, candidate] : llvm::enumerate(candidates)) {
      auto copy = cast<KernelOp>(b.clone(*kernel));
      copy.setSymName("kernel_" + std::to_string(i));
      copy.setScheduleAttr(candidate);
      auto types = copy.getBody().getArgumentTypes();
      auto results = copy.getBody().front().getTerminator()->getOperandTypes();
      auto entry = func::FuncOp::create(b, kernel.getLoc(), "entry_" + std::to_string(i),
                                        b.getFunctionType(types, results));
      OpBuilder inside = OpBuilder::atBlockBegin(entry.addEntryBlock());
      auto launch = LaunchOp::create(inside, kernel.getLoc(), results, copy.getSymName(),
                                     entry.getArguments());
      func::ReturnOp::create(inside, kernel.getLoc(), launch.getResults());
    }
    return module;
  }

  LogicalResult measure(ArrayRef<DictionaryAttr> candidates, std::vector<double> &times) {
    OwningOpRef<ModuleOp> module = makeModule(candidates);
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
    try {
      timeEntries(path.str().str(), candidates.size(), times);
    } catch (const ::gen::Error &error) {
      return kernel.emitError("a trial cannot be run: ") << error.what();
    }
    return success();
  }

  /// The least time of each, in turns.
  static void timeEntries(const std::string &path, size_t count, std::vector<double> &times) {
    using Clock = std::chrono::steady_clock;
    constexpr int kRounds = 7;
    constexpr double kSeconds = 0.004; // of a turn, at least
    ::gen::Model model = ::gen::Model::open(path);
    ::gen::Session session(model, {.seed = 0, .threads = 1});
    std::vector<::gen::Array> inputs;
    std::vector<::gen::EntrySpec> entries = model.entries();
    for (const ::gen::TensorSpec &spec : entries.front().inputs) {
      ::gen::Array &input = inputs.emplace_back(spec.dtype, spec.shape); // zeros are good indices
      for (size_t i = 0; spec.dtype == GEN_F32 && i < input.size(); ++i)
        input.data<float>()[i] = std::sin(static_cast<float>(i)); // neither zeros nor huge
    }
    std::vector<::gen::View> views(inputs.begin(), inputs.end());
    times.assign(count, std::numeric_limits<double>::infinity());
    std::vector<int> calls(count, 1);
    for (int round = -1; round < kRounds; ++round) // the first one only finds how often to call
      for (size_t i = 0; i < count; ++i) {
        std::string entry = "entry_" + std::to_string(i);
        auto start = Clock::now();
        for (int call = 0; call < calls[i]; ++call)
          session.call(entry, views);
        double time = std::chrono::duration<double>(Clock::now() - start).count() / calls[i];
        if (round < 0)
          calls[i] = static_cast<int>(std::clamp(kSeconds / time, 1.0, 10000.0));
        else
          times[i] = std::min(times[i], time);
      }
  }

  KernelOp kernel;
  const CompileOptions &options;
};

} // namespace

LogicalResult tuneSchedules(ModuleOp module, const CompileOptions &options, ScheduleTable &table,
                            llvm::function_ref<void(StringRef)> tell) {
  OwningOpRef<ModuleOp> copy = module.clone();
  if (failed(makeKernels(*copy, options)))
    return failure();
  std::set<std::string> known;
  for (auto kernel : copy->getOps<KernelOp>()) {
    DictionaryAttr rule = kernel.getScheduleAttr();
    std::string key = ScheduleTable::keyOf(kernel, rule);
    if (key.empty() || !known.insert(key).second)
      continue;
    double ratio = 1;
    DictionaryAttr best = Tuner(kernel, options).run(rule, ratio);
    if (!best)
      return failure();
    if (best != rule)
      table.set(kernel, best);
    tell(llvm::formatv("{0:f2} {1}", ratio, key).str());
  }
  return success();
}

} // namespace mlir::gen
