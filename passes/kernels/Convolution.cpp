//===- Convolution.cpp - convolutions as products -------------------------===//
//
// Channels last and padded, all three convolutions are products without any rearrangement of the
// operands (implicit GEMM); only the digits that rows and steps of k are made of differ:
//
//     output        [n, p...; o]    += input [n, p * stride + k * dilation, c] * weight[k..., c; o]
//     weight        [k..., c; o]    += input [n, p * stride + k * dilation, c] * output[n, p...; o]
//     input (phase) [n, q...; c]    += output[n, first + q + t, o] * weight[taps(t)..., c; o]
//
// The input's gradient, or a transposed convolution, falls into phases: positions s = q * stride +
// r of one residue r meet the same taps, every (stride / gcd(stride, dilation))th. So nothing is
// multiplied by the zeros between the positions of the output.
//
// Nor by many of those around an image: where a tile of rows is at its border, the taps that all of
// them have beyond it are left out. In a small image that is a good part of all, and most if rows
// of a tile are the same position of several images: then the batch is the last digit of rows.
//
//===----------------------------------------------------------------------===//

#include "dialect/ops/Convolution.h"
#include "passes/PackedWeights.h"
#include "passes/kernels/Phases.h"
#include "passes/kernels/Products.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

namespace {

class ConvolutionProducts : public Products {
  /// Margins of smaller parts are not worth their code. Images that fill a tile.
  static constexpr double kUseful = 0.97;
  static constexpr int64_t kFewImages = 8;

public:
  explicit ConvolutionProducts(ConvolutionOpInterface op)
      : op(op), window(ConvolutionWindow::of(op)), axes(window.axes()), input(op.getInput()),
        weight(op.getWeight()), output(op.getOutput()), result(op->getResult(0)),
        groups(window.groups) {
    ArrayRef<int64_t> shape = weight.getType().getShape();
    auto contraction = cast<ContractionOpInterface>(op.getOperation());
    packed = packedRhs(contraction);
    if (packed)
      inFours = packedLayout(contraction)->fours.has_value();
    inputsOfGroup = shape[axes.inputChannels()];
    outputsOfGroup = shape[axes.outputChannels()] / groups;
    if (makesInput())
      for (int64_t i = 0; i < axes.spatialRank(); ++i)
        phased.push_back(PhasedAxis(window, i, shape[axes.kernel(i)]));
    leavesOutMargins = usefulPart() <= kUseful;
    int64_t images = cast<RankedTensorType>(op->getOperand(0).getType()).getDimSize(0);
    batchLast = leavesOutMargins && !makesWeight() && images > 0 && images % kFewImages == 0;
  }

  ContractionSchedule chooseSchedule() const override {
    auto product = [](ArrayRef<int64_t> sizes) {
      return llvm::is_contained(sizes, ShapedType::kDynamic) ? ShapedType::kDynamic
                                                             : llvm::product_of(sizes);
    };
    SmallVector<int64_t> x = typicalSizes(input), y = typicalSizes(output);
    ArrayRef<int64_t> w = weight.getType().getShape();
    int64_t columns = makesInput() ? inputsOfGroup : outputsOfGroup;
    int64_t ofOutput = product(w.drop_back());
    int64_t rows = makesWeight() ? ofOutput : product(ArrayRef(y).drop_back());
    int64_t depth = makesWeight() ? product(output.getType().getShape().drop_back()) : ofOutput;
    if (makesInput()) {
      rows = x[0];
      depth = outputsOfGroup;
      for (int64_t i = 0; i < axes.spatialRank(); ++i) {
        rows *= llvm::divideCeil(x[axes.spatial(i)], window.strides[i]);
        depth = product(
            {depth, phased[i].isUniform() ? phased[i].phases[0].taps : ShapedType::kDynamic});
      }
    }
    Type element = weight.getType().getElementType();
    if (makesWeight())
      return chooseWeightGradientSchedule(rows, columns, depth, element, vectorTargetOf(op),
                                          kLanes);
    return chooseConvolutionSchedule(rows, columns, depth, summedChannels(), makesInput(), element,
                                     vectorTargetOf(op), kLanes, bool(packed));
  }

  Value count(KernelFunction &function) override {
    int64_t number = groups;
    for (const PhasedAxis &axis : phased)
      number *= static_cast<int64_t>(axis.phases.size());
    return i64Constant(function.b, number);
  }

  Contraction first(KernelFunction &function) override {
    b = &function.b;
    x = stridesOf(function, input);
    y = stridesOf(function, output);
    for (Int size : sizesOf(function, weight))
      weightSizes.push_back(*size.constant());
    Contraction c;
    c.elementType = weight.getType().getElementType();
    auto pointer = [&](Value tensor) { return function.pointer(cast<BlockArgument>(tensor)); };
    auto memoryOf = [&](unsigned operand) {
      OpOperand &use = op->getOpOperand(operand);
      return isReadAsStored(use) ? storedOperand(use.get()) : use.get();
    };
    Value lhs = memoryOf(0), rhs = packed ? packed : memoryOf(1);
    c.lhs = pointer(lhs);
    c.lhsType = getElementTypeOrSelf(lhs);
    c.rhs = pointer(rhs);
    c.rhsType = getElementTypeOrSelf(rhs);
    c.target = vectorTargetOf(op);
    c.n = constant(makesInput() ? inputsOfGroup : outputsOfGroup);
    if (makesInput())
      addInputDigits(function, c);
    else if (makesWeight())
      addWeightDigits(function, c);
    else
      addOutputDigits(function, c);
    if (batchLast)
      std::rotate(c.rows.begin(), c.rows.begin() + 1, c.rows.end());
    if (leavesOutMargins)
      addMargins(function, c);
    for (const RowDigit &row : c.rows)
      rowExtents.push_back(Int(*b, row.extent));
    return c;
  }

  void moveTo(KernelFunction &, Contraction &c, Value number) override {
    Int rest(*b, number), group = rest % groups;
    rest = rest / groups;
    int64_t lhsChannels = makesInput() ? outputsOfGroup : inputsOfGroup;
    Int lhsOffset = group * lhsChannels, rhsOffset = group * outputsOfGroup;
    firstColumn = group * (makesInput() ? inputsOfGroup : outputsOfGroup);
    for (int64_t i = 0; i < static_cast<int64_t>(phased.size()); ++i) {
      int64_t residues = static_cast<int64_t>(phased[i].phases.size());
      Int residue = rest % residues;
      rest = rest / residues;
      phases.push_back(residue);
      auto choose = [&](int64_t Phase::*field) { return chosen(phased[i].phases, field, residue); };
      lhsOffset = lhsOffset + choose(&Phase::position) * y[axes.spatial(i)];
      rhsOffset = rhsOffset + choose(&Phase::tap) * weightStride(axes.kernel(i));
      c.depth[i].extent = choose(&Phase::taps);
      if (leavesOutMargins)
        c.margins[i].origin = choose(&Phase::position) - margin(i, /*behind=*/false);
    }
    c.lhs = elementPointer(*b, c.lhsType, c.lhs, lhsOffset);
    c.rhs = elementPointer(*b, c.rhsType, c.rhs, rhsOffset);
  }

  void atResult(KernelFunction &function, Value row, Value column,
                llvm::function_ref<void(const Indices &)> body) override {
    SmallVector<Int> digits(rowExtents.size(), Int(*b, row));
    for (size_t i = digits.size(); i-- > 1;) {
      digits[i] = digits[0] % rowExtents[i];
      digits[0] = digits[0] / rowExtents[i];
    }
    if (batchLast)
      std::rotate(digits.begin(), digits.end() - 1, digits.end());
    Value exists;
    for (size_t i = 0; i < phases.size(); ++i) {
      int64_t axis = axes.spatial(static_cast<int64_t>(i)), stride = window.strides[i];
      Int &position = digits[axis];
      position = position * stride + phases[i];
      Int size(*b, function.size(input, axis));
      if (stride == 1 || (size % stride).is(0))
        continue;
      Value inside = position < size;
      exists = exists ? arith::AndIOp::create(*b, exists, inside).getResult() : inside;
    }
    Indices at;
    for (Int digit : digits)
      at.push_back({digit, Index::Uniform});
    at.push_back({Int(*b, column) + *firstColumn, Index::Consecutive});
    if (!exists)
      return body(at);
    auto branch = scf::IfOp::create(*b, exists, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(*b);
    b->setInsertionPointToStart(branch.thenBlock());
    body(at);
  }

  bool isWhole() const override { return !makesInput() && groups == 1 && !batchLast; }

private:
  bool makesInput() const { return result == input; }
  bool makesWeight() const { return result == weight; }
  Int constant(int64_t value) { return {*b, value}; }

  /// Lines of zeros around operand 0, before or behind what it has along spatial axis i.
  int64_t margin(int64_t i, bool behind) const {
    return op->getAttrOfType<DenseI64ArrayAttr>(kMarginsAttr)[2 * i + (behind ? 1 : 0)];
  }

  /// The part of the products that meet no margin. 1 if that is not known, or if there are so few
  /// channels that a tap is no loop of its own.
  double usefulPart() const {
    constexpr int64_t kFewChannels = 16;
    if (!op->hasAttr(kMarginsAttr) || (!makesWeight() && summedChannels() < kFewChannels))
      return 1;
    double part = 1;
    for (int64_t i = 0; i < axes.spatialRank(); ++i) {
      int64_t axis = axes.spatial(i), inputs = input.getType().getDimSize(axis),
              outputs = output.getType().getDimSize(axis), all = 0, useful = 0;
      if (ShapedType::isDynamic(inputs) || ShapedType::isDynamic(outputs))
        return 1;
      int64_t low = margin(i, false), high = (makesInput() ? outputs : inputs) - margin(i, true);
      auto count = [&](int64_t origin, int64_t positions, int64_t step, int64_t taps,
                       int64_t tapStep) {
        for (int64_t position = 0; position < positions; ++position)
          for (int64_t tap = 0; tap < taps; ++tap) {
            int64_t line = origin + position * step + tap * tapStep;
            useful += low <= line && line < high;
          }
        all += positions * taps;
      };
      if (makesInput())
        for (const Phase &phase : phased[i].phases)
          count(phase.position, llvm::divideCeil(inputs, window.strides[i]), 1, phase.taps,
                phased[i].positionStep);
      else
        count(0, outputs, window.strides[i], weight.getType().getDimSize(axes.kernel(i)),
              window.dilations[i]);
      part *= static_cast<double>(useful) / static_cast<double>(std::max<int64_t>(all, 1));
    }
    return part;
  }

  void addMargins(KernelFunction &function, Contraction &c) {
    for (int64_t i = 0; i < axes.spatialRank(); ++i) {
      Int size(*b, function.size(op->getOperand(0), axes.spatial(i)));
      Int lines = size - (margin(i, false) + margin(i, true)), origin = constant(-margin(i, false));
      auto number = static_cast<size_t>(i);
      if (makesInput())
        c.margins.push_back(
            {number + !batchLast, number, origin, 1, phased[i].positionStep, lines});
      else if (makesWeight())
        c.margins.push_back(
            {number, number + 1, origin, window.dilations[i], window.strides[i], lines});
      else
        c.margins.push_back(
            {number + !batchLast, number, origin, window.strides[i], window.dilations[i], lines});
    }
  }

  /// Sizes to plan the rows of a product with: one that is not known is often but a factor of them.
  static SmallVector<int64_t> typicalSizes(TypedValue<RankedTensorType> tensor) {
    constexpr int64_t kTypical = 16;
    SmallVector<int64_t> sizes(tensor.getType().getShape());
    llvm::replace(sizes, ShapedType::kDynamic, kTypical);
    return sizes;
  }

  static SmallVector<Int> sizesOf(KernelFunction &function, Value tensor) {
    SmallVector<Int> sizes;
    for (int64_t axis = 0; axis < cast<RankedTensorType>(tensor.getType()).getRank(); ++axis)
      sizes.push_back(Int(function.b, function.size(tensor, axis)));
    return sizes;
  }

  /// Elements between two positions along an axis of the weight, or of what it is packed as:
  /// [columns / lanes, k..., summed channels, lanes].
  int64_t weightStride(int64_t axis) const {
    int64_t stride = 1, channels = axes.inputChannels();
    if (packed)
      stride = axis < channels ? kLanes * packedChannels() : kLanes;
    for (int64_t i = axis + 1; i < (packed ? channels : axes.rank); ++i)
      stride *= weightSizes[i];
    return stride;
  }
  int64_t summedChannels() const { return makesInput() ? outputsOfGroup : inputsOfGroup; }
  int64_t packedChannels() const { return llvm::alignTo(summedChannels(), inFours ? 4 : 1); }

  /// Elements between two vectors of columns of the packed weight.
  int64_t packedVectorStride() const {
    int64_t stride = kLanes * packedChannels();
    for (int64_t i = 0; i < axes.spatialRank(); ++i)
      stride *= weightSizes[axes.kernel(i)];
    return stride;
  }

  void addWeightRhs(Contraction &c) {
    if (packed)
      c.rhsStride = constant(packedVectorStride());
    else
      c.rhsStride = constant(weightStride(axes.inputChannels()));
  }

  // rows (n, p...), steps of k (taps..., c)
  void addOutputDigits(KernelFunction &function, Contraction &c) {
    c.rows.push_back({function.size(output, 0), x[0]});
    for (int64_t i = 0; i < axes.spatialRank(); ++i) {
      int64_t axis = axes.spatial(i), kernel = axes.kernel(i);
      c.rows.push_back({function.size(output, axis), x[axis] * window.strides[i]});
      c.depth.push_back({constant(weightSizes[kernel]), x[axis] * window.dilations[i],
                         constant(weightStride(kernel))});
    }
    c.depth.push_back(
        {constant(inputsOfGroup), constant(1), constant(weightStride(axes.inputChannels()))});
    addWeightRhs(c);
  }

  // rows (taps..., c), steps of k (n, p...)
  void addWeightDigits(KernelFunction &function, Contraction &c) {
    c.depth.push_back({function.size(output, 0), x[0], y[0]});
    for (int64_t i = 0; i < axes.spatialRank(); ++i) {
      int64_t axis = axes.spatial(i);
      c.rows.push_back({constant(weightSizes[axes.kernel(i)]), x[axis] * window.dilations[i]});
      c.depth.push_back({function.size(output, axis), x[axis] * window.strides[i], y[axis]});
    }
    c.rows.push_back({constant(inputsOfGroup), constant(1)});
    c.rhsStride = constant(weightSizes.back());
  }

  // rows (n, q...), steps of k (taps of the phase..., o); the taps are those of the first phase
  void addInputDigits(KernelFunction &function, Contraction &c) {
    c.rows.push_back({function.size(input, 0), y[0]});
    for (int64_t i = 0; i < axes.spatialRank(); ++i) {
      int64_t axis = axes.spatial(i);
      Int size(*b, function.size(input, axis));
      c.rows.push_back({roundedUpQuotient(size, window.strides[i]), y[axis]});
      c.depth.push_back({constant(phased[i].phases[0].taps), y[axis] * phased[i].positionStep,
                         constant(-phased[i].tapStep * weightStride(axes.kernel(i)))});
    }
    int64_t step = packed ? kLanes : 1;
    c.depth.push_back({constant(outputsOfGroup), constant(1), constant(step)});
    c.transposeRhs = true;
    addWeightRhs(c);
  }

  /// A number of the phase of a residue.
  Int chosen(ArrayRef<Phase> phases, int64_t Phase::*field, Int residue) {
    Int value = constant(phases.back().*field);
    for (int64_t i = static_cast<int64_t>(phases.size()) - 2; i >= 0; --i) {
      Int other = constant(phases[i].*field);
      if (value.constant() == other.constant())
        continue;
      value = {*b, b->createOrFold<arith::SelectOp>(residue == constant(i), other, value)};
    }
    return value;
  }

  ConvolutionOpInterface op;
  ConvolutionWindow window;
  ConvolutionAxes axes;
  TypedValue<RankedTensorType> input, weight, output;
  Value result, packed; ///< `packed`: what the weight is unpacked from, or null.
  bool inFours = false;
  bool leavesOutMargins = false;
  bool batchLast = false; ///< Rows are (p..., n), not (n, p...).
  int64_t groups, inputsOfGroup, outputsOfGroup;
  SmallVector<PhasedAxis> phased; ///< One a spatial axis, if the input is made.
  // The code:
  ImplicitLocOpBuilder *b = nullptr;
  SmallVector<Int> x, y; ///< Strides.
  SmallVector<int64_t> weightSizes;
  SmallVector<Int> rowExtents, phases;
  std::optional<Int> firstColumn;
};

} // namespace

SmallVector<Int> mlir::gen::kernels::stridesOf(KernelFunction &function, Value tensor) {
  int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank();
  SmallVector<Int> strides(rank, Int(function.b, 1));
  for (int64_t axis = rank - 1; axis-- > 0;)
    strides[axis] = strides[axis + 1] * Int(function.b, function.size(tensor, axis + 1));
  return strides;
}

std::unique_ptr<Products> mlir::gen::kernels::convolutionProducts(ConvolutionOpInterface op) {
  return std::make_unique<ConvolutionProducts>(op);
}
