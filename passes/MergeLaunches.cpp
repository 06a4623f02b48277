//===- MergeLaunches.cpp - kernels that do not depend on each other -------===//
//
// In:   %x = gen.launch @update(%dx, %mx, ...)    %y = gen.launch @update(%dy, %my, ...)
// Out:  gen.kernel @group(...) family "group" { launch @update, launch @update, yield }
//       %x, %y = gen.launch @group(%dx, %mx, ..., %dy, %my, ...)
//
// For a GPU: a launch takes as long as a small kernel, and the blocks of one that is alone leave
// most of the GPU idle. An optimizer's updates of all variables are a few launches so, and so are
// the transpositions of all weights.
//
// Launches move down to the last one that they are merged with, as long as nobody uses what they
// compute and little lies between: what they read has to be kept until then.
//
//===----------------------------------------------------------------------===//

#include "passes/LibraryKernels.h"
#include "passes/Passes.h"
#include "passes/Sizes.h"
#include "passes/kernels/device/DeviceEmitter.h"

#include "llvm/ADT/SetVector.h"
#include <map>

namespace mlir::gen {
#define GEN_PASS_DEF_MERGELAUNCHES
#include "passes/Passes.h.inc"

namespace {

/// Arguments and results of a kernel, since they are parameters of a function of the device.
constexpr size_t kMostWords = kernels::kMostParameters;
/// Launches that may lie between two that are merged.
constexpr int64_t kMostBetween = 8;

/// What merged kernels have in common: the family, and the threads of a block. Where there is much
/// code, as of products, they are one kernel.
using Likeness = std::tuple<StringRef, int64_t, StringRef>;

/// What uses the results of `op`, or views of them.
SmallVector<Operation *> usersThroughViews(Operation *op) {
  SmallVector<Operation *> users, work(op->getUsers());
  while (!work.empty()) {
    Operation *user = work.pop_back_val();
    if (isa<ReshapeOp>(user))
      llvm::append_range(work, user->getUsers());
    else
      users.push_back(user);
  }
  return users;
}

/// What makes an argument of a launch, or what this is a view of; null for one of the entry's.
Operation *sourceOf(Value argument) {
  Operation *op = argument.getDefiningOp();
  while (isa_and_present<ReshapeOp>(op))
    op = op->getOperand(0).getDefiningOp();
  return op;
}

using Names = llvm::SmallSetVector<StringRef, 8>;

Names variablesRead(LaunchOp launch) {
  Names names;
  for (Value argument : launch.getArguments())
    if (auto read = dyn_cast_if_present<ReadOp>(sourceOf(argument)))
      names.insert(read.getVariable());
  return names;
}

Names variablesWritten(LaunchOp launch) {
  Names names;
  for (Operation *user : usersThroughViews(launch))
    if (auto assign = dyn_cast<AssignOp>(user))
      names.insert(assign.getVariable());
  return names;
}

/// Launches of one likeness that will be one.
class Group {
public:
  explicit Group(SymbolTable &symbols) : symbols(symbols) {}

  bool contains(Operation *op) const { return ops.contains(op); }
  bool isUsedBy(Operation *op) const {
    WalkResult walked = op->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        if (operand.getDefiningOp() && ops.contains(operand.getDefiningOp()))
          return WalkResult::interrupt();
      return WalkResult::advance();
    });
    return walked.wasInterrupted();
  }
  /// False if there are too many words, or if one would read a variable that another overwrites.
  bool canAdd(LaunchOp launch) const {
    llvm::SmallSetVector<Value, 16> more(operands.begin(), operands.end());
    more.insert(launch.getArguments().begin(), launch.getArguments().end());
    auto isIn = [](const Names &names) {
      return [&names](StringRef name) { return names.contains(name); };
    };
    return more.size() + resultCount + launch.getNumResults() <= kMostWords &&
           llvm::none_of(variablesRead(launch), isIn(written)) &&
           llvm::none_of(variablesWritten(launch), isIn(read));
  }
  void add(LaunchOp launch) {
    ops.insert(launch);
    launches.push_back(launch);
    operands.insert(launch.getArguments().begin(), launch.getArguments().end());
    resultCount += launch.getNumResults();
    read.insert_range(variablesRead(launch));
    written.insert_range(variablesWritten(launch));
    between = 0;
  }
  /// Views of its results move with it.
  void addView(Operation *view) {
    ops.insert(view);
    views.push_back(view);
  }
  /// Another launch stays where it is. True if these are too many by now.
  bool pass() { return ++between > kMostBetween; }

  /// Makes the launches one, before `place`.
  void merge(Operation *place) {
    if (launches.size() < 2)
      return;
    OpBuilder b(place);
    SmallVector<Value> arguments = argumentsInOrder();
    KernelOp kernel = makeKernel(arguments);
    SmallVector<Type> types;
    for (LaunchOp launch : launches)
      llvm::append_range(types, launch->getResultTypes());
    auto merged = LaunchOp::create(b, kernel.getLoc(), types,
                                   FlatSymbolRefAttr::get(kernel.getSymNameAttr()), arguments);
    ValueRange results = merged.getResults();
    for (LaunchOp launch : launches) {
      launch->replaceAllUsesWith(results.take_front(launch.getNumResults()));
      results = results.drop_front(launch.getNumResults());
      launch->erase();
    }
    for (Operation *view : views)
      view->moveBefore(place);
  }

private:
  /// Tensors, then sizes, as kernels have them.
  SmallVector<Value> argumentsInOrder() const {
    auto isSize = [](Value value) { return value.getType().isIndex(); };
    SmallVector<Value> arguments;
    llvm::copy_if(operands, std::back_inserter(arguments), std::not_fn(isSize));
    llvm::copy_if(operands, std::back_inserter(arguments), isSize);
    return arguments;
  }

  KernelOp makeKernel(ArrayRef<Value> arguments) {
    MLIRContext *context = launches.front().getContext();
    OpBuilder b(context);
    SmallVector<Location> locations;
    for (LaunchOp launch : launches)
      locations.push_back(launch.getLoc());
    // A short name: in PTX, that of each parameter begins with it.
    auto kernel =
        KernelOp::create(b, FusedLoc::get(context, locations), "group", "group", DictionaryAttr());
    symbols.insert(kernel);
    Block &body = kernel.getBody().emplaceBlock();
    IRMapping mapping;
    for (Value argument : arguments)
      mapping.map(argument, body.addArgument(argument.getType(), argument.getLoc()));
    b.setInsertionPointToStart(&body);
    SmallVector<Value> yielded;
    for (LaunchOp launch : launches)
      llvm::append_range(yielded, b.clone(*launch, mapping)->getResults());
    YieldOp::create(b, kernel.getLoc(), yielded);
    kernel->setAttr(kSizesAttr, b.getArrayAttr(sizesOf(arguments)));
    return kernel;
  }

  /// Which arguments hold the sizes of each tensor: arguments, then results (kSizesAttr).
  SmallVector<Attribute> sizesOf(ArrayRef<Value> arguments) {
    llvm::MapVector<Value, Attribute> known;
    SmallVector<Attribute> results;
    for (LaunchOp launch : launches) {
      auto kernel = symbols.lookup<KernelOp>(launch.getKernel());
      auto shapes = kernel->getAttrOfType<ArrayAttr>(kSizesAttr).getAsRange<DenseI64ArrayAttr>();
      auto shape = shapes.begin();
      auto renumbered = [&] {
        SmallVector<int64_t> numbers;
        for (int64_t number : (*shape++).asArrayRef())
          numbers.push_back(number < 0 ? -1
                                       : llvm::find(arguments, launch.getArguments()[number]) -
                                             arguments.begin());
        return DenseI64ArrayAttr::get(launch.getContext(), numbers);
      };
      for (Value argument : launch.getArguments())
        if (!argument.getType().isIndex())
          known[argument] = renumbered();
      for ([[maybe_unused]] Value result : launch.getResults())
        results.push_back(renumbered());
    }
    SmallVector<Attribute> all;
    for (Value argument : arguments)
      if (!argument.getType().isIndex())
        all.push_back(known[argument]);
    llvm::append_range(all, results);
    return all;
  }

  SymbolTable &symbols;
  SmallVector<LaunchOp> launches;
  SmallVector<Operation *> views;
  llvm::DenseSet<Operation *> ops;
  llvm::SmallSetVector<Value, 16> operands;
  Names read, written; ///< Variables.
  size_t resultCount = 0;
  int64_t between = 0;
};

struct MergeLaunches : impl::MergeLaunchesBase<MergeLaunches> {
  /// A kernel's threads are asked for in a function aside.
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, LLVM::LLVMDialect>();
  }

  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal())
        merge(function.getBody().front(), symbols);
  }

private:
  void merge(Block &block, SymbolTable &symbols) {
    std::map<Likeness, Group> groups;
    auto closeIf = [&](Operation *place, llvm::function_ref<bool(Group &)> condition) {
      for (auto group = groups.begin(); group != groups.end();)
        if (condition(group->second)) {
          group->second.merge(place);
          group = groups.erase(group);
        } else {
          ++group;
        }
    };
    for (Operation &op : llvm::make_early_inc_range(block)) {
      auto user = llvm::find_if(groups, [&](auto &group) { return group.second.isUsedBy(&op); });
      if (user != groups.end() && isa<ReshapeOp>(op)) {
        user->second.addView(&op);
        continue;
      }
      closeIf(&op, [&](Group &group) { return group.isUsedBy(&op); });
      auto launch = dyn_cast<LaunchOp>(op);
      if (!launch)
        continue;
      std::optional<Likeness> likeness = likenessOf(launch, symbols);
      if (likeness) {
        if (auto open = groups.find(*likeness);
            open != groups.end() && !open->second.canAdd(launch)) {
          open->second.merge(&op);
          groups.erase(open);
        }
        groups.try_emplace(*likeness, symbols).first->second.add(launch);
      }
      closeIf(&op, [&](Group &group) { return !group.contains(&op) && group.pass(); });
    }
    closeIf(block.getTerminator(), [](Group &) { return true; });
  }

  /// Nothing if a launch stays alone: a library computes it, or it has code of its own for some
  /// GPUs, or it is about a slice of what others have.
  static std::optional<Likeness> likenessOf(LaunchOp launch, SymbolTable &symbols) {
    auto isSlice = [](Operation *op) {
      return isa_and_present<DynamicSliceOp, DynamicUpdateSliceOp>(op);
    };
    auto isOfSlice = [&](Value argument) { return isSlice(sourceOf(argument)); };
    auto kernel = symbols.lookup<KernelOp>(launch.getKernel());
    bool canMerge =
        llvm::is_contained({"pointwise", "reduction", "contraction"}, kernel.getFamily()) &&
        !isLeftToLibrary(kernel) && llvm::none_of(usersThroughViews(launch), isSlice) &&
        llvm::none_of(launch.getArguments(), isOfSlice);
    std::optional<int64_t> threads = canMerge ? kernels::deviceThreads(kernel) : std::nullopt;
    if (!threads)
      return std::nullopt;
    bool isLong = kernel.getFamily() == "contraction" || kernels::isEmittedOnce(kernel);
    return Likeness(kernel.getFamily(), *threads, isLong ? kernel.getSymName() : StringRef());
  }
};

} // namespace
} // namespace mlir::gen
