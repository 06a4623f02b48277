//===- ContractionKernel.cpp - kernels around a contraction ---------------===//
//
// Joins the contraction emitter (Contraction.h) with a kernel's body: each finished vector of a
// product stands for the op's result, and whatever the kernel yields is emitted from it - bias,
// activation, the update of a weight - and stored at once.
//
//===----------------------------------------------------------------------===//

#include "gen/artefact.h"
#include "passes/EntryProgram.h"
#include "passes/PackedWeights.h"
#include "passes/kernels/Int.h"
#include "passes/kernels/Products.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

static constexpr StringLiteral kNumbers[] = {"rows", "vectors", "depth", "row_block", "panels"};

static ContractionOpInterface contractionOf(KernelOp kernel) {
  return *kernel.getBody().front().getOps<ContractionOpInterface>().begin();
}

VectorTarget mlir::gen::kernels::vectorTargetOf(Operation *op) {
  auto features = op->getParentOfType<ModuleOp>()->getAttrOfType<IntegerAttr>(kFeaturesAttr);
  if (!features)
    return {.registerBytes = 64, .registers = 32};
  int64_t has = features.getInt();
  if (has & GEN_AARCH64)
    return {.registerBytes = 16, .registers = 32};
  VectorTarget target{.registerBytes = 16, .registers = 16, .byteProducts = VectorTarget::Pairs};
  if (has & GEN_X86_64_V3)
    target.registerBytes = 32;
  if (has & GEN_X86_64_V4)
    target.registerBytes = 64, target.registers = 32;
  if (has & GEN_AVX512_VNNI)
    target.byteProducts = VectorTarget::Fours;
  return target;
}

DictionaryAttr mlir::gen::kernels::chooseContractionSchedule(KernelOp kernel) {
  ContractionSchedule chosen = productsOf(contractionOf(kernel))->chooseSchedule();
  Builder b(kernel.getContext());
  SmallVector<NamedAttribute> fields;
  int64_t numbers[] = {chosen.rows, chosen.vectors, chosen.depth, chosen.rowBlock, chosen.panels};
  for (auto [name, number] : llvm::zip(kNumbers, numbers))
    fields.push_back(b.getNamedAttr(name, b.getI64IntegerAttr(number)));
  fields.push_back(b.getNamedAttr("pack_lhs", b.getBoolAttr(chosen.packLhs)));
  fields.push_back(b.getNamedAttr("pack_rhs", b.getBoolAttr(chosen.packRhs)));
  if (chosen.transposed)
    fields.push_back(b.getNamedAttr("transposed", b.getBoolAttr(true)));
  if (chosen.dot)
    fields.push_back(b.getNamedAttr("dot", b.getBoolAttr(true)));
  if (chosen.along)
    fields.push_back(b.getNamedAttr("along", b.getBoolAttr(true)));
  return b.getDictionaryAttr(fields);
}

bool mlir::gen::kernels::gainsByPackedRhs(ContractionOpInterface contraction) {
  Value weight = contraction->getOperand(1);
  auto type = cast<RankedTensorType>(weight.getType());
  if (!type.hasStaticShape() || type.getNumElements() == 0)
    return false;
  ContractionSchedule schedule = productsOf(contraction)->chooseSchedule();
  bool isMoved = isa<ConvolutionOpInterface>(contraction.getOperation()) &&
                 weight.getDefiningOp<TransposeOp>();
  // A weight is packed once, so fewer rows than those that pay for a copy in each task will do.
  bool hasTiles = schedule.rowBlock > 2 * schedule.rows;
  return (schedule.packRhs || hasTiles || isMoved) && !schedule.transposed && !schedule.dot;
}

static ContractionSchedule scheduleOf(KernelOp kernel) {
  ContractionSchedule schedule;
  schedule.lanes = kLanes;
  schedule.rows = scheduled(kernel, "rows", schedule.rows);
  schedule.vectors = scheduled(kernel, "vectors", schedule.vectors);
  schedule.depth = scheduled(kernel, "depth", schedule.depth);
  schedule.rowBlock = scheduled(kernel, "row_block", schedule.rowBlock);
  schedule.panels = scheduled(kernel, "panels", schedule.panels);
  DictionaryAttr given = kernel.getScheduleAttr();
  auto flag = [&](StringRef name, bool otherwise) {
    auto value = given ? given.getAs<BoolAttr>(name) : BoolAttr();
    return value ? value.getValue() : otherwise;
  };
  schedule.packLhs = flag("pack_lhs", schedule.packLhs);
  schedule.packRhs = flag("pack_rhs", schedule.packRhs);
  schedule.transposed = flag("transposed", schedule.transposed);
  schedule.dot = flag("dot", schedule.dot);
  schedule.along = flag("along", schedule.along);
  return schedule;
}

/// The first of the products, with the kernel's schedule.
static Contraction firstProduct(KernelFunction &function, Products &products) {
  Contraction contraction = products.first(function);
  contraction.schedule = scheduleOf(function.kernel);
  auto convolution =
      dyn_cast<ConvolutionOpInterface>(contractionOf(function.kernel).getOperation());
  if (convolution && hasBatchLast(convolution)) // its depth may differ from position to position
    contraction.schedule.packLhs = contraction.schedule.packRhs = false;
  contraction.schedule.chain = contractionOf(function.kernel).longestChain();
  if (contraction.schedule.depth != 0) // whole chains
    contraction.schedule.depth =
        llvm::alignTo(contraction.schedule.depth, std::max<int64_t>(contraction.schedule.chain, 1));
  contraction.schedule.rhsIsPacked = bool(packedRhs(contractionOf(function.kernel)));
  contraction.longEpilogue = isEmittedOnce(function.kernel);
  return contraction;
}

/// The tasks of the products.
static Value productTasks(KernelFunction &function, Products &products,
                          const Contraction &contraction) {
  Value count = products.count(function);
  return function.b.createOrFold<arith::MulIOp>(count, emitTaskCount(function.b, contraction));
}

Value mlir::gen::kernels::emitContractionTaskCount(KernelFunction &function) {
  auto products = productsOf(contractionOf(function.kernel));
  Contraction contraction = firstProduct(function, *products);
  return withFrameTasks(function, productTasks(function, *products, contraction));
}

/// The memory that the epilogue reads element by element: the residual, a weight and its moments.
/// And what it writes so, where that does not stay in a core's cache: to write a part of a line,
/// the processor reads it first. An update writes where it reads.
static SmallVector<Value> epilogueMemory(KernelFunction &function, const Products &products) {
  constexpr int64_t kCacheBits = 8 << 20;
  SmallVector<Value> inputs, outputs;
  if (!products.isWhole())
    return inputs;
  ContractionOpInterface op = contractionOf(function.kernel);
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  for (BlockArgument argument : function.kernel.getBody().getArguments())
    if (argument.getType() == type && !llvm::is_contained(argument.getUsers(), op.getOperation()))
      inputs.push_back(function.pointer(argument));
  if (type.hasStaticShape() && type.getNumElements() * type.getElementTypeBitWidth() <= kCacheBits)
    return inputs;
  for (auto [number, value] : llvm::enumerate(function.yield.getValues()))
    if (value.getType() == type)
      outputs.push_back(function.resultPointer(static_cast<unsigned>(number)));
  if (outputs.size() > inputs.size())
    llvm::append_range(inputs, outputs);
  return inputs;
}

static void emitProductTask(KernelFunction &function, Products &products, Contraction contraction,
                            Value index) {
  ImplicitLocOpBuilder &b = function.b;
  ContractionOpInterface op = contractionOf(function.kernel);
  Value number = i64Constant(b, 0);
  if (std::optional<int64_t> count = getConstantIntValue(products.count(function)); count != 1) {
    Value tasks = emitTaskCount(b, contraction);
    number = arith::DivUIOp::create(b, index, tasks);
    index = arith::RemUIOp::create(b, index, tasks);
  }
  products.moveTo(function, contraction, number);
  SmallVector<Value> touched = epilogueMemory(function, products);
  auto prefetch = [&](ImplicitLocOpBuilder &, Int position, CacheLevel level) {
    for (Value pointer : touched)
      emitPrefetch(b, contraction.elementType, pointer, position, level);
  };
  emitTask(
      b, contraction, index,
      [&](ImplicitLocOpBuilder &, Value row, Value column, Value accumulator, Value mask) {
        products.atResult(function, row, column, [&](const Indices &at) {
          KernelEmitter emitter(function, isa<VectorType>(accumulator.getType()) ? kLanes : 1);
          emitter.setMask(mask);
          emitter.bind(op->getResult(0), accumulator);
          emitter.storeResults(at);
        });
      },
      touched.empty() ? ContractionPrefetch() : prefetch);
}

void mlir::gen::kernels::emitContractionTask(KernelFunction &function, Value index) {
  auto products = productsOf(contractionOf(function.kernel));
  Contraction contraction = firstProduct(function, *products);
  emitWithFrames(
      function, index, [&] { return productTasks(function, *products, contraction); },
      [&] { emitProductTask(function, *products, contraction, index); });
}
