//===- ReducePrecision.cpp - products of numbers of fewer bits ------------===//
//
// In:   %w = gen.read @w : tensor<40x64xf32>
//       %y = gen.matmul %x, %w transposed
// Out, int8w:
//       %s = reduce_max(abs(%w)) / 127          one scale for each column of the product
//       %q = cast(%w / %s + sign(%w) / 2)       : tensor<40x64xi8>
//       %y = matmul(%x, cast(%q) transposed) * %s
// Out, int8: of %x, too, one scale for each row, or each image:
//       %y = matmul(cast(%p), cast(%q) transposed) * %r * %s
// Out, bf16, f16:
//       %y = matmul(cast(cast(%x : bf16)), cast(cast(%w : bf16)) transposed)
// Out, tf32:
//       %y = matmul(%x, %w transposed) {gen.products = tf32}
//
// What is computed from the weight alone is computed once (gen-pack-weights), what is computed from
// %x by the kernel that makes it. The product reads the numbers as they are stored, and a quarter
// or half of the bytes: decoding, which waits for weights, is up to four times as fast. Symmetric,
// rounded to nearest, halves away from zero: Dettmers et al., LLM.int8(), 2022, without outliers;
// Jacob et al., 2018, for the scales. Each row of a product has its own scale, so that a result
// does not depend on the rest of the batch.
//
//===----------------------------------------------------------------------===//

#include "passes/DeviceCode.h"
#include "passes/PackedWeights.h"
#include "passes/Passes.h"
#include "passes/kernels/KernelEmitter.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/StringSet.h"

namespace mlir::gen {
#define GEN_PASS_DEF_REDUCEPRECISION
#include "passes/Passes.h.inc"

namespace {

/// The largest magnitude; -128 is not used.
constexpr double kLargest = 127;
/// Rows of smaller numbers than this are zeros: their scale's reciprocal could not be represented.
constexpr double kLeast = 1e-30;

struct Quantized {
  Value numbers, scales; ///< i8, of the tensor's shape; f32, one an index of `kept`
};

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// The largest magnitudes of all that share an index of axis `kept`.
Value largestAlong(GenBuilder &b, Value tensor, int64_t kept) {
  RankedTensorType type = typeOf(tensor);
  SmallVector<int64_t> others;
  for (int64_t axis = 0; axis < type.getRank(); ++axis)
    if (axis != kept)
      others.push_back(axis);
  auto result = RankedTensorType::get({type.getDimSize(kept)}, type.getElementType());
  return ReduceMaxOp::create(b, result, b.abs(tensor), others);
}

Value rounded(GenBuilder &b, Value exact) {
  Value half = b.mul(b.sign(exact), b.scalar(0.5, exact));
  return b.cast(b.add(exact, half), b.getI8Type());
}

Quantized quantizeWeight(GenBuilder &b, Value weight, int64_t columns) {
  Value largest = largestAlong(b, weight, columns);
  // A column of zeros has scale 1.
  Value none = b.compare(ComparePredicate::eq, largest, b.scalar(0, largest));
  Value scales =
      b.select(none, b.fullLike(1, largest), b.div(largest, b.scalar(kLargest, largest)));
  return {rounded(b, b.div(weight, b.broadcastLike(scales, {columns}, weight))), scales};
}

/// Of what is computed in every call: a division a row, not a number.
Quantized quantizeRows(GenBuilder &b, Value rows) {
  Value largest = largestAlong(b, rows, 0);
  Value isSmall = b.compare(ComparePredicate::lt, largest, b.scalar(kLeast, largest));
  Value one = b.scalar(1, largest);
  Value scales = b.select(isSmall, one, b.div(largest, b.scalar(kLargest, largest)));
  Value factors = b.div(one, scales);
  return {rounded(b, b.mul(rows, b.broadcastLike(factors, {0}, rows))), scales};
}

class Reducer {
public:
  explicit Reducer(StringRef precision) : precision(precision) {}

  void run(func::FuncOp entry) {
    llvm::StringSet<> assigned;
    for (auto assign : entry.getOps<AssignOp>())
      assigned.insert(assign.getVariable());
    SmallVector<ContractionOpInterface> contractions;
    entry.walk([&](ContractionOpInterface op) { contractions.push_back(op); });
    half = halfOf(entry.getContext());
    markProducts(entry);
    if (precision == "tf32")
      return;
    for (ContractionOpInterface contraction : contractions) {
      if (half) {
        narrowOperands(contraction);
        continue;
      }
      std::optional<PackedLayout> layout = packedLayout(contraction);
      Value weight = contraction->getOperand(1);
      ReadOp read = layout ? weightOf(weight) : ReadOp();
      if (read && !assigned.contains(read.getVariable()) &&
          typeOf(weight).getElementType().isF32() && kernels::gainsByPackedRhs(contraction) &&
          (precision != "int8" || foursOfBytes(contraction)))
        quantize(contraction, weight, layout->columns);
    }
  }

private:
  Type halfOf(MLIRContext *context) const {
    if (precision == "bf16")
      return BFloat16Type::get(context);
    return precision == "f16" ? Type(Float16Type::get(context)) : Type();
  }

  /// Those that round what they multiply.
  void markProducts(func::FuncOp entry) {
    bool isTf32 = precision == "tf32";
    Type rounded = isTf32 ? Type(FloatTF32Type::get(entry.getContext())) : half;
    if (rounded)
      entry.walk([&](ProductsOpInterface op) {
        if (isTf32 || !isa<ContractionOpInterface>(op.getOperation()))
          op->setAttr(kProductsAttr, TypeAttr::get(rounded));
      });
  }

  void quantize(ContractionOpInterface contraction, Value weight, int64_t columns) {
    bool ofBytes = precision == "int8";
    Quantized &columnwise = weights[{weight, columns}];
    if (!columnwise.numbers) {
      GenBuilder b(contraction.getLoc(), contraction);
      b.setInsertionPointAfterValue(weight);
      columnwise = quantizeWeight(b, weight, columns);
    }
    GenBuilder b(contraction.getLoc(), contraction);
    Value product = contraction->getResult(0), scales;
    contraction->setOperand(1, b.cast(columnwise.numbers, b.getF32Type()));
    if (ofBytes) {
      Quantized rowwise = quantizedRows(contraction->getOperand(0));
      contraction->setOperand(0, b.cast(rowwise.numbers, b.getF32Type()));
      scales = rowwise.scales;
    }
    b.setInsertionPointAfter(contraction);
    SmallPtrSet<Operation *, 4> own;
    auto scale = [&](Value value, Value factors, int64_t axis) {
      Value spread = b.broadcastLike(factors, {axis}, value);
      Value scaled = b.mul(value, spread);
      own.insert({spread.getDefiningOp(), scaled.getDefiningOp()});
      return scaled;
    };
    Value scaled = scales ? scale(product, scales, 0) : product;
    scaled = scale(scaled, columnwise.scales, typeOf(product).getRank() - 1);
    product.replaceUsesWithIf(scaled, [&](OpOperand &use) {
      return !own.contains(use.getOwner()) && !isa<tensor::DimOp>(use.getOwner());
    });
  }

  /// A frame of zeros is put around the numbers.
  Quantized quantizedRows(Value rows) {
    Quantized &known = activations[rows];
    if (known.numbers)
      return known;
    GenBuilder b(rows.getLoc(), rows.getContext());
    b.setInsertionPointAfterValue(rows);
    auto pad = rows.getDefiningOp<PadOp>();
    auto filling = pad ? dyn_cast<FloatAttr>(pad.getValue()) : FloatAttr();
    if (!filling || !filling.getValue().isZero() || pad.getLow()[0] != 0 || pad.getHigh()[0] != 0 ||
        pad.getInterior()[0] != 0)
      return known = quantizeRows(b, rows);
    Quantized inside = quantizedRows(pad.getInput());
    Type byte = b.getI8Type();
    Value framed = PadOp::create(b, typeOf(rows).clone(byte), inside.numbers,
                                 cast<TypedAttr>(b.getZeroAttr(byte)), pad.getLow(), pad.getHigh(),
                                 pad.getInterior());
    return activations[rows] = {framed, inside.scales};
  }

  void narrowOperands(ContractionOpInterface contraction) {
    if (!getElementTypeOrSelf(contraction->getOperand(0)).isF32())
      return;
    GenBuilder b(contraction.getLoc(), contraction);
    for (OpOperand &operand : contraction->getOpOperands().take_front(2))
      operand.set(b.make<CastOp>(typeOf(operand.get()), narrowed(operand.get())));
  }

  /// What moves numbers only moves the narrow ones: that is less, and the conversion belongs to
  /// what makes them.
  Value narrowed(Value wide) {
    if (Value known = narrow.lookup(wide))
      return known;
    GenBuilder b(wide.getLoc(), wide.getContext());
    b.setInsertionPointAfterValue(wide);
    Operation *op = wide.getDefiningOp();
    RankedTensorType type = typeOf(wide).clone(half);
    auto pad = dyn_cast_or_null<PadOp>(op);
    auto filling = pad ? dyn_cast<FloatAttr>(pad.getValue()) : FloatAttr();
    Value result;
    if (isa_and_nonnull<SliceOp, TransposeOp, ReshapeOp, BroadcastOp>(op)) {
      SmallVector<Value> operands(op->getOperands());
      operands.front() = narrowed(operands.front());
      result = b.create(op->getLoc(), op->getName().getIdentifier(), operands, type, op->getAttrs())
                   ->getResult(0);
    } else if (filling && filling.getValue().isZero()) {
      result =
          PadOp::create(b, type, narrowed(pad.getInput()), cast<TypedAttr>(b.getZeroAttr(half)),
                        pad.getLow(), pad.getHigh(), pad.getInterior());
    } else {
      result = CastOp::create(b, type, wide);
    }
    return narrow[wide] = result;
  }

  StringRef precision;
  Type half; ///< bf16 or f16, or null.
  llvm::DenseMap<Value, Value> narrow;
  llvm::DenseMap<std::pair<Value, int64_t>, Quantized> weights;
  llvm::DenseMap<Value, Quantized> activations;
};

struct ReducePrecision : impl::ReducePrecisionBase<ReducePrecision> {
  using ReducePrecisionBase::ReducePrecisionBase;

  void runOnOperation() override {
    if (precision != "f32" && getOperation().isPublic() && !getOperation().isExternal())
      Reducer(precision).run(getOperation());
  }
};

} // namespace
} // namespace mlir::gen
