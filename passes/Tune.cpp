//===- Tune.cpp - schedules by measuring ----------------------------------===//
//
// Each product of a model is compiled in several copies that differ in their schedules, one entry
// each, in one artefact, and the copies are timed in turns. One field after another takes the value
// that was best: the register tile, the depth of a block, its rows, its columns, what is copied. On
// a GPU the candidates are the kernel's own code, and cuBLASLt.
//
//===----------------------------------------------------------------------===//

#include "passes/Tune.h"

#include "passes/DeviceCode.h"
#include "passes/LibraryProduct.h"
#include "passes/Trial.h"

#include "CublasLt.h"

#include "llvm/Support/FormatVariadic.h"
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
      if (candidates.size() > 1 && failed(timeSchedules(kernel, candidates, options, times)))
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

  KernelOp kernel;
  const CompileOptions &options;
};

/// The rule's schedule is a kernel's own code; the other candidate is the library. A schedule that
/// is worth a dependency, or null.
LogicalResult tryLibrary(KernelOp kernel, const CompileOptions &options, DictionaryAttr &best,
                         double &ratio) {
  Builder b(kernel.getContext());
  auto library = b.getDictionaryAttr(b.getNamedAttr(kLibrary, b.getBoolAttr(true)));
  std::vector<double> times;
  if (failed(timeSchedules(kernel, {DictionaryAttr(), library}, options, times)))
    return failure();
  if (times[1] < kGain * times[0]) {
    ratio = times[0] / times[1];
    best = library;
  }
  return success();
}

/// For one target, a CPU or "cuda".
LogicalResult tuneKernels(ModuleOp module, const CompileOptions &options, ScheduleTable &table,
                          llvm::function_ref<void(StringRef)> tell) {
  OwningOpRef<ModuleOp> copy = module.clone();
  if (failed(makeKernels(*copy, options)))
    return failure();
  std::set<std::string> known;
  for (auto kernel : copy->getOps<KernelOp>()) {
    DictionaryAttr rule = kernel.getScheduleAttr(), best = rule;
    std::string key = ScheduleTable::keyOf(kernel, rule);
    if (key.empty() || !known.insert(key).second)
      continue;
    double ratio = 1;
    if (!isForDevice(*copy))
      best = Tuner(kernel, options).run(rule, ratio);
    else if (failed(tryLibrary(kernel, options, best, ratio)))
      return failure();
    if (!best && rule)
      return failure();
    if (best != rule)
      table.set(kernel, best);
    tell(llvm::formatv("{0:f2} {1}", ratio, key).str());
  }
  return success();
}

/// Whether the library is here.
FailureOr<bool> findLibrary(ModuleOp module) {
  try {
    return ::gen::runtime::CublasLt::get() != nullptr;
  } catch (const ::gen::runtime::Failure &missing) {
    return module.emitError(missing.message);
  }
}

} // namespace

LogicalResult tuneSchedules(ModuleOp module, const CompileOptions &options, ScheduleTable &table,
                            llvm::function_ref<void(StringRef)> tell) {
  SmallVector<StringRef> targets;
  StringRef(options.target).split(targets, ",");
  CompileOptions each = options;
  for (StringRef target : targets) {
    each.target = target.str();
    FailureOr<bool> isMeasured = target == "cuda" ? findLibrary(module) : true;
    if (failed(isMeasured))
      return failure();
    if (!*isMeasured)
      tell("no cuBLASLt here: on GPUs, products keep the rule's code");
    else if (failed(tuneKernels(module, each, table, tell)))
      return failure();
  }
  return success();
}

} // namespace mlir::gen
