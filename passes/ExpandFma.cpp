//===- ExpandFma.cpp - fused multiply-add without the instruction ---------===//
//
// In:   %y = math.fma %a, %b, %c : vector<16xf32>
// Out:  a * b + c in f64, rounded to odd, then to f32
// In:   %z = math.fma %a, %b, %c fastmath<contract> : vector<16xf32>
// Out:  a * b + c, rounded twice
//
// Elementary functions need the exact result, and get it. Matrix products (`contract`) would be
// some forty times slower for the last bit, so they differ there from those of other processors.
//
// The product of two f32 is exact in f64. Their sum with c may not be; if its last bit is even
// then, the neighbour on the side of the error has an odd one. A number rounded to odd with two
// more bits than f32 has rounds to f32 as the exact one does (Boldo, Melquiond: Emulation of FMA
// and correctly rounded sums, 2008).
//
//===----------------------------------------------------------------------===//

#include "gen/artefact.h"
#include "passes/EntryProgram.h"
#include "passes/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::gen {
#define GEN_PASS_DEF_EXPANDFMA
#include "passes/Passes.h.inc"

namespace {

Type likeShape(Type element, Type shaped) {
  auto vector = dyn_cast<VectorType>(shaped);
  return vector ? Type(vector.clone(element)) : element;
}

Value constant(ImplicitLocOpBuilder &b, Type type, TypedAttr number) {
  auto vector = dyn_cast<VectorType>(type);
  return arith::ConstantOp::create(
      b, vector ? TypedAttr(DenseElementsAttr::get(vector, Attribute(number))) : number);
}

/// x + y rounded to odd.
Value addToOdd(ImplicitLocOpBuilder &b, Value x, Value y) {
  Type bitsType = likeShape(b.getI64Type(), x.getType());
  auto number = [&](int64_t value) { return constant(b, bitsType, b.getI64IntegerAttr(value)); };
  Value zero = constant(b, x.getType(), b.getF64FloatAttr(0));
  // The sum and its error (Knuth's TwoSum).
  Value sum = arith::AddFOp::create(b, x, y), tail = arith::SubFOp::create(b, sum, x);
  Value error =
      arith::AddFOp::create(b, arith::SubFOp::create(b, x, arith::SubFOp::create(b, sum, tail)),
                            arith::SubFOp::create(b, y, tail));
  Value bits = arith::BitcastOp::create(b, bitsType, sum);
  Value isEven = arith::CmpIOp::create(b, arith::CmpIPredicate::eq,
                                       arith::AndIOp::create(b, bits, number(1)), number(0));
  Value isInexact = arith::CmpFOp::create(b, arith::CmpFPredicate::ONE, error, zero);
  // Away from zero if the error has the sign of the sum.
  Value outwards = arith::CmpIOp::create(
      b, arith::CmpIPredicate::eq, arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, error, zero),
      arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, sum, zero));
  Value step = arith::SelectOp::create(b, outwards, number(1), number(-1));
  Value odd = arith::AddIOp::create(b, bits, step);
  Value chosen = arith::SelectOp::create(b, arith::AndIOp::create(b, isEven, isInexact), odd, bits);
  return arith::BitcastOp::create(b, x.getType(), chosen);
}

Value roundedTwice(ImplicitLocOpBuilder &b, math::FmaOp fma) {
  return arith::AddFOp::create(b, arith::MulFOp::create(b, fma.getA(), fma.getB()), fma.getC());
}

Value exact(ImplicitLocOpBuilder &b, math::FmaOp fma) {
  Type type = fma.getType(), wide = likeShape(b.getF64Type(), type);
  auto widened = [&](unsigned i) -> Value {
    return arith::ExtFOp::create(b, wide, fma->getOperand(i));
  };
  Value product = arith::MulFOp::create(b, widened(0), widened(1));
  return arith::TruncFOp::create(b, type, addToOdd(b, product, widened(2)));
}

struct ExpandFma : impl::ExpandFmaBase<ExpandFma> {
  void runOnOperation() override {
    auto features = getOperation()->getAttrOfType<IntegerAttr>(kFeaturesAttr);
    if (!features || features.getInt() != GEN_X86_64_V2)
      return;
    SmallVector<math::FmaOp> found;
    getOperation().walk([&](math::FmaOp op) { found.push_back(op); });
    for (math::FmaOp op : found) {
      ImplicitLocOpBuilder b(op.getLoc(), op);
      if (bitEnumContainsAll(op.getFastmath(), arith::FastMathFlags::contract))
        op.replaceAllUsesWith(roundedTwice(b, op));
      else if (getElementTypeOrSelf(op.getType()).isF32())
        op.replaceAllUsesWith(exact(b, op));
      if (op.use_empty())
        op.erase();
    }
  }
};

} // namespace
} // namespace mlir::gen
