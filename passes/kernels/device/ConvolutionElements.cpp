//===- ConvolutionElements.cpp - convolutions as products -----------------===//
//
// The digits of a row and of k are positions, taps and channels (ProductElements.h). Taps are
// constants, so are their numbers in a phase.
//
//===----------------------------------------------------------------------===//

#include "dialect/ops/Convolution.h"
#include "passes/kernels/Phases.h"
#include "passes/kernels/device/ProductElements.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

namespace {

class ConvolutionElements : public ProductElements {
public:
  ConvolutionElements(KernelFunction &function, ConvolutionOpInterface op)
      : ProductElements(function, cast<ContractionOpInterface>(op.getOperation())),
        window(ConvolutionWindow::of(op)), axes(window.axes()), input(op.getInput()),
        weight(op.getWeight()), output(op.getOutput()),
        makesInput(op->getResult(0) == op.getInput()),
        makesWeight(op->getResult(0) == op.getWeight()) {
    ArrayRef<int64_t> shape = op.getWeight().getType().getShape();
    inputsOfGroup = shape[axes.inputChannels()];
    outputsOfGroup = shape[axes.outputChannels()] / window.groups;
    for (int64_t i = 0; makesInput && i < axes.spatialRank(); ++i)
      phased.push_back(PhasedAxis(window, i, shape[axes.kernel(i)]));
  }

  Int count() override {
    int64_t number = window.groups;
    for (const PhasedAxis &axis : phased)
      number *= static_cast<int64_t>(axis.phases.size());
    return {b, number};
  }
  Int rows() override { return product(rowExtents()); }
  Int columns() override { return {b, makesInput ? inputsOfGroup : outputsOfGroup}; }
  Int depth() override { return product(depthExtents()); }

  void moveTo(Int number) override {
    SmallVector<Int> extents;
    for (const PhasedAxis &axis : phased)
      extents.push_back(Int(b, static_cast<int64_t>(axis.phases.size())));
    extents.push_back(Int(b, window.groups));
    residues = digits(number, extents);
    group = residues.pop_back_val();
  }

  SmallVector<Int> outerDigits(unsigned operand, Int outer) override {
    return operand == 0 ? digits(outer, rowExtents()) : SmallVector<Int>{outer};
  }
  SmallVector<Int> depthDigits(Int k) override { return digits(k, depthExtents()); }

  Place lhs(ArrayRef<Int> fixed, ArrayRef<Int> moved) override {
    if (makesInput)
      return placeOfOutput(fixed, moved);
    if (makesWeight) // the row is taps and a channel, k a position
      std::swap(fixed, moved);
    Place place{{{fixed.front(), Index::Uniform}}, Value()};
    for (int64_t i = 0; i < axes.spatialRank(); ++i)
      append(place, fixed[axes.spatial(i)] * window.strides[i] + moved[i] * window.dilations[i]);
    append(place, *group * inputsOfGroup + moved.back());
    return place;
  }

  Place rhs(ArrayRef<Int> column, ArrayRef<Int> k) override {
    Place place;
    if (!makesInput) {
      for (Int digit : k)
        append(place, digit);
      append(place, *group * outputsOfGroup + column[0]);
      return place;
    }
    for (int64_t i = 0; i < axes.spatialRank(); ++i)
      append(place, chosen(i, &Phase::tap) - k[i] * phased[i].tapStep);
    append(place, column[0]);
    append(place, *group * outputsOfGroup + k.back());
    return place;
  }

  bool isContiguousAlongDepth(unsigned operand) override {
    return operand == 0 ? !makesWeight : makesInput;
  }

  Int contiguousExtent(unsigned operand) override { // of a group's channels
    return {b, operand == 0 && !makesInput ? inputsOfGroup : outputsOfGroup};
  }

  void atResult(Int row, Int column, llvm::function_ref<void(const Indices &)> body) override {
    SmallVector<Int> at = digits(row, rowExtents());
    Value exists;
    for (auto [i, residue] : llvm::enumerate(residues)) {
      int64_t axis = axes.spatial(static_cast<int64_t>(i)), stride = window.strides[i];
      at[axis] = at[axis] * stride + residue;
      if (stride != 1 && !(size(input, axis) % stride).is(0))
        exists = both(exists, at[axis] < size(input, axis));
    }
    Int channels(b, makesInput ? inputsOfGroup : outputsOfGroup);
    Place place;
    for (Int index : at)
      append(place, index);
    append(place, *group * channels + column);
    if (!exists)
      return body(place.at);
    auto branch = scf::IfOp::create(b, exists, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    body(place.at);
  }

private:
  /// (n, p...), (taps..., c) or (n, q...).
  SmallVector<Int> rowExtents() {
    if (makesWeight)
      return taps();
    SmallVector<Int> extents{size(makesInput ? input : output, 0)};
    for (int64_t i = 0; i < axes.spatialRank(); ++i)
      extents.push_back(makesInput
                            ? roundedUpQuotient(size(input, axes.spatial(i)), window.strides[i])
                            : size(output, axes.spatial(i)));
    return extents;
  }

  /// (taps..., c), (n, p...) or (taps of the phase..., o).
  SmallVector<Int> depthExtents() {
    SmallVector<Int> extents;
    if (makesWeight) {
      for (int64_t axis = 0; axis <= axes.spatialRank(); ++axis)
        extents.push_back(size(output, axis));
    } else if (makesInput) {
      for (int64_t i = 0; i < axes.spatialRank(); ++i)
        extents.push_back(chosen(i, &Phase::taps));
      extents.push_back(Int(b, outputsOfGroup));
    } else {
      return taps();
    }
    return extents;
  }

  SmallVector<Int> taps() {
    SmallVector<Int> extents;
    for (int64_t i = 0; i < axes.spatialRank(); ++i)
      extents.push_back(size(weight, axes.kernel(i)));
    extents.push_back(Int(b, inputsOfGroup));
    return extents;
  }

  /// Where the taps of a phase meet the output.
  Place placeOfOutput(ArrayRef<Int> row, ArrayRef<Int> k) {
    Place place{{{row.front(), Index::Uniform}}, Value()};
    for (int64_t i = 0; i < axes.spatialRank(); ++i) {
      Int position =
          row[axes.spatial(i)] + chosen(i, &Phase::position) + k[i] * phased[i].positionStep;
      append(place, position);
      place.exists = both(place.exists, Int(b, 0) <= position);
      place.exists = both(place.exists, position < size(output, axes.spatial(i)));
    }
    append(place, *group * outputsOfGroup + k.back());
    return place;
  }

  /// A number of the phase of the current product. Before there is one, of the first.
  Int chosen(int64_t i, int64_t Phase::*field) {
    ArrayRef<Phase> phases = phased[i].phases;
    Int value(b, phases.front().*field);
    for (size_t residue = 1; residue < phases.size() && !residues.empty(); ++residue) {
      Int other(b, phases[residue].*field);
      if (value.constant() != other.constant())
        value = {b, b.createOrFold<arith::SelectOp>(
                        residues[i] == Int(b, static_cast<int64_t>(residue)), other, value)};
    }
    return value;
  }

  Int product(ArrayRef<Int> extents) {
    Int result(b, 1);
    for (Int extent : extents)
      result = result * extent;
    return result;
  }
  Value both(Value x, Value y) { return x ? b.createOrFold<arith::AndIOp>(x, y) : y; }
  static void append(Place &place, Int index) { place.at.push_back({index, Index::Uniform}); }

  ConvolutionWindow window;
  ConvolutionAxes axes;
  Value input, weight, output;
  bool makesInput, makesWeight;
  int64_t inputsOfGroup, outputsOfGroup;
  SmallVector<PhasedAxis> phased; ///< One a spatial axis, if the input is made.
  SmallVector<Int> residues;      ///< Of the current product's phase.
  std::optional<Int> group;
};

} // namespace

std::unique_ptr<ProductElements>
mlir::gen::kernels::convolutionElements(KernelFunction &function, ConvolutionOpInterface op) {
  return std::make_unique<ConvolutionElements>(function, op);
}
