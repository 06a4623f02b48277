//===- Matmul.cpp - matrix products, batched ------------------------------===//

#include "passes/PackedWeights.h"
#include "passes/kernels/Products.h"
#include "passes/kernels/View.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

namespace {

class MatrixProducts : public Products {
public:
  explicit MatrixProducts(ContractionOpInterface op) : op(op) {
    lhs = cast<TypedValue<RankedTensorType>>(op->getOperand(0));
    rhs = cast<TypedValue<RankedTensorType>>(op->getOperand(1));
    result = cast<TypedValue<RankedTensorType>>(op->getResult(0));
    rank = result.getType().getRank();
  }

  ContractionSchedule chooseSchedule() const override {
    RankedTensorType type = result.getType();
    bool isWeight = op.isLhsTransposed() && !op.isRhsTransposed() && !packedRhs(op) &&
                    !type.isDynamicDim(rank - 2) && !type.isDynamicDim(rank - 1);
    if (isWeight) // the gradient of a linear layer's, or like one
      return chooseWeightGradientSchedule(type.getDimSize(rank - 2), type.getDimSize(rank - 1),
                                          lhs.getType().getDimSize(depthAxis()),
                                          type.getElementType(), vectorTargetOf(op), kLanes,
                                          variableBytes() > kCache);
    // Many products share the threads: rows that are not known, of tiles of images, may be many.
    constexpr int64_t kManyProducts = 16, kTypicalRows = 256;
    ArrayRef<int64_t> batch = type.getShape().drop_back(2);
    int64_t rows = type.getDimSize(rank - 2);
    if (ShapedType::isDynamic(rows) && !ShapedType::isDynamicShape(batch) &&
        llvm::product_of(batch) >= kManyProducts)
      rows = kTypicalRows;
    return kernels::chooseSchedule(rows, type.getDimSize(rank - 1),
                                   lhs.getType().getDimSize(depthAxis()), op.isLhsTransposed(),
                                   op.isRhsTransposed(), type.getElementType(), vectorTargetOf(op),
                                   kLanes, /*rhsIsPacked=*/bool(packedRhs(op)));
  }

  Value count(KernelFunction &function) override { return function.product(result, batchAxes()); }

  Contraction first(KernelFunction &function) override {
    Contraction c;
    Value packed = packedRhs(op);
    c.lhsType = getElementTypeOrSelf(memoryOf(0));
    c.rhsType = getElementTypeOrSelf(packed ? packed : memoryOf(1));
    c.target = vectorTargetOf(op);
    c.m = function.size(result, rank - 2);
    c.n = function.size(result, rank - 1);
    c.k = function.size(lhs, depthAxis());
    c.transposeLhs = op.isLhsTransposed();
    c.transposeRhs = op.isRhsTransposed();
    c.elementType = result.getType().getElementType();
    locate(function, c);
    return c;
  }

  void moveTo(KernelFunction &function, Contraction &c, Value number) override {
    if (rank == 2)
      return;
    batch = delinearize(function, result, batchAxes(), number);
    locate(function, c);
  }

  void atResult(KernelFunction &, Value row, Value column,
                llvm::function_ref<void(const Indices &)> body) override {
    Indices at;
    for (Value position : batch)
      at.push_back({position, Index::Uniform});
    at.push_back({row, Index::Uniform});
    at.push_back({column, Index::Consecutive});
    body(at);
  }

  bool isWhole() const override { return rank == 2; }

private:
  /// More than this does not stay in a processor's cache from one step of training to the next.
  static constexpr int64_t kCache = 16 << 20;

  int64_t variableBytes() const {
    int64_t bits = 0;
    for (auto variable : op->getParentOfType<ModuleOp>().getOps<VariableOp>())
      bits += variable.getType().getNumElements() * variable.getType().getElementTypeBitWidth();
    return bits / 8;
  }

  int64_t depthAxis() const { return op.isLhsTransposed() ? rank - 2 : rank - 1; }
  SmallVector<int64_t> batchAxes() const {
    return llvm::to_vector(llvm::seq<int64_t>(0, rank - 2));
  }

  Value memoryOf(unsigned operand) const {
    OpOperand &use = op->getOpOperand(operand);
    return isReadAsStored(use) ? storedOperand(use.get()) : use.get();
  }

  /// The matrix of the current batch element, and how far apart its rows are.
  std::pair<Value, Value> matrixOf(KernelFunction &function, Value operand) const {
    ImplicitLocOpBuilder &b = function.b;
    View view = viewOf(function, operand);
    SmallVector<Int> at(view.strides.size(), Int(b, 0));
    for (auto [axis, index] : llvm::enumerate(batch))
      at[axis] = Int(b, index);
    return {addressOf(function, view, at), view.strides[view.strides.size() - 2]};
  }

  /// A packed weight is one matrix, k by k.
  void locate(KernelFunction &function, Contraction &c) const {
    std::tie(c.lhs, c.lhsStride) = matrixOf(function, memoryOf(0));
    if (Value packed = packedRhs(op)) {
      c.rhs = function.pointer(cast<BlockArgument>(packed));
      c.rhsStride = c.transposeRhs ? c.k : c.n;
    } else {
      std::tie(c.rhs, c.rhsStride) = matrixOf(function, memoryOf(1));
    }
  }

  mutable ContractionOpInterface op;
  TypedValue<RankedTensorType> lhs, rhs, result;
  int64_t rank;
  SmallVector<Value> batch;
};

} // namespace

std::unique_ptr<Products> mlir::gen::kernels::matrixProducts(ContractionOpInterface op) {
  return std::make_unique<MatrixProducts>(op);
}
