//===- LibraryKernels.cpp - kernels that a library could compute ----------===//

#include "passes/LibraryKernels.h"
#include "dialect/Builder.h"
#include "dialect/ops/Convolution.h"
#include "passes/DeviceCode.h"

using namespace mlir;
using namespace mlir::gen;

static bool isHalf(Type element) { return element.isF16() || element.isBF16(); }

/// What has the numbers of `tensor`, in the same order, before conversions that are `allowed`.
static Value sourceOf(Value tensor, llvm::function_ref<bool(Type from, Type to)> allowed) {
  while (true) {
    auto cast = tensor.getDefiningOp<CastOp>();
    if (auto reshape = tensor.getDefiningOp<ReshapeOp>())
      tensor = reshape.getInput();
    else if (cast && allowed(getElementTypeOrSelf(cast.getInput()), getElementTypeOrSelf(tensor)))
      tensor = cast.getInput();
    else
      return tensor;
  }
}

/// The argument that has the numbers of an operand.
static BlockArgument argumentOf(Value operand) {
  auto isExact = [](Type from, Type to) { return isHalf(from) && to.isF32(); };
  return dyn_cast<BlockArgument>(sourceOf(operand, isExact));
}

/// The op that a kernel's one result has the numbers of, rounded once at most.
static Operation *opOf(Operation *yield) {
  if (yield->getNumOperands() != 1)
    return nullptr;
  auto isRounding = [](Type from, Type to) { return from.isF32() && isHalf(to); };
  return sourceOf(yield->getOperand(0), isRounding).getDefiningOp();
}

/// Static, and not empty.
static bool isKnownShape(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  return type.hasStaticShape() && type.getNumElements() > 0;
}

/// What there is to say of an op of two operands, which may be null; false if a library cannot.
static bool describe(Operation *op, Operation *yield, LibraryKernel &kernel) {
  Value lhs = op->getOperand(0), rhs = op->getOperand(1);
  if (op->getNumOperands() != 2 || !getElementTypeOrSelf(op->getResult(0)).isF32() ||
      !isKnownShape(lhs) || !isKnownShape(rhs) || !isKnownShape(op->getResult(0)))
    return false;
  kernel.operands = {argumentOf(lhs), argumentOf(rhs)};
  if (!kernel.operands[0] || !kernel.operands[1])
    return false;
  kernel.operandType = getElementTypeOrSelf(kernel.operands[0].getType());
  kernel.resultType = getElementTypeOrSelf(yield->getOperand(0));
  if (kernel.operandType != getElementTypeOrSelf(kernel.operands[1].getType()))
    return false;
  if (auto rounded = op->getAttrOfType<TypeAttr>(kProductsAttr)) {
    kernel.isTf32 = isa<FloatTF32Type>(rounded.getValue());
    return kernel.isTf32; // else f32 that the kernel itself rounds to 16 bits
  }
  return true;
}

std::optional<LibraryProduct> mlir::gen::libraryProductOf(KernelOp kernel) {
  Operation *yield = kernel.getBody().front().getTerminator();
  auto op = dyn_cast_or_null<MatmulOp>(opOf(yield));
  LibraryProduct product;
  if (!op || op.getChain() || !describe(op, yield, product))
    return std::nullopt;
  product.op = op;
  ArrayRef<int64_t> shape = cast<RankedTensorType>(op.getType()).getShape();
  product.count = ShapedType::getNumElements(shape.drop_back(2));
  product.rows = shape[shape.size() - 2];
  product.columns = shape.back();
  ArrayRef<int64_t> left = cast<RankedTensorType>(op.getLhs().getType()).getShape();
  product.depth = left[left.size() - (op.getTransposeLhs() ? 2 : 1)];
  return product;
}

std::optional<LibraryConvolution> mlir::gen::libraryConvolutionOf(KernelOp kernel) {
  Operation *yield = kernel.getBody().front().getTerminator();
  auto op = dyn_cast_or_null<ConvolutionOpInterface>(opOf(yield));
  LibraryConvolution convolution;
  if (!op || !op.getChannelsLast() || !describe(op, yield, convolution))
    return std::nullopt;
  convolution.op = op;
  const Value tensors[] = {op.getInput(), op.getWeight(), op.getOutput()};
  for (auto [i, tensor] : llvm::enumerate(tensors)) {
    bool isResult = tensor == op->getResult(0);
    BlockArgument operand = convolution.operands[tensor == op->getOperand(0) ? 0 : 1];
    convolution.words[i] = isResult ? kernel.getBody().getNumArguments() : operand.getArgNumber();
    convolution.types[i] = isResult ? convolution.resultType : convolution.operandType;
  }
  return convolution;
}

ContractionOpInterface mlir::gen::libraryOpOf(KernelOp kernel) {
  if (std::optional<LibraryProduct> product = libraryProductOf(kernel))
    return cast<ContractionOpInterface>(product->op.getOperation());
  if (std::optional<LibraryConvolution> convolution = libraryConvolutionOf(kernel))
    return cast<ContractionOpInterface>(convolution->op.getOperation());
  return {};
}

bool mlir::gen::isLeftToLibrary(KernelOp kernel) {
  DictionaryAttr schedule = kernel.getScheduleAttr();
  auto isChosen = schedule ? schedule.getAs<BoolAttr>(kLibrary) : BoolAttr();
  return isChosen && isChosen.getValue();
}

//===----------------------------------------------------------------------===//
// Weights of convolutions
//===----------------------------------------------------------------------===//

/// A kernel that transposes a matrix.
static KernelOp makeTranspose(Location loc, RankedTensorType type, SymbolTable &symbols) {
  GenBuilder b(loc, type.getContext());
  auto kernel = KernelOp::create(b, "transpose", "pointwise", DictionaryAttr());
  Block &body = kernel.getBody().emplaceBlock();
  b.setInsertionPointToStart(&body);
  YieldOp::create(b, b.transpose(body.addArgument(type, loc), {1, 0}));
  symbols.insert(kernel);
  return kernel;
}

void mlir::gen::addWeightTransposes(ModuleOp module) {
  SymbolTable symbols(module);
  llvm::DenseMap<Type, KernelOp> made;
  for (auto kernel : llvm::to_vector(module.getOps<KernelOp>())) {
    std::optional<LibraryConvolution> found = libraryConvolutionOf(kernel);
    if (!found || !isLeftToLibrary(kernel))
      continue;
    // [spatial..., c, o] to [o, spatial..., c], or back.
    RankedTensorType weight = found->op.getWeight().getType();
    int64_t outputs = weight.getShape().back(), others = weight.getNumElements() / outputs;
    bool isGradient = found->op.getWeight() == found->op->getResult(0);
    SmallVector<int64_t> shape{others, outputs};
    if (isGradient)
      std::swap(shape[0], shape[1]);
    auto type = RankedTensorType::get(shape, found->types[1]);
    KernelOp &transpose = made[type];
    if (!transpose)
      transpose = makeTranspose(kernel.getLoc(), type, symbols);
    kernel->setAttr(kTransposeAttr, FlatSymbolRefAttr::get(transpose.getSymNameAttr()));
  }
}
