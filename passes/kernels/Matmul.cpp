//===- Matmul.cpp - kernels around a contraction --------------------------===//
//
// Joins the contraction emitter (Contraction.h) with a kernel's body: each finished vector of the
// product stands for the matmul's result, and whatever the kernel yields is emitted from it - bias,
// activation, the update of a weight - and stored at once.
//
//===----------------------------------------------------------------------===//

#include "gen/artefact.h"
#include "passes/EntryProgram.h"
#include "passes/PackedWeights.h"
#include "passes/kernels/Contraction.h"
#include "passes/kernels/KernelEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

namespace {

/// The registers of the module's instruction set; AVX-512 where it is not said.
VectorTarget vectorTargetOf(Operation *op) {
  auto features = op->getParentOfType<ModuleOp>()->getAttrOfType<IntegerAttr>(kFeaturesAttr);
  if (!features || features.getInt() & GEN_X86_64_V4)
    return {.registerBytes = 64, .registers = 32};
  if (features.getInt() & GEN_X86_64_V3)
    return {.registerBytes = 32, .registers = 16};
  return {.registerBytes = 16, .registers = features.getInt() & GEN_AARCH64 ? 32 : 16};
}

/// The contraction of a kernel and its sizes.
struct Product {
  ContractionOpInterface op;
  RankedTensorType lhsType, rhsType, resultType;
  int64_t rank;

  explicit Product(KernelOp kernel)
      : Product(*kernel.getBody().front().getOps<ContractionOpInterface>().begin()) {}
  explicit Product(ContractionOpInterface op) : op(op) {
    lhsType = cast<RankedTensorType>(op->getOperand(0).getType());
    rhsType = cast<RankedTensorType>(op->getOperand(1).getType());
    resultType = cast<RankedTensorType>(op->getResult(0).getType());
    rank = resultType.getRank();
  }

  ContractionSchedule schedule() {
    return chooseSchedule(resultType.getDimSize(rank - 2), resultType.getDimSize(rank - 1),
                          lhsType.getDimSize(depthAxis()), op.isLhsTransposed(),
                          op.isRhsTransposed(), resultType.getElementType(), vectorTargetOf(op),
                          kLanes,
                          /*rhsIsPacked=*/bool(packedRhs(op)));
  }

  int64_t depthAxis() { return op.isLhsTransposed() ? rank - 2 : rank - 1; }
  SmallVector<int64_t> batchAxes() const {
    return llvm::to_vector(llvm::seq<int64_t>(0, rank - 2));
  }
};

constexpr StringLiteral kNumbers[] = {"rows", "vectors", "depth", "row_block", "panels"};

} // namespace

DictionaryAttr mlir::gen::kernels::chooseContractionSchedule(KernelOp kernel) {
  ContractionSchedule chosen = Product(kernel).schedule();
  Builder b(kernel.getContext());
  SmallVector<NamedAttribute> fields;
  int64_t numbers[] = {chosen.rows, chosen.vectors, chosen.depth, chosen.rowBlock, chosen.panels};
  for (auto [name, number] : llvm::zip(kNumbers, numbers))
    fields.push_back(b.getNamedAttr(name, b.getI64IntegerAttr(number)));
  fields.push_back(b.getNamedAttr("pack_lhs", b.getBoolAttr(chosen.packLhs)));
  fields.push_back(b.getNamedAttr("pack_rhs", b.getBoolAttr(chosen.packRhs)));
  if (chosen.transposed)
    fields.push_back(b.getNamedAttr("transposed", b.getBoolAttr(true)));
  return b.getDictionaryAttr(fields);
}

bool mlir::gen::kernels::isPackedByItsKernel(ContractionOpInterface contraction) {
  auto weight = cast<RankedTensorType>(contraction->getOperand(1).getType());
  if (!contraction.isRhsTransposed() || weight.getRank() != 2 || !weight.hasStaticShape() ||
      weight.getNumElements() == 0)
    return false;
  ContractionSchedule schedule = Product(contraction).schedule();
  return schedule.packRhs && !schedule.transposed;
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
  return schedule;
}

/// Describes the product; the pointers are those of the first batch element.
static Contraction describe(KernelFunction &function, Product &product) {
  Contraction contraction;
  Value lhs = product.op->getOperand(0), rhs = product.op->getOperand(1),
        result = product.op->getResult(0);
  contraction.lhs = function.pointer(cast<BlockArgument>(lhs));
  Value packed = packedRhs(product.op);
  contraction.rhs = function.pointer(cast<BlockArgument>(packed ? packed : rhs));
  contraction.m = function.size(result, product.rank - 2);
  contraction.n = function.size(result, product.rank - 1);
  contraction.k = function.size(lhs, product.depthAxis());
  contraction.transposeLhs = product.op.isLhsTransposed();
  contraction.transposeRhs = product.op.isRhsTransposed();
  contraction.lhsStride = contraction.transposeLhs ? contraction.m : contraction.k;
  contraction.rhsStride = contraction.transposeRhs ? contraction.k : contraction.n;
  contraction.elementType = product.resultType.getElementType();
  contraction.schedule = scheduleOf(function.kernel);
  contraction.schedule.rhsIsPacked = bool(packed);
  contraction.longEpilogue = isEmittedOnce(function.kernel);
  return contraction;
}

Value mlir::gen::kernels::emitContractionTaskCount(KernelFunction &function) {
  Product product(function.kernel);
  Contraction contraction = describe(function, product);
  Value batch = function.product(product.op->getResult(0), product.batchAxes());
  return function.b.createOrFold<arith::MulIOp>(batch, emitTaskCount(function.b, contraction));
}

/// `pointer` + `element` * (`rows` * `columns`).
static Value matrixAt(KernelFunction &function, Value pointer, Type elementType, Value element,
                      Value rows, Value columns) {
  ImplicitLocOpBuilder &b = function.b;
  Value offset = arith::MulIOp::create(b, element, b.createOrFold<arith::MulIOp>(rows, columns));
  return LLVM::GEPOp::create(b, pointer.getType(), elementType, pointer,
                             ArrayRef<LLVM::GEPArg>{offset});
}

/// The tensors that the epilogue reads element by element: the residual, a weight and its moments.
static SmallVector<BlockArgument> epilogueInputs(KernelOp kernel, Product &product) {
  SmallVector<BlockArgument> inputs;
  for (BlockArgument argument : kernel.getBody().getArguments())
    if (argument.getType() == product.resultType && product.rank == 2 &&
        !llvm::is_contained(argument.getUsers(), product.op.getOperation()))
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
  Product product(function.kernel);
  Contraction contraction = describe(function, product);
  Value result = product.op->getResult(0);
  SmallVector<Value> batch;
  if (product.rank > 2) {
    Value tasks = emitTaskCount(b, contraction);
    Value element = arith::DivUIOp::create(b, index, tasks);
    index = arith::RemUIOp::create(b, index, tasks);
    batch = delinearize(function, result, product.batchAxes(), element);
    contraction.lhs = matrixAt(function, contraction.lhs, contraction.elementType, element,
                               contraction.m, contraction.k);
    contraction.rhs = matrixAt(function, contraction.rhs, contraction.elementType, element,
                               contraction.k, contraction.n);
  }
  SmallVector<BlockArgument> inputs = epilogueInputs(function.kernel, product);
  auto prefetch = [&](ImplicitLocOpBuilder &, Value row, Value column) {
    for (BlockArgument input : inputs)
      emitPrefetch(b, function.pointer(input), contraction.elementType, row, column, contraction.n);
  };
  emitTask(
      b, contraction, index,
      [&](ImplicitLocOpBuilder &, Value row, Value column, Value accumulator, Value mask) {
        KernelEmitter emitter(function, kLanes);
        emitter.setMask(mask);
        emitter.bind(result, accumulator);
        Indices at;
        for (Value position : batch)
          at.push_back({position, Index::Uniform});
        at.push_back({row, Index::Uniform});
        at.push_back({column, Index::Consecutive});
        emitter.storeResults(at);
      },
      inputs.empty() ? ContractionPrefetch() : prefetch);
}

Value mlir::gen::kernels::emitFlops(KernelFunction &function) {
  ImplicitLocOpBuilder &b = function.b;
  if (function.kernel.getFamily() != "contraction")
    return i64Constant(b, 0);
  Product product(function.kernel);
  Value result = product.op->getResult(0);
  Value flops = i64Constant(b, 2);
  for (int64_t axis = 0; axis < product.rank; ++axis)
    flops = b.createOrFold<arith::MulIOp>(flops, function.size(result, axis));
  return b.createOrFold<arith::MulIOp>(
      flops, function.size(product.op->getOperand(0), product.depthAxis()));
}
