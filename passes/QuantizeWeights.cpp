//===- QuantizeWeights.cpp - weights of eight bits ------------------------===//
//
// In:   %w = gen.read @w : tensor<40x64xf32>
//       %y = gen.matmul %x, %w transposed
// Out:  %s = reduce_max(abs(%w)) / 127          one scale for each column of the product
//       %q = cast(%w / %s + sign(%w) / 2)       : tensor<40x64xi8>
//       %y = matmul(%x, cast(%q) transposed) * %s
//
// What is computed from the weight alone is computed once (gen-pack-weights), and the product reads
// a quarter of the bytes: decoding, which waits for weights, is up to four times as fast. Sums stay
// f32. Symmetric, rounded to nearest, halves away from zero: Dettmers et al., LLM.int8(), 2022,
// without outliers; Jacob et al., 2018, for the scales.
//
//===----------------------------------------------------------------------===//

#include "passes/PackedWeights.h"
#include "passes/Passes.h"
#include "passes/kernels/KernelEmitter.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/StringSet.h"

namespace mlir::gen {
#define GEN_PASS_DEF_QUANTIZEWEIGHTS
#include "passes/Passes.h.inc"

namespace {

/// The largest magnitude; -128 is not used.
constexpr double kLargest = 127;

struct Quantized {
  Value numbers, scales; ///< i8, of the weight's shape; f32, one a column
};

Quantized quantize(GenBuilder &b, Value weight, int64_t columns) {
  auto type = cast<RankedTensorType>(weight.getType());
  SmallVector<int64_t> others;
  for (int64_t axis = 0; axis < type.getRank(); ++axis)
    if (axis != columns)
      others.push_back(axis);
  auto perColumn = RankedTensorType::get({type.getDimSize(columns)}, type.getElementType());
  Value largest = ReduceMaxOp::create(b, perColumn, b.abs(weight), others);
  // A column of zeros has scale 1.
  Value none = b.compare(ComparePredicate::eq, largest, b.scalar(0, largest));
  Value scales =
      b.select(none, b.fullLike(1, largest), b.div(largest, b.scalar(kLargest, largest)));
  Value exact = b.div(weight, b.broadcastLike(scales, {columns}, weight));
  Value half = b.mul(b.sign(exact), b.scalar(0.5, exact));
  return {b.cast(b.add(exact, half), b.getI8Type()), scales};
}

class Quantizer {
public:
  void run(func::FuncOp entry) {
    llvm::StringSet<> assigned;
    for (auto assign : entry.getOps<AssignOp>())
      assigned.insert(assign.getVariable());
    SmallVector<ContractionOpInterface> contractions;
    entry.walk([&](ContractionOpInterface op) { contractions.push_back(op); });
    for (ContractionOpInterface contraction : contractions) {
      std::optional<int64_t> columns = packedAxis(contraction);
      Value weight = contraction->getOperand(1);
      ReadOp read = columns ? weightOf(weight) : ReadOp();
      if (read && !assigned.contains(read.getVariable()) &&
          cast<RankedTensorType>(weight.getType()).getElementType().isF32() &&
          kernels::gainsByPackedRhs(contraction))
        rewrite(contraction, weight, *columns);
    }
  }

private:
  void rewrite(ContractionOpInterface contraction, Value weight, int64_t columns) {
    Quantized &known = quantized[{weight, columns}];
    if (!known.numbers) {
      GenBuilder b(contraction.getLoc(), contraction);
      b.setInsertionPointAfterValue(weight);
      known = quantize(b, weight, columns);
    }
    GenBuilder b(contraction.getLoc(), contraction);
    Value product = contraction->getResult(0);
    contraction->setOperand(1, b.cast(known.numbers, b.getF32Type()));
    b.setInsertionPointAfter(contraction);
    int64_t last = cast<RankedTensorType>(product.getType()).getRank() - 1;
    Value factors = b.broadcastLike(known.scales, {last}, product);
    Value scaled = b.mul(product, factors);
    product.replaceUsesWithIf(scaled, [&](OpOperand &use) {
      Operation *user = use.getOwner();
      return user != scaled.getDefiningOp() && user != factors.getDefiningOp() &&
             !isa<tensor::DimOp>(user);
    });
  }

  llvm::DenseMap<std::pair<Value, int64_t>, Quantized> quantized;
};

struct QuantizeWeights : impl::QuantizeWeightsBase<QuantizeWeights> {
  using QuantizeWeightsBase::QuantizeWeightsBase;

  void runOnOperation() override {
    if (isEnabled && getOperation().isPublic() && !getOperation().isExternal())
      Quantizer().run(getOperation());
  }
};

} // namespace
} // namespace mlir::gen
