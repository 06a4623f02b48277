//===- Tune.cpp - schedules by measuring ----------------------------------===//
//
// Each product of a model is compiled in several copies that differ in their schedules, one entry
// each, in one artefact, and the copies are timed in turns. One field after another takes the value
// that was best: the register tile, the depth of a block, its rows, its columns, what is copied. On
// a GPU the candidates are the kernel's own code, and a library: cuBLASLt, or cuDNN for
// convolutions.
//
//===----------------------------------------------------------------------===//

#include "passes/Tune.h"

#include "passes/DeviceCode.h"
#include "passes/LibraryKernels.h"
#include "passes/Trial.h"

#include "CublasLt.h"
#include "Cudnn.h"

#include "llvm/Support/FormatVariadic.h"
#include <array>
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

/// The rule's schedule is a kernel's own code; the other candidate is the library. `best` is a
/// schedule that is worth a dependency, `ratio` 0 if the library cannot compute the kernel.
LogicalResult tryLibrary(KernelOp kernel, const CompileOptions &options, DictionaryAttr &best,
                         double &ratio) {
  Builder b(kernel.getContext());
  auto library = b.getDictionaryAttr(b.getNamedAttr(kLibrary, b.getBoolAttr(true)));
  std::vector<double> times;
  if (failed(timeSchedules(kernel, {DictionaryAttr(), library}, options, times)))
    return failure();
  if (std::isinf(times[1])) {
    ratio = 0;
  } else if (times[1] < kGain * times[0]) {
    ratio = times[0] / times[1];
    best = library;
  }
  return success();
}

/// A library that may be here.
struct Library {
  StringRef name, kernels;
  bool isHere;
};

/// cuBLASLt and cuDNN.
FailureOr<std::array<Library, 2>> findLibraries(ModuleOp module) {
  using namespace ::gen::runtime;
  try {
    return std::array<Library, 2>{{{"cuBLASLt", "products", CublasLt::get() != nullptr},
                                   {"cuDNN", "convolutions", Cudnn::get() != nullptr}}};
  } catch (const Failure &missing) {
    return module.emitError(missing.message);
  }
}

/// For one CPU.
LogicalResult tuneKernels(ModuleOp kernels, const CompileOptions &options, ScheduleTable &table,
                          llvm::function_ref<void(StringRef)> tell) {
  std::set<std::string> known;
  for (auto kernel : kernels.getOps<KernelOp>()) {
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

/// For a GPU.
LogicalResult chooseLibraries(ModuleOp kernels, const CompileOptions &options, ScheduleTable &table,
                              llvm::function_ref<void(StringRef)> tell) {
  FailureOr<std::array<Library, 2>> libraries = findLibraries(kernels);
  if (failed(libraries))
    return failure();
  for (const Library &library : *libraries)
    if (!library.isHere)
      tell(llvm::formatv("no {0} here: on GPUs, {1} keep the rule's code", library.name,
                         library.kernels)
               .str());
  std::set<std::string> known;
  for (auto kernel : kernels.getOps<KernelOp>()) {
    std::string key = ScheduleTable::keyOf(kernel, {});
    if (key.empty() || !known.insert(key).second)
      continue;
    const Library &library = (*libraries)[libraryProductOf(kernel) ? 0 : 1];
    double ratio = 1;
    DictionaryAttr best;
    if (!library.isHere)
      continue;
    if (failed(tryLibrary(kernel, options, best, ratio)))
      return failure();
    if (best)
      table.set(kernel, best);
    tell(ratio == 0 ? llvm::formatv("not by {0}: {1}", library.name, key).str()
                    : llvm::formatv("{0:f2} {1}", ratio, key).str());
  }
  return success();
}

} // namespace

LogicalResult tuneSchedules(ModuleOp module, const CompileOptions &options, ScheduleTable &table,
                            llvm::function_ref<void(StringRef)> tell) {
  SmallVector<StringRef> targets;
  StringRef(options.target).split(targets, ",");
  CompileOptions each = options;
  for (StringRef target : targets) {
    each.target = target.str();
    OwningOpRef<ModuleOp> kernels = module.clone();
    if (failed(makeKernels(*kernels, each)) ||
        failed((target == "cuda" ? chooseLibraries : tuneKernels)(*kernels, each, table, tell)))
      return failure();
  }
  return success();
}

} // namespace mlir::gen
