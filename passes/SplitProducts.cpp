//===- SplitProducts.cpp - long sums of few results for several blocks ----===//
//
// In:   %w = gen.matmul %x transposed, %y : tensor<8192x64xf32>, ... -> tensor<64x64xf32>
// Out:  %p = gen.partial_sums (gen.matmul ...) : tensor<64x64xf32> -> tensor<16x64x64xf32>
//       %w = gen.reduce_sum %p axes [0]
//
// A weight's gradient has few elements, and is summed over all positions of all images: a block of
// threads for each tile of it would leave most of a GPU idle. So each tile has several blocks, and
// a second kernel, which what follows belongs to, adds what they have, in an order that follows
// from the shape alone.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gen.h"
#include "passes/Passes.h"

namespace mlir::gen {
#define GEN_PASS_DEF_SPLITPRODUCTS
#include "passes/Passes.h.inc"

namespace {

/// Two blocks for each of 132 multiprocessors.
constexpr int64_t kEnoughBlocks = 264;
/// Rows and columns of a block's tile, at most of the time.
constexpr int64_t kTile = 64;
/// So many products of an element are not worth a second kernel.
constexpr int64_t kShort = 512;
/// What a size is taken for that is not known: of a batch, mostly.
constexpr int64_t kUnknown = 64;

/// The products that are added for one element of the result, of so many elements.
int64_t depthOf(ProductsOpInterface op, int64_t elements) {
  SmallVector<std::pair<Value, int64_t>> sizes;
  int64_t products = op.countProducts(sizes);
  for (auto [tensor, axis] : sizes) {
    auto type = cast<RankedTensorType>(tensor.getType());
    products *= type.isDynamicDim(axis) ? kUnknown : type.getDimSize(axis);
  }
  return products / elements;
}

/// Tiles of a result: a convolution's weight is one matrix, all else may be a batch of them.
int64_t tilesOf(Operation *op) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(op->getResult(0).getType()).getShape();
  int64_t columns = shape.back(), rows = shape[shape.size() - 2], others = 1;
  for (int64_t size : shape.drop_back(2))
    (isa<ConvolutionOpInterface>(op) ? rows : others) *= size;
  return others * llvm::divideCeil(rows, kTile) * llvm::divideCeil(columns, kTile);
}

/// The rule: into how many parts each sum of a product is split, if there is more than one.
int64_t partsOf(ContractionOpInterface op) {
  auto result = cast<RankedTensorType>(op->getResult(0).getType());
  auto work = dyn_cast<ProductsOpInterface>(op.getOperation());
  if (!work || !result.hasStaticShape() || result.getNumElements() == 0)
    return 1;
  return std::min(kEnoughBlocks / tilesOf(op), depthOf(work, result.getNumElements()) / kShort);
}

void split(ContractionOpInterface op, int64_t parts) {
  Value product = op->getResult(0);
  auto type = cast<RankedTensorType>(product.getType());
  SmallVector<int64_t> shape{parts};
  llvm::append_range(shape, type.getShape());
  OpBuilder b(op->getContext());
  b.setInsertionPointAfter(op);
  Value sums = PartialSumsOp::create(b, op.getLoc(), type.clone(shape), product);
  Value sum = ReduceSumOp::create(b, op.getLoc(), type, sums, /*axes=*/ArrayRef<int64_t>{0});
  product.replaceAllUsesExcept(sum, sums.getDefiningOp());
}

struct SplitProducts : impl::SplitProductsBase<SplitProducts> {
  void runOnOperation() override {
    getOperation().walk([](ContractionOpInterface op) {
      if (int64_t parts = partsOf(op); parts > 1)
        split(op, parts);
    });
  }
};

} // namespace
} // namespace mlir::gen
