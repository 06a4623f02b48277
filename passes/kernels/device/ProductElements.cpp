//===- ProductElements.cpp - a contraction, element by element ------------===//

#include "passes/kernels/device/ProductElements.h"
#include "passes/kernels/device/DeviceEmitter.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

ProductElements::ProductElements(KernelFunction &function, ContractionOpInterface op)
    : function(function), b(function.b), op(op) {}

/// Numbers below 2^31 are divided in 32 bits, which GPUs have instructions for.
static Int divide(Int x, Int y, bool isSmall) {
  if (!isSmall)
    return x / y;
  ImplicitLocOpBuilder &b = *x.b;
  auto narrow = [&](Int wide) {
    return b.createOrFold<arith::TruncIOp>(b.getI32Type(), wide.value);
  };
  Value quotient = b.createOrFold<arith::DivUIOp>(narrow(x), narrow(y));
  return {b, b.createOrFold<arith::ExtUIOp>(b.getI64Type(), quotient)};
}

SmallVector<Int> ProductElements::digits(Int number, ArrayRef<Int> extents) {
  SmallVector<Int> result(extents.size(), number);
  constexpr uint64_t kUnknown = ~0ULL;
  uint64_t all = 1;
  for (Int extent : extents)
    all = llvm::SaturatingMultiply<uint64_t>(all, extent.constant().value_or(kUnknown));
  bool isSmall = all < (1ULL << 31);
  for (size_t i = extents.size(); i-- > 1;) {
    // Where there is nothing, digits are asked for, but not used.
    Int extent = extents[i].constant() ? extents[i] : max(extents[i], Int(b, 1));
    Int quotient = divide(result[0], extent, isSmall);
    result[i] = result[0] - quotient * extent;
    result[0] = quotient;
  }
  return result;
}

/// `exists` becomes null or the condition of all.
ProductElements::Place ProductElements::placeOf(unsigned number, ArrayRef<Int> outer,
                                                ArrayRef<Int> k, Value &exists) {
  Place place = number == 0 ? lhs(outer, k) : rhs(outer, k);
  if (place.exists)
    exists = exists ? b.createOrFold<arith::AndIOp>(exists, place.exists) : place.exists;
  return place;
}

Value ProductElements::element(unsigned number, Value tensor, ArrayRef<Int> outer, ArrayRef<Int> k,
                               Value exists) {
  KernelEmitter emitter(function, /*lanes=*/1);
  Place place = placeOf(number, outer, k, exists);
  if (!exists)
    return emitter.elementAt(tensor, place.at);
  Value element = emitter.masked(exists, [&] { return emitter.elementAt(tensor, place.at); });
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(element.getType()));
  return arith::SelectOp::create(b, exists, element, zero);
}

Value ProductElements::address(unsigned number, BlockArgument argument, Value tensor,
                               ArrayRef<Int> outer, ArrayRef<Int> k, Value &exists) {
  KernelEmitter emitter(function, /*lanes=*/1);
  Place place = placeOf(number, outer, k, exists);
  return elementPointer(b, getElementTypeOrSelf(tensor), function.pointer(argument),
                        Int(b, emitter.position(tensor, place.at).value));
}

Value ProductElements::elements(unsigned number, Value tensor, ArrayRef<Int> outer, ArrayRef<Int> k,
                                Value exists, int64_t count, Value isAligned) {
  Place place = placeOf(number, outer, k, exists);
  auto type = VectorType::get(count, getElementTypeOrSelf(tensor));
  auto readAtOnce = [&] {
    KernelEmitter emitter(function, count);
    emitter.setAlignment(kBytesAtOnce);
    Indices at = place.at;
    at.back().kind = Index::Consecutive;
    return emitter.elementAt(tensor, at);
  };
  auto readEach = [&]() -> Value {
    SmallVector<Value> elements;
    for (int64_t i = 0; i < count; ++i) {
      KernelEmitter emitter(function, /*lanes=*/1);
      Indices at = place.at;
      at.back().value = Int(b, at.back().value) + i;
      elements.push_back(emitter.elementAt(tensor, at));
    }
    return vector::FromElementsOp::create(b, type, elements);
  };
  auto read = [&] { return emitChoice(b, type, isAligned, readAtOnce, readEach); };
  if (!exists)
    return read();
  auto zeros = [&]() -> Value { return arith::ConstantOp::create(b, b.getZeroAttr(type)); };
  return emitChoice(b, type, exists, read, zeros);
}

/// True if each element of `tensor` is computed of elements at the same position in `arguments`.
static bool isOfPositionsIn(Value tensor, SmallVectorImpl<BlockArgument> &arguments) {
  if (auto argument = dyn_cast<BlockArgument>(tensor)) {
    arguments.push_back(argument);
    return true;
  }
  auto type = cast<RankedTensorType>(tensor.getType());
  Operation *op = tensor.getDefiningOp();
  if (auto reshape = dyn_cast<ReshapeOp>(op))
    return isa<BlockArgument>(reshape.getInput()) && isOfPositionsIn(reshape.getInput(), arguments);
  auto pointwise = dyn_cast<PointwiseOpInterface>(op);
  return pointwise && pointwise.isElementwise() &&
         llvm::all_of(op->getOperands(), [&](Value operand) {
           auto other = dyn_cast<RankedTensorType>(operand.getType());
           return other && (isOneElement(other) || (other.getShape() == type.getShape() &&
                                                    isOfPositionsIn(operand, arguments)));
         });
}

bool ProductElements::isPositional(Value tensor) {
  SmallVector<BlockArgument> arguments;
  return isOfPositionsIn(tensor, arguments) && !arguments.empty();
}

Value ProductElements::isAligned(Value tensor) {
  SmallVector<BlockArgument> arguments;
  isOfPositionsIn(tensor, arguments);
  SmallVector<Value> addresses;
  for (BlockArgument argument : arguments)
    addresses.push_back(function.pointer(argument));
  return areAligned(b, addresses);
}

namespace {

class MatrixElements : public ProductElements {
public:
  MatrixElements(KernelFunction &function, ContractionOpInterface op)
      : ProductElements(function, op), result(op->getResult(0)),
        rank(cast<RankedTensorType>(result.getType()).getRank()) {}

  Int count() override { return {b, function.product(result, batchAxes())}; }
  Int rows() override { return size(result, rank - 2); }
  Int columns() override { return size(result, rank - 1); }
  Int depth() override {
    return size(op->getOperand(0), op.isLhsTransposed() ? rank - 2 : rank - 1);
  }

  void moveTo(Int number) override {
    SmallVector<Int> extents;
    for (int64_t axis : batchAxes())
      extents.push_back(size(result, axis));
    batch.clear();
    if (!extents.empty())
      for (Int digit : digits(number, extents))
        batch.push_back({digit, Index::Uniform});
  }

  SmallVector<Int> outerDigits(unsigned, Int outer) override { return {outer}; }
  SmallVector<Int> depthDigits(Int k) override { return {k}; }
  Place lhs(ArrayRef<Int> row, ArrayRef<Int> k) override {
    return place(row[0], k[0], op.isLhsTransposed());
  }
  Place rhs(ArrayRef<Int> column, ArrayRef<Int> k) override {
    return place(column[0], k[0], !op.isRhsTransposed());
  }
  bool isContiguousAlongDepth(unsigned operand) override {
    return operand == 0 ? !op.isLhsTransposed() : op.isRhsTransposed();
  }

  Int contiguousExtent(unsigned operand) override {
    return isContiguousAlongDepth(operand) ? depth() : operand == 0 ? rows() : columns();
  }

  bool isOfMatrices() const override { return true; }

  void atResult(Int row, Int column, llvm::function_ref<void(const Indices &)> body) override {
    body(place(row, column, /*isSwapped=*/false).at);
  }

private:
  SmallVector<int64_t> batchAxes() { return llvm::to_vector(llvm::seq<int64_t>(0, rank - 2)); }
  Place place(Int first, Int second, bool isSwapped) {
    Place result{batch, Value()};
    if (isSwapped)
      std::swap(first, second);
    result.at.push_back({first, Index::Uniform});
    result.at.push_back({second, Index::Uniform});
    return result;
  }

  Value result;
  int64_t rank;
  Indices batch;
};

} // namespace

std::unique_ptr<ProductElements> mlir::gen::kernels::productElements(KernelFunction &function,
                                                                     ContractionOpInterface op) {
  if (auto convolution = dyn_cast<ConvolutionOpInterface>(op.getOperation()))
    return convolutionElements(function, convolution);
  return std::make_unique<MatrixElements>(function, op);
}
