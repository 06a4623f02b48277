//===- ExpandMath.cpp - elementary functions as polynomials ---------------===//
//
// In:   %y = math.exp %x : vector<16xf32>
// Out:  range reduction, a polynomial, scaling: arith and math.fma only
//
// f32 functions become the project's own expansions (kernels/VectorMath.h): the same bits on every
// target and in every lane, at most 4 ulp off. f64 functions are left to the C library, one lane at
// a time, and on devices are code, too. Conversions of bf16, and of f16, become integer arithmetic
// where the processor has none.
//
//===----------------------------------------------------------------------===//

#include "gen/artefact.h"
#include "passes/DeviceCode.h"
#include "passes/EntryProgram.h"
#include "passes/Passes.h"
#include "passes/kernels/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/AttrTypeSubElements.h"

namespace mlir::gen {
#define GEN_PASS_DEF_EXPANDMATH
#include "passes/Passes.h.inc"

namespace {

using Unary = Value (*)(ImplicitLocOpBuilder &, Value);

template <typename Op> void expand(Operation *root, Unary emit) {
  SmallVector<Op> ops;
  root->walk([&](Op op) {
    if (getElementTypeOrSelf(op.getType()).isF32())
      ops.push_back(op);
  });
  for (Op op : ops) {
    ImplicitLocOpBuilder b(op.getLoc(), op);
    op.replaceAllUsesWith(emit(b, op.getOperand()));
    op.erase();
  }
}

void expandPow(Operation *root) {
  SmallVector<math::PowFOp> ops;
  root->walk([&](math::PowFOp op) {
    if (getElementTypeOrSelf(op.getType()).isF32())
      ops.push_back(op);
  });
  for (math::PowFOp op : ops) {
    ImplicitLocOpBuilder b(op.getLoc(), op);
    op.replaceAllUsesWith(kernels::emitPow(b, op.getLhs(), op.getRhs()));
    op.erase();
  }
}

bool isHalf(Type type) {
  Type element = getElementTypeOrSelf(type);
  return element.isBF16() || element.isF16();
}

/// Where a processor rounds to halves, and reads them, itself.
struct HalfConversions {
  bool roundBF16, ofF16;
};

/// Other conversions become integer arithmetic; those from bf16 everywhere, as they are a shift.
/// What moves halves moves integers: backends would widen them for it.
class Halves {
public:
  Halves(Operation *root, HalfConversions has) : root(root), has(has) {
    auto toInteger = [](Type type) { return IntegerType::get(type.getContext(), 16); };
    replacer.addReplacement(
        [=](BFloat16Type type) -> std::optional<Type> { return toInteger(type); });
    replacer.addReplacement(
        [=](Float16Type type) -> std::optional<Type> { return toInteger(type); });
    replacer.addReplacement([=](DenseElementsAttr numbers) -> std::optional<Attribute> {
      return isHalf(numbers.getType()) ? numbers.bitcast(toInteger(numbers.getElementType()))
                                       : numbers;
    });
    replacer.addReplacement([=](FloatAttr number) -> std::optional<Attribute> {
      if (!isHalf(number.getType()))
        return number;
      return IntegerAttr::get(toInteger(number.getType()), number.getValue().bitcastToAPInt());
    });
  }

  void expand() {
    SmallVector<Operation *> conversions;
    root->walk([&](Operation *op) {
      if (isa<arith::ExtFOp, arith::TruncFOp>(op) &&
          (isHalf(op->getOperand(0).getType()) || isHalf(op->getResult(0).getType())))
        conversions.push_back(op);
    });
    for (Operation *op : conversions)
      convert(op);
    root->walk([&](NVVM::MmaOp product) { // tensor cores take numbers, which are made of integers
      for (Value operand : product->getOperands())
        if (isHalf(operand.getType()))
          kept.insert(operand.getDefiningOp());
    });
    root->walk([&](Operation *op) {
      if (!kept.contains(op))
        replacer.replaceElementsIn(op, /*replaceAttrs=*/true, /*replaceLocs=*/false,
                                   /*replaceTypes=*/true);
    });
  }

private:
  void convert(Operation *op) {
    ImplicitLocOpBuilder b(op->getLoc(), op);
    Value from = op->getOperand(0), to = op->getResult(0);
    bool widens = isHalf(from.getType());
    Type half = getElementTypeOrSelf(widens ? from : to);
    if (half.isBF16() ? widens || !has.roundBF16 : !has.ofF16) {
      to.replaceAllUsesWith(widens ? kernels::emitWidened(b, from)
                                   : kernels::emitNarrowed(b, from, half));
      return op->erase();
    }
    // The conversion itself stays one of numbers.
    kept.insert(op);
    if (widens) {
      Value number = arith::BitcastOp::create(b, from.getType(), from);
      kept.insert(number.getDefiningOp());
      op->setOperand(0, number);
      return;
    }
    b.setInsertionPointAfter(op);
    Value bits = arith::BitcastOp::create(b, to.getType(), to);
    to.replaceAllUsesExcept(bits, bits.getDefiningOp());
  }

  Operation *root;
  HalfConversions has;
  AttrTypeReplacer replacer;
  llvm::SmallPtrSet<Operation *, 16> kept;
};

struct ExpandMath : impl::ExpandMathBase<ExpandMath> {
  void runOnOperation() override {
    Operation *root = getOperation();
    auto features = getOperation()->getAttrOfType<IntegerAttr>(kFeaturesAttr);
    bool isDevice = isDeviceModule(getOperation());
    bool hasF16 = !features || features.getInt() != GEN_X86_64_V2;
    Halves(root, {/*roundBF16=*/isDevice, hasF16}).expand();
    expandPow(root);
    expand<math::ExpOp>(root, kernels::emitExp);
    expand<math::LogOp>(root, kernels::emitLog);
    expand<math::Log1pOp>(root, kernels::emitLog1p);
    expand<math::TanhOp>(root, kernels::emitTanh);
    expand<math::ErfOp>(root, kernels::emitErf);
    expand<math::SinOp>(root, kernels::emitSin);
    expand<math::CosOp>(root, kernels::emitCos);
    expand<math::RsqrtOp>(root, kernels::emitRsqrt);
    if (isDevice)
      kernels::expandF64Math(root);
    else if (failed(kernels::scalarizeF64Math(getOperation())))
      signalPassFailure();
  }
};

} // namespace
} // namespace mlir::gen
