//===- BatchLastConvolution.cpp - convolutions with the batch in lanes ----===//
//
// Of images [1, c, s..., n] (gen-batch-last), the columns of products are images, contiguous in
// memory, and the rows channels; nothing is moved or packed. One product a position p or s:
//
//     output[o; n] += weight[o; c, k...] * input [c, p * stride + k; n]
//     input [c; n] += weight[o, k...; c] * output[o, (s + low - k) / stride; n]
//
// Only the taps of a position that meet the image are multiplied. The weight's gradient is one
// product whose sums run along memory in both operands:
//
//     weight[o; c, k...] += output[o; p, n] * input[c, p * stride + k; n]
//
//===----------------------------------------------------------------------===//

#include "dialect/ops/Convolution.h"
#include "passes/kernels/Products.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

namespace {

class BatchLastProducts : public Products {
public:
  explicit BatchLastProducts(ConvolutionOpInterface op)
      : op(op), window(ConvolutionWindow::of(op)), axes(window.axes()), input(op.getInput()),
        weight(op.getWeight()), output(op.getOutput()), positions(axes.spatialRank() - 1) {}

  ContractionSchedule chooseSchedule() const override {
    ArrayRef<int64_t> w = weight.getType().getShape(), y = output.getType().getShape();
    Type element = weight.getType().getElementType();
    int64_t taps = llvm::product_of(w.drop_front(2));
    if (makesWeight())
      return chooseAlongSchedule(w[0], w[1] * taps, w[axes.kernel(positions - 1)], element,
                                 vectorTargetOf(op));
    int64_t rows = w[makesInput() ? 1 : 0], depth = w[makesInput() ? 0 : 1] * taps;
    return chooseInPlaceSchedule(rows, y.back(), depth, element, vectorTargetOf(op));
  }

  Value count(KernelFunction &function) override {
    Int number(function.b, 1);
    for (int64_t i = 0; !makesWeight() && i < positions; ++i)
      number = number * Int(function.b, function.size(op->getResult(0), axes.spatial(i)));
    return number;
  }

  Contraction first(KernelFunction &function) override {
    b = &function.b;
    x = stridesOf(function, input);
    y = stridesOf(function, output);
    w = stridesOf(function, weight);
    Contraction c;
    c.elementType = weight.getType().getElementType();
    c.target = vectorTargetOf(op);
    c.rhsStride = constant(1);
    auto pointer = [&](Value tensor) { return function.pointer(cast<BlockArgument>(tensor)); };
    c.lhs = pointer(makesWeight() ? output : weight);
    c.rhs = pointer(makesOutput() || makesWeight() ? input : output);
    if (makesWeight())
      addWeightDigits(function, c);
    else
      addImageDigits(function, c);
    return c;
  }

  void moveTo(KernelFunction &function, Contraction &c, Value number) override {
    if (makesWeight())
      return;
    Int rest(*b, number), lhsOffset = constant(0), rhsOffset = constant(0);
    place.assign(positions, rest);
    for (int64_t i = positions - 1; i >= 0; --i) {
      Int size(*b, function.size(op->getResult(0), axes.spatial(i)));
      place[i] = i == 0 ? rest : rest % size;
      rest = rest / size;
    }
    for (int64_t i = 0; i < positions; ++i) {
      if (makesOutput())
        rhsOffset = rhsOffset + place[i] * window.strides[i] * x[axes.spatial(i)];
      else
        chooseTaps(function, c, i, lhsOffset, rhsOffset);
    }
    c.lhs = elementPointer(*b, c.elementType, c.lhs, lhsOffset);
    c.rhs = elementPointer(*b, c.elementType, c.rhs, rhsOffset);
  }

  void atResult(KernelFunction &, Value row, Value column,
                llvm::function_ref<void(const Indices &)> body) override {
    Indices at{{constant(0), Index::Uniform}};
    auto add = [&](Int index) { at.push_back({index, Index::Uniform}); };
    Int channel(*b, row), rest(*b, column);
    if (makesWeight()) {
      at = {{channel, Index::Uniform}};
      for (int64_t axis = 1; axis < axes.rank; ++axis) {
        add(rest / w[axis]);
        rest = rest % w[axis];
      }
      return body(at);
    }
    add(channel);
    for (Int index : place)
      add(index);
    at.push_back({rest, Index::Consecutive});
    body(at);
  }

  bool isWhole() const override { return false; }

private:
  bool makesInput() const { return op->getResult(0) == input; }
  bool makesOutput() const { return op->getResult(0) == output; }
  bool makesWeight() const { return op->getResult(0) == weight; }
  Int constant(int64_t value) { return {*b, value}; }

  // rows (o) or (c), steps of k (taps..., c) or (taps..., o): in the order of those of channels
  // last, so that an output has the same bits whatever the batch
  void addImageDigits(KernelFunction &function, Contraction &c) {
    ArrayRef<int64_t> shape = weight.getType().getShape();
    int64_t rowAxis = makesOutput() ? 0 : 1, sumAxis = 1 - rowAxis;
    c.rows.push_back({constant(shape[rowAxis]), w[rowAxis]});
    for (int64_t i = 0; i < positions; ++i) {
      int64_t kernel = axes.kernel(i), axis = axes.spatial(i);
      if (makesOutput())
        c.depth.push_back({constant(shape[kernel]), w[kernel], x[axis]});
      else // an extent of each position
        c.depth.push_back({constant(0), w[kernel] * window.strides[i], constant(0) - y[axis]});
    }
    c.depth.push_back({constant(shape[sumAxis]), w[sumAxis], (makesOutput() ? x : y)[1]});
    c.n = Int(*b, function.size(output, axes.rank - 1));
  }

  /// Position s + low = q * stride + r of the input meets taps r + t * stride at positions q - t of
  /// the output, as far as both exist.
  void chooseTaps(KernelFunction &function, Contraction &c, int64_t i, Int &lhsOffset,
                  Int &rhsOffset) {
    int64_t stride = window.strides[i], kernel = axes.kernel(i), axis = axes.spatial(i);
    int64_t taps = weight.getType().getDimSize(kernel);
    Int padded = place[i] + window.low[i], q = padded / stride, r = padded % stride;
    Int outputs(*b, function.size(output, axis)), zero = constant(0);
    Int from = max(zero, q - outputs + 1);
    Int end = min(q + 1, (constant(taps - 1 + stride) - r) / stride);
    c.depth[i].extent = max(end - from, zero);
    lhsOffset = lhsOffset + (r + from * stride) * w[kernel];
    rhsOffset = rhsOffset + (q - from) * y[axis];
  }

  // rows (o), columns (c, taps...), steps of k (p..., n)
  void addWeightDigits(KernelFunction &function, Contraction &c) {
    ArrayRef<int64_t> shape = weight.getType().getShape();
    c.rows.push_back({constant(shape[0]), y[1]});
    c.columns.push_back({constant(shape[1]), x[1]});
    for (int64_t i = 0; i <= positions; ++i) {
      int64_t axis = axes.spatial(i);
      if (i < positions)
        c.columns.push_back({constant(shape[axes.kernel(i)]), x[axis]});
      c.depth.push_back({function.size(output, axis), y[axis], x[axis] * window.strides[i]});
    }
    c.n = w[0];
  }

  ConvolutionOpInterface op;
  ConvolutionWindow window;
  ConvolutionAxes axes;
  TypedValue<RankedTensorType> input, weight, output;
  int64_t positions; ///< Spatial axes but the batch.
  // The code:
  ImplicitLocOpBuilder *b = nullptr;
  SmallVector<Int> x, y, w; ///< Strides.
  SmallVector<Int> place;   ///< Of the product.
};

} // namespace

std::unique_ptr<Products> mlir::gen::kernels::batchLastProducts(ConvolutionOpInterface op) {
  return std::make_unique<BatchLastProducts>(op);
}
