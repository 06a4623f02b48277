//===- Matmul.cpp - matrix products, batched ------------------------------===//

#include "passes/PackedWeights.h"
#include "passes/kernels/Products.h"

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
    return kernels::chooseSchedule(type.getDimSize(rank - 2), type.getDimSize(rank - 1),
                                   lhs.getType().getDimSize(depthAxis()), op.isLhsTransposed(),
                                   op.isRhsTransposed(), type.getElementType(), vectorTargetOf(op),
                                   kLanes, /*rhsIsPacked=*/bool(packedRhs(op)));
  }

  Value count(KernelFunction &function) override { return function.product(result, batchAxes()); }

  Contraction first(KernelFunction &function) override {
    Contraction c;
    c.lhs = function.pointer(cast<BlockArgument>(lhs));
    Value packed = packedRhs(op);
    c.rhs = function.pointer(cast<BlockArgument>(packed ? packed : rhs));
    c.rhsType = getElementTypeOrSelf(packed ? packed : rhs);
    c.m = function.size(result, rank - 2);
    c.n = function.size(result, rank - 1);
    c.k = function.size(lhs, depthAxis());
    c.transposeLhs = op.isLhsTransposed();
    c.transposeRhs = op.isRhsTransposed();
    c.lhsStride = c.transposeLhs ? c.m : c.k;
    c.rhsStride = c.transposeRhs ? c.k : c.n;
    c.elementType = result.getType().getElementType();
    return c;
  }

  void moveTo(KernelFunction &function, Contraction &c, Value number) override {
    if (rank == 2)
      return;
    batch = delinearize(function, result, batchAxes(), number);
    c.lhs = matrixAt(function.b, c.lhs, c.elementType, number, c.m, c.k);
    c.rhs = matrixAt(function.b, c.rhs, c.elementType, number, c.k, c.n);
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
  int64_t depthAxis() const { return op.isLhsTransposed() ? rank - 2 : rank - 1; }
  SmallVector<int64_t> batchAxes() const {
    return llvm::to_vector(llvm::seq<int64_t>(0, rank - 2));
  }

  /// `pointer` + `element` * (`rows` * `columns`).
  static Value matrixAt(ImplicitLocOpBuilder &b, Value pointer, Type elementType, Value element,
                        Value rows, Value columns) {
    Value offset = arith::MulIOp::create(b, element, b.createOrFold<arith::MulIOp>(rows, columns));
    return LLVM::GEPOp::create(b, pointer.getType(), elementType, pointer,
                               ArrayRef<LLVM::GEPArg>{offset});
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
