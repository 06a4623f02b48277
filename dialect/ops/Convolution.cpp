//===- Convolution.cpp - convolutions and their derivatives ---------------===//
//
// The three ops share their constraints and one loop over the products of the sum; each one's
// derivative is the other two.
//
//===----------------------------------------------------------------------===//

#include "dialect/ops/Convolution.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Support/DebugStringHelper.h"
#include "llvm/Support/InterleavedRange.h"

using namespace mlir;
using namespace mlir::gen;

#define GET_OP_CLASSES
#include "dialect/ops/Convolution.cpp.inc"

using Complain = llvm::function_ref<LogicalResult(const Twine &)>;
using Gradients = SmallVector<Value>;

//===----------------------------------------------------------------------===//
// Constraints
//===----------------------------------------------------------------------===//

static std::string quoted(Type type) { return "'" + debugString(type) + "'"; }

static LogicalResult checkWindow(const ConvolutionWindow &window, int64_t rank, Complain complain) {
  const std::pair<const char *, ArrayRef<int64_t>> lists[] = {{"strides", window.strides},
                                                              {"low", window.low},
                                                              {"high", window.high},
                                                              {"dilations", window.dilations}};
  for (auto [name, list] : lists) {
    bool isPadding = list.data() == window.low.data() || list.data() == window.high.data();
    int64_t least = isPadding ? 0 : 1;
    bool ok = static_cast<int64_t>(list.size()) == rank - 2 &&
              llvm::all_of(list, [&](int64_t number) { return number >= least; });
    if (ok)
      continue;
    std::string got;
    llvm::raw_string_ostream(got) << llvm::interleaved_array(list);
    return complain("expected " + Twine(name) + " to hold " + Twine(rank - 2) + " numbers of " +
                    Twine(least) + " or more, one for each spatial axis (C2), got " + got);
  }
  return success();
}

/// (C1) to (C5).
static LogicalResult checkOperands(const ConvolutionWindow &window, RankedTensorType input,
                                   RankedTensorType weight, Complain complain) {
  int64_t rank = input.getRank();
  if (rank < 3 || rank > 5 || weight.getRank() != rank ||
      input.getElementType() != weight.getElementType())
    return complain("expected input and weight of one rank, 3 to 5, and one element type (C1), got "
                    "input " +
                    quoted(input) + " and weight " + quoted(weight));
  if (failed(checkWindow(window, rank, complain)))
    return failure();
  if (!weight.hasStaticShape() || weight.getNumElements() == 0)
    return complain("expected a weight of static shape without axes of size 0 (C3), got " +
                    quoted(weight));
  ConvolutionAxes axes = window.axes();
  int64_t channels = input.getDimSize(axes.channels());
  int64_t expected = weight.getDimSize(axes.inputChannels()) * window.groups;
  if (window.groups < 1 || weight.getDimSize(axes.outputChannels()) % window.groups != 0 ||
      channels != expected)
    return complain("expected groups to divide the output's channels, and " + Twine(expected) +
                    " channels in the input (C4), got " + Twine(window.groups) +
                    " groups for input " + quoted(input) + " and weight " + quoted(weight));
  for (int64_t i = 0; i < axes.spatialRank(); ++i) {
    int64_t size =
        window.outputSize(i, input.getDimSize(axes.spatial(i)), weight.getDimSize(axes.kernel(i)));
    if (!ShapedType::isDynamic(size) && size < 1)
      return complain("expected the padded input to be at least as long as the dilated weight "
                      "along spatial axis " +
                      Twine(i) + " (C5), got input " + quoted(input) + " and weight " +
                      quoted(weight));
  }
  return success();
}

/// The shape of the output.
static SmallVector<int64_t> outputShape(const ConvolutionWindow &window, ArrayRef<int64_t> input,
                                        ArrayRef<int64_t> weight) {
  ConvolutionAxes axes = window.axes();
  SmallVector<int64_t> shape(axes.rank);
  shape[axes.batch] = input[axes.batch];
  shape[axes.channels()] = weight[axes.outputChannels()];
  for (int64_t i = 0; i < axes.spatialRank(); ++i)
    shape[axes.spatial(i)] = window.outputSize(i, input[axes.spatial(i)], weight[axes.kernel(i)]);
  return shape;
}

static LogicalResult verifyConvolution(ConvolutionOpInterface op) {
  ConvolutionWindow window = ConvolutionWindow::of(op);
  RankedTensorType input = op.getInput().getType(), weight = op.getWeight().getType(),
                   output = op.getOutput().getType();
  auto complain = [&](const Twine &message) { return op->emitOpError(message); };
  if (failed(checkOperands(window, input, weight, complain)))
    return failure();
  auto expected = RankedTensorType::get(outputShape(window, input.getShape(), weight.getShape()),
                                        input.getElementType());
  if (output.getElementType() == input.getElementType() &&
      succeeded(verifyCompatibleShape(expected, output)))
    return success();
  return op->emitOpError("expected an output of ") << expected << " (C6), got " << output;
}

LogicalResult ConvolutionOp::verify() { return verifyConvolution(*this); }
LogicalResult ConvolutionWeightGradientOp::verify() { return verifyConvolution(*this); }

LogicalResult ConvolutionTransposeOp::verify() {
  int64_t expected = getType().getNumDynamicDims();
  if (static_cast<int64_t>(getSizes().size()) != expected)
    return emitOpError("expected ")
           << expected << " sizes, one for each dynamic dimension of the result " << getType()
           << " (C7), got " << getSizes().size();
  return verifyConvolution(*this);
}

//===----------------------------------------------------------------------===//
// Types and sizes
//===----------------------------------------------------------------------===//

LogicalResult ConvolutionOp::inferReturnTypes(MLIRContext *, std::optional<Location> location,
                                              ValueRange operands, DictionaryAttr attributes,
                                              OpaqueProperties properties, RegionRange regions,
                                              SmallVectorImpl<Type> &types) {
  Adaptor adaptor(operands, attributes, properties, regions);
  auto input = dyn_cast<RankedTensorType>(adaptor.getInput().getType());
  auto weight = dyn_cast<RankedTensorType>(adaptor.getWeight().getType());
  if (!input || !weight)
    return failure();
  ConvolutionWindow window{adaptor.getStrides(),
                           adaptor.getLow(),
                           adaptor.getHigh(),
                           adaptor.getDilations(),
                           static_cast<int64_t>(adaptor.getGroups()),
                           adaptor.getChannelsLast()};
  auto complain = [&](const Twine &message) {
    return emitOptionalError(location, "'gen.convolution' op ", message);
  };
  if (failed(checkOperands(window, input, weight, complain)))
    return failure();
  types.push_back(RankedTensorType::get(outputShape(window, input.getShape(), weight.getShape()),
                                        input.getElementType()));
  return success();
}

LogicalResult ConvolutionOp::refineReturnTypes(MLIRContext *, std::optional<Location>, ValueRange,
                                               DictionaryAttr, OpaqueProperties, RegionRange,
                                               SmallVectorImpl<Type> &) {
  return success(); // the verifier compares the types, with a better message
}

/// (input + extra) / stride.
static Value outputSize(OpBuilder &b, Location loc, Value input, int64_t extra, int64_t stride) {
  if (extra != 0)
    input =
        b.createOrFold<arith::AddIOp>(loc, input, arith::ConstantIndexOp::create(b, loc, extra));
  if (stride != 1)
    input =
        b.createOrFold<arith::DivSIOp>(loc, input, arith::ConstantIndexOp::create(b, loc, stride));
  return input;
}

LogicalResult ConvolutionOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &shapes) {
  ConvolutionWindow window = ConvolutionWindow::of(*this);
  ConvolutionAxes axes = window.axes();
  SmallVector<OpFoldResult> &shape = shapes.emplace_back(llvm::map_to_vector(
      getType().getShape(), [&](int64_t size) -> OpFoldResult { return b.getIndexAttr(size); }));
  if (getType().isDynamicDim(axes.batch))
    shape[axes.batch] = b.createOrFold<tensor::DimOp>(getLoc(), getInput(), axes.batch);
  for (int64_t i = 0; i < axes.spatialRank(); ++i) {
    int64_t axis = axes.spatial(i);
    if (!getType().isDynamicDim(axis))
      continue;
    Value size = b.createOrFold<tensor::DimOp>(getLoc(), getInput(), axis);
    int64_t kernel = getWeight().getType().getDimSize(axes.kernel(i));
    shape[axis] = outputSize(b, getLoc(), size, window.extra(i, kernel), window.strides[i]);
  }
  return success();
}

LogicalResult ConvolutionTransposeOp::reifyResultShapes(OpBuilder &b,
                                                        ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(getMixedValues(getType().getShape(), getSizes(), b));
  return success();
}

LogicalResult ConvolutionWeightGradientOp::reifyResultShapes(OpBuilder &b,
                                                             ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(getMixedValues(getType().getShape(), {}, b));
  return success();
}

//===----------------------------------------------------------------------===//
// Reference semantics
//===----------------------------------------------------------------------===//

/// Calls `term` with the row-major positions in input, weight and output of every product of the
/// sum.
static void forEachProduct(const ConvolutionWindow &window, ArrayRef<int64_t> input,
                           ArrayRef<int64_t> weight, ArrayRef<int64_t> output,
                           llvm::function_ref<void(int64_t, int64_t, int64_t)> term) {
  ConvolutionAxes axes = window.axes();
  int64_t inputsOfGroup = weight[axes.inputChannels()];
  int64_t outputsOfGroup = weight[axes.outputChannels()] / window.groups;
  SmallVector<int64_t> ofOneOutput(weight);
  ofOneOutput[axes.outputChannels()] = 1;
  forEachIndex(output, [&](ArrayRef<int64_t> y) {
    int64_t outputChannel = y[axes.channels()];
    forEachIndex(ofOneOutput, [&](ArrayRef<int64_t> k) {
      SmallVector<int64_t, 5> x(y), w(k);
      w[axes.outputChannels()] = outputChannel;
      x[axes.channels()] = outputChannel / outputsOfGroup * inputsOfGroup + k[axes.inputChannels()];
      for (int64_t i = 0; i < axes.spatialRank(); ++i) {
        int64_t &position = x[axes.spatial(i)];
        position =
            position * window.strides[i] + k[axes.kernel(i)] * window.dilations[i] - window.low[i];
        if (position < 0 || position >= input[axes.spatial(i)])
          return;
      }
      term(linearize(x, input), linearize(w, weight), linearize(y, output));
    });
  });
}

/// The sizes of a call have to satisfy (C6) too.
static LogicalResult checkCall(ConvolutionOpInterface op, ArrayRef<int64_t> input,
                               ArrayRef<int64_t> weight, ArrayRef<int64_t> output) {
  SmallVector<int64_t> expected = outputShape(ConvolutionWindow::of(op), input, weight);
  if (expected == output && llvm::none_of(output, [](int64_t size) { return size < 0; }))
    return success();
  return op->emitOpError("expected sizes of input, weight and output that agree (C6), got ")
         << llvm::interleaved_array(input) << ", " << llvm::interleaved_array(weight) << " and "
         << llvm::interleaved_array(output);
}

LogicalResult ConvolutionOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                      SmallVectorImpl<Array> &results) {
  const Array &x = operands[0], &w = operands[1];
  ConvolutionWindow window = ConvolutionWindow::of(*this);
  SmallVector<int64_t> shape = outputShape(window, x.shape, w.shape);
  if (failed(checkCall(*this, x.shape, w.shape, shape)))
    return failure();
  Array y(x.elementType, shape);
  forEachProduct(window, x.shape, w.shape, y.shape, [&](int64_t i, int64_t j, int64_t k) {
    y.floats[k] += x.floats[i] * w.floats[j];
  });
  results.push_back(std::move(y));
  return success();
}

LogicalResult ConvolutionTransposeOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                               SmallVectorImpl<Array> &results) {
  const Array &y = operands[0], &w = operands[1];
  SmallVector<int64_t> sizes = llvm::map_to_vector(
      operands.drop_front(2), [](const Array &size) { return size.integers[0]; });
  Array x(y.elementType, EvaluationContext::resolveShape(getType(), sizes));
  if (failed(checkCall(*this, x.shape, w.shape, y.shape)))
    return failure();
  forEachProduct(
      ConvolutionWindow::of(*this), x.shape, w.shape, y.shape,
      [&](int64_t i, int64_t j, int64_t k) { x.floats[i] += y.floats[k] * w.floats[j]; });
  results.push_back(std::move(x));
  return success();
}

LogicalResult ConvolutionWeightGradientOp::evaluate(EvaluationContext &, ArrayRef<Array> operands,
                                                    SmallVectorImpl<Array> &results) {
  const Array &x = operands[0], &y = operands[1];
  Array w(x.elementType, getType().getShape());
  if (failed(checkCall(*this, x.shape, w.shape, y.shape)))
    return failure();
  forEachProduct(
      ConvolutionWindow::of(*this), x.shape, w.shape, y.shape,
      [&](int64_t i, int64_t j, int64_t k) { w.floats[j] += x.floats[i] * y.floats[k]; });
  results.push_back(std::move(w));
  return success();
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

using ProductSizes = SmallVectorImpl<std::pair<Value, int64_t>>;

static void addAxes(TypedValue<RankedTensorType> tensor, ProductSizes &sizes) {
  for (int64_t axis = 0; axis < tensor.getType().getRank(); ++axis)
    sizes.push_back({tensor, axis});
}

/// A weight's elements that meet one element of the output.
static int64_t productsOfOutput(ConvolutionOpInterface op) {
  RankedTensorType weight = op.getWeight().getType();
  return weight.getNumElements() /
         weight.getDimSize(ConvolutionWindow::of(op).axes().outputChannels());
}

int64_t ConvolutionOp::countProducts(ProductSizes &sizes) {
  addAxes(getOutput(), sizes);
  return productsOfOutput(*this);
}

int64_t ConvolutionWeightGradientOp::countProducts(ProductSizes &sizes) {
  addAxes(getOutput(), sizes);
  return productsOfOutput(*this);
}

/// What a position of the input takes part in, on average: the output may be padded.
int64_t ConvolutionTransposeOp::countProducts(ProductSizes &sizes) {
  addAxes(getInput(), sizes);
  RankedTensorType weight = getWeight().getType();
  ConvolutionAxes axes = ConvolutionWindow::of(*this).axes();
  int64_t positions = 1;
  for (int64_t stride : getStrides())
    positions *= stride;
  return weight.getNumElements() / weight.getDimSize(axes.inputChannels()) /
         static_cast<int64_t>(getGroups()) / positions;
}

//===----------------------------------------------------------------------===//
// Derivatives
//===----------------------------------------------------------------------===//

namespace {
/// Makes the three ops with the window of one of them.
class Trilinear {
public:
  Trilinear(GenBuilder &b, ConvolutionOpInterface op)
      : b(b), op(op), window(ConvolutionWindow::of(op)) {}

  Value input(Value output, Value weight) {
    return b.make<ConvolutionTransposeOp>(
        op.getInput().getType(), output, weight, b.dynamicSizes(op.getInput()), window.strides,
        window.low, window.high, window.dilations, window.groups, window.channelsLast);
  }
  Value weight(Value input, Value output) {
    return b.make<ConvolutionWeightGradientOp>(
        op.getWeight().getType(), input, output, window.strides, window.low, window.high,
        window.dilations, window.groups, window.channelsLast);
  }
  Value output(Value input, Value weight) {
    Value made = b.make<ConvolutionOp>(input, weight, window.strides, window.low, window.high,
                                       window.dilations, window.groups, window.channelsLast);
    return made.getType() == op.getOutput().getType() ? made : b.reshapeLike(made, op.getOutput());
  }

private:
  GenBuilder &b;
  ConvolutionOpInterface op;
  ConvolutionWindow window;
};
} // namespace

// y = x * w:  dx = dy *^T w,  dw = weight gradient of x and dy
Gradients ConvolutionOp::derivative(GenBuilder &b, ValueRange dy) {
  Trilinear form(b, *this);
  return {form.input(dy[0], getWeight()), form.weight(getInput(), dy[0])};
}

// x = y *^T w:  dy = dx * w,  dw = weight gradient of dx and y
Gradients ConvolutionTransposeOp::derivative(GenBuilder &b, ValueRange dx) {
  Trilinear form(b, *this);
  Gradients gradients(getNumOperands());
  gradients[0] = form.output(dx[0], getWeight());
  gradients[1] = form.weight(dx[0], getOutput());
  return gradients;
}

// w = weight gradient of x and y:  dx = y *^T dw,  dy = x * dw
Gradients ConvolutionWeightGradientOp::derivative(GenBuilder &b, ValueRange dw) {
  Trilinear form(b, *this);
  return {form.input(getOutput(), dw[0]), form.output(getInput(), dw[0])};
}
