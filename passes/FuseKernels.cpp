//===- FuseKernels.cpp - group ops into kernels ---------------------------===//
//
// In:   %p = gen.matmul %x, %w transposed    %s = gen.add %p, %b    %h = gen.relu %s
// Out:  gen.kernel @add_relu_matmul(...) { matmul, add, relu, yield }    %h = gen.launch
// @add_relu_matmul(%x, %w, %b)
//
// FusionGroups decides what belongs together; this file asks for merges in a good order and
// outlines the groups. The body of a loop is fused by itself: what it uses from outside are
// arguments of its kernels, but for free ops, which move into it.
//
//===----------------------------------------------------------------------===//

#include "dialect/ops/Convolution.h"
#include "passes/FusionGroups.h"
#include "passes/Loops.h"
#include "passes/PackedWeights.h"
#include "passes/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSet.h"

namespace mlir::gen {
#define GEN_PASS_DEF_FUSEKERNELS
#include "passes/Passes.h.inc"

namespace {

/// The places of a block's ops, before launches change them.
using Places = llvm::DenseMap<Operation *, size_t>;

/// Makes one group a kernel, and launches it.
class Outliner {
public:
  Outliner(const FusionGroup &group, Sizes &sizes, const Places &places, SymbolTable &symbols)
      : group(group), sizes(sizes), places(places), symbols(symbols) {
    for (Operation *op : group.ops)
      collect(op);
    for (Operation *op : group.ops)
      for (Value result : op->getResults())
        if (isReadOutside(result))
          results.push_back(result);
  }

  /// Creates the kernel, and the launch at `b`. Uses of the results outside the group are replaced.
  void outline(OpBuilder &b) {
    for (Value result : results)
      addSizes(result);
    for (Value tensor : tensors)
      addSizes(tensor);
    KernelOp kernel = makeKernel(b.getContext());
    SmallVector<Value> operands(tensors.begin(), tensors.end());
    llvm::append_range(operands, indices);
    auto launch = LaunchOp::create(b, kernel.getLoc(), ValueRange(results).getTypes(),
                                   FlatSymbolRefAttr::get(kernel.getSymNameAttr()), operands);
    for (auto [result, replacement] : llvm::zip(results, launch.getResults()))
      result.replaceUsesWithIf(replacement,
                               [&](OpOperand &use) { return !group.ops.contains(use.getOwner()); });
  }

private:
  /// True if another group uses `result`, itself or through free ops, or the entry does.
  bool isReadOutside(Value result) {
    SmallVector<Operation *> work(result.getUsers());
    while (!work.empty()) {
      Operation *user = work.pop_back_val();
      if (group.ops.contains(user) || isa<tensor::DimOp>(user))
        continue;
      if (!FusionGroups::isFree(user) || FusionGroups::isMaterialized(user))
        return true;
      llvm::append_range(work, user->getUsers());
    }
    return false;
  }

  /// Adds `op` and the free ops it reads through; what is not inside is an operand of the launch.
  void collect(Operation *op) {
    if (!inside.insert(op))
      return;
    for (Value operand : op->getOperands()) {
      Operation *producer = operand.getDefiningOp();
      if (operand.getType().isIndex())
        indices.insert(operand);
      else if (producer && group.ops.contains(producer))
        continue;
      else if (producer && FusionGroups::isFree(producer) &&
               !FusionGroups::isMaterialized(producer))
        collect(producer);
      else
        tensors.insert(operand);
    }
  }

  void addSizes(Value tensor) {
    for (OpFoldResult size : sizes.shape(tensor))
      if (auto value = dyn_cast_if_present<Value>(size))
        indices.insert(value);
  }

  /// For each axis of `tensor`: -1 if static, else the number of the kernel argument that holds its
  /// size.
  Attribute sizeArguments(Value tensor) {
    SmallVector<int64_t> numbers;
    for (OpFoldResult size : sizes.shape(tensor)) {
      auto value = dyn_cast_if_present<Value>(size);
      numbers.push_back(value ? static_cast<int64_t>(tensors.size()) + llvm::find(indices, value) -
                                    indices.begin()
                              : -1);
    }
    return DenseI64ArrayAttr::get(tensor.getContext(), numbers);
  }

  KernelOp makeKernel(MLIRContext *context) {
    OpBuilder b(context);
    auto kernel = KernelOp::create(b, group.ops.front()->getLoc(), name(), group.familyName(),
                                   DictionaryAttr());
    symbols.insert(kernel);
    Block &body = kernel.getBody().emplaceBlock();
    IRMapping mapping;
    for (Value value : llvm::concat<const Value>(tensors.getArrayRef(), indices.getArrayRef()))
      mapping.map(value, body.addArgument(value.getType(), value.getLoc()));
    SmallVector<Attribute> sizeAttributes;
    for (Value value : llvm::concat<const Value>(tensors.getArrayRef(), ArrayRef<Value>(results)))
      sizeAttributes.push_back(sizeArguments(value));
    kernel->setAttr(kSizesAttr, b.getArrayAttr(sizeAttributes));
    b.setInsertionPointToStart(&body);
    SmallVector<Operation *> ordered(inside.begin(), inside.end());
    llvm::sort(ordered, [&](Operation *x, Operation *y) { return places.at(x) < places.at(y); });
    for (Operation *op : ordered)
      b.clone(*op, mapping);
    SmallVector<Value> yielded;
    for (Value result : results)
      yielded.push_back(mapping.lookup(result));
    YieldOp::create(b, kernel.getLoc(), yielded);
    return kernel;
  }

  /// Named after its ops: at most four of them, the last ones.
  std::string name() const {
    std::string text;
    for (Operation *op : group.ops.getArrayRef().take_back(4))
      text += (text.empty() ? "" : "_") + op->getName().stripDialect().str();
    return text;
  }

  const FusionGroup &group;
  Sizes &sizes;
  const Places &places;
  SymbolTable &symbols;
  llvm::SetVector<Operation *> inside;
  llvm::SetVector<Value> tensors, indices;
  SmallVector<Value> results;
};

struct FuseKernels : impl::FuseKernelsBase<FuseKernels> {
  using FuseKernelsBase::FuseKernelsBase;

  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal()) {
        if (failed(checkFusible(function)))
          return signalPassFailure();
        fuse(function, function.getBody().front(), symbols);
      }
  }

  /// Compositions and gradients have to be opened before.
  static LogicalResult checkFusible(func::FuncOp function) {
    WalkResult walked = function.walk([](Operation *op) {
      return failed(checkFusible(op)) ? WalkResult::interrupt() : WalkResult::advance();
    });
    return failure(walked.wasInterrupted());
  }

  static LogicalResult checkFusible(Operation *op) {
    if (isa<ReferenceOpInterface, GradientOp>(op) &&
        !isa<PointwiseOpInterface, ReductionOpInterface, ContractionOpInterface, AnchorOpInterface,
             ReadOp, AssignOp, LaunchOp>(op))
      return op->emitOpError("belongs to no kernel; hint: run --gen-differentiate and "
                             "--gen-decompose before --gen-fuse-kernels");
    auto convolution = dyn_cast<ConvolutionOpInterface>(op);
    if (convolution && !hasBatchLast(convolution) &&
        (!convolution.getChannelsLast() ||
         (op->getResult(0) != convolution.getInput() &&
          llvm::any_of(llvm::concat<const int64_t>(convolution.getLow(), convolution.getHigh()),
                       [](int64_t padding) { return padding != 0; }))))
      return op->emitOpError("is made a kernel with channels last and padded input only; hint: "
                             "run --gen-channels-last before --gen-fuse-kernels");
    return success();
  }

  /// Kernels get the stream of random numbers as an argument: those of many variables, or of a
  /// dropout in each layer, are equal then.
  template <typename Op> static void passStreams(Block &block) {
    for (Op op : block.getOps<Op>()) {
      if (op.getShift())
        continue;
      OpBuilder b(op);
      auto stream = arith::ConstantIndexOp::create(b, op.getLoc(), op.getStream());
      op.getShiftMutable().assign(stream);
      op.setStream(0);
    }
  }

  void fuse(func::FuncOp function, Block &block, SymbolTable &symbols) {
    for (auto loop : llvm::to_vector(block.getOps<scf::ForOp>())) {
      leaveUnwritten(function, loop);
      sinkFreeOps(loop);
      fuse(function, *loop.getBody(), symbols);
    }
    Sizes sizes = entrySizes(function); // of this block: those of ops that are erased do not stay
    passStreams<RandomBitsOp>(block);
    passStreams<RandomUniformOp>(block);
    passStreams<RandomNormalOp>(block);
    passStreams<RandomBernoulliOp>(block);
    FusionGroups groups(block, sizes);
    if (partialSums)
      groups.fusePartialSums();
    groups.fuseContractionEpilogues();
    groups.fuseConcats();
    groups.fuseRows();
    groups.fuseProducers(/*repeat=*/false);
    groups.fuseEpilogues(); // before: what is computed once a row is not to be repeated
    groups.fuseSideBySide();
    groups.fuseProducers(/*repeat=*/true);
    groups.fuseRows();
    groups.fuseSharedResults();
    groups.fuseEpilogues();
    groups.recomputeCheapResults();
    if (frames)
      groups.fuseFrames();

    Places places;
    for (Operation &op : block)
      places.try_emplace(&op, places.size());
    OpBuilder b(block.getTerminator());
    for (const FusionGroup *group : groups.inExecutionOrder())
      if (group->family == FusionGroup::Fixed)
        moveLast(group->ops.front());
      else
        Outliner(*group, sizes, places, symbols).outline(b);
    moveStateLast(block);
    eraseOutlined(block);
  }

  /// A sequence that a loop does nothing with but write it, all of it, need not be filled before.
  static void leaveUnwritten(func::FuncOp function, scf::ForOp loop) {
    Sizes sizes = entrySizes(function);
    for (auto [argument, init] : llvm::zip(loop.getRegionIterArgs(), loop.getInitsMutable())) {
      auto update = argument.hasOneUse()
                        ? dyn_cast<DynamicUpdateSliceOp>(*argument.getUsers().begin())
                        : DynamicUpdateSliceOp();
      if (!update || update.getInput() != argument || !update->hasOneUse() ||
          update->getUses().begin()->getOwner() != loop.getBody()->getTerminator() ||
          !update.isContiguous() || init.get().getDefiningOp<tensor::EmptyOp>() ||
          !coversAxisOnce(loop, update.getIndex(), argument, update.getAxis(), update.getLength(),
                          sizes))
        continue;
      OpBuilder b(loop);
      SmallVector<OpFoldResult> shape = sizes.shape(argument);
      Type element = cast<RankedTensorType>(argument.getType()).getElementType();
      init.set(tensor::EmptyOp::create(b, loop.getLoc(), shape, element));
    }
  }

  /// Gives the loop its own copies of the free ops outside that its kernels read through.
  static void sinkFreeOps(scf::ForOp loop) {
    OpBuilder b(loop);
    for (bool changed = true; changed;) {
      changed = false;
      llvm::SetVector<Value> captured;
      getUsedValuesDefinedAbove(loop.getRegion(), captured);
      for (Value value : captured) {
        Operation *op = value.getDefiningOp();
        if (!op || !FusionGroups::isFree(op) || FusionGroups::isMaterialized(op))
          continue;
        b.setInsertionPointToStart(loop.getBody());
        Operation *copy = b.clone(*op);
        value.replaceUsesWithIf(copy->getResult(0), [&](OpOperand &use) {
          return loop->isProperAncestor(use.getOwner()) && use.getOwner() != copy;
        });
        changed = true;
      }
    }
  }

  /// To the end of the block, and with it the indices that are computed from it.
  static void moveLast(Operation *op) {
    op->moveBefore(op->getBlock()->getTerminator());
    for (Operation *user : op->getUsers())
      if (isa<arith::ArithDialect>(user->getDialect()) && user->getBlock() == op->getBlock())
        moveLast(user);
  }

  /// Assignments go behind the launches, and what restores variables from them behind both.
  static void moveStateLast(Block &block) {
    for (AssignOp assign : llvm::to_vector(block.getOps<AssignOp>()))
      assign->moveBefore(block.getTerminator());
    for (func::CallOp call : llvm::to_vector(block.getOps<func::CallOp>()))
      if (restoresVariable(call))
        call->moveBefore(block.getTerminator());
  }

  static void eraseOutlined(Block &block) {
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if (isOpTriviallyDead(&op))
        op.erase();
  }
};

} // namespace
} // namespace mlir::gen
