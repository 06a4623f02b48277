//===- ContractionKernel.cpp - kernels around a contraction ---------------===//
//
// Joins the contraction emitter (Contraction.h) with a kernel's body: each finished vector of a
// product stands for the op's result, and whatever the kernel yields is emitted from it - bias,
// activation, the update of a weight - and stored at once.
//
//===----------------------------------------------------------------------===//

#include "passes/PackedWeights.h"
#include "passes/kernels/Products.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

static constexpr StringLiteral kNumbers[] = {"rows", "vectors", "depth", "row_block", "panels"};

static ContractionOpInterface contractionOf(KernelOp kernel) {
  return *kernel.getBody().front().getOps<ContractionOpInterface>().begin();
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
  return b.getDictionaryAttr(fields);
}

bool mlir::gen::kernels::isPackedByItsKernel(ContractionOpInterface contraction) {
  auto weight = cast<RankedTensorType>(contraction->getOperand(1).getType());
  if (!weight.hasStaticShape() || weight.getNumElements() == 0)
    return false;
  ContractionSchedule schedule = productsOf(contraction)->chooseSchedule();
  return schedule.packRhs && !schedule.transposed && !schedule.dot;
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
  return schedule;
}

/// The first of the products, with the kernel's schedule.
static Contraction firstProduct(KernelFunction &function, Products &products) {
  Contraction contraction = products.first(function);
  contraction.schedule = scheduleOf(function.kernel);
  contraction.schedule.rhsIsPacked = bool(packedRhs(contractionOf(function.kernel)));
  contraction.longEpilogue = isEmittedOnce(function.kernel);
  return contraction;
}

Value mlir::gen::kernels::emitContractionTaskCount(KernelFunction &function) {
  auto products = productsOf(contractionOf(function.kernel));
  Contraction contraction = firstProduct(function, *products);
  Value count = products->count(function);
  return function.b.createOrFold<arith::MulIOp>(count, emitTaskCount(function.b, contraction));
}

/// The tensors that the epilogue reads element by element: the residual, a weight and its moments.
static SmallVector<BlockArgument> epilogueInputs(KernelOp kernel, const Products &products) {
  ContractionOpInterface op = contractionOf(kernel);
  SmallVector<BlockArgument> inputs;
  for (BlockArgument argument : kernel.getBody().getArguments())
    if (argument.getType() == op->getResult(0).getType() && products.isWhole() &&
        !llvm::is_contained(argument.getUsers(), op.getOperation()))
      inputs.push_back(argument);
  return inputs;
}

static void emitPrefetch(ImplicitLocOpBuilder &b, Value pointer, Type elementType, Value row,
                         Value column, Value columns) {
  Value position = arith::AddIOp::create(b, arith::MulIOp::create(b, row, columns), column);
  Value at = LLVM::GEPOp::create(b, pointer.getType(), elementType, pointer,
                                 ArrayRef<LLVM::GEPArg>{position});
  constexpr int kRead = 0, kAllLevels = 3, kData = 1;
  LLVM::Prefetch::create(b, at, kRead, kAllLevels, kData);
}

void mlir::gen::kernels::emitContractionTask(KernelFunction &function, Value index) {
  ImplicitLocOpBuilder &b = function.b;
  ContractionOpInterface op = contractionOf(function.kernel);
  auto products = productsOf(op);
  Contraction contraction = firstProduct(function, *products);
  Value number = i64Constant(b, 0);
  if (std::optional<int64_t> count = getConstantIntValue(products->count(function)); count != 1) {
    Value tasks = emitTaskCount(b, contraction);
    number = arith::DivUIOp::create(b, index, tasks);
    index = arith::RemUIOp::create(b, index, tasks);
  }
  products->moveTo(function, contraction, number);
  SmallVector<BlockArgument> inputs = epilogueInputs(function.kernel, *products);
  auto prefetch = [&](ImplicitLocOpBuilder &, Value row, Value column) {
    for (BlockArgument input : inputs)
      emitPrefetch(b, function.pointer(input), contraction.elementType, row, column, contraction.n);
  };
  emitTask(
      b, contraction, index,
      [&](ImplicitLocOpBuilder &, Value row, Value column, Value accumulator, Value mask) {
        products->atResult(function, row, column, [&](const Indices &at) {
          KernelEmitter emitter(function, kLanes);
          emitter.setMask(mask);
          emitter.bind(op->getResult(0), accumulator);
          emitter.storeResults(at);
        });
      },
      inputs.empty() ? ContractionPrefetch() : prefetch);
}

Value mlir::gen::kernels::emitFlops(KernelFunction &function) {
  ImplicitLocOpBuilder &b = function.b;
  if (function.kernel.getFamily() != "contraction")
    return i64Constant(b, 0);
  SmallVector<std::pair<Value, int64_t>> sizes;
  Value flops = i64Constant(b, 2 * contractionOf(function.kernel).countProducts(sizes));
  for (auto [tensor, axis] : sizes)
    flops = b.createOrFold<arith::MulIOp>(flops, function.size(tensor, axis));
  return flops;
}
