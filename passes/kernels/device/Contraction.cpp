//===- Contraction.cpp - one element of a product -------------------------===//
//
// The sum over all products, one after another, each with one rounding. Convolutions have their
// channels last; `k` are the taps of the weight, `p` the positions of the output.
//
//===----------------------------------------------------------------------===//

#include "dialect/ops/Convolution.h"
#include "passes/kernels/device/DeviceEmitter.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

namespace {

class ElementOfProduct {
public:
  ElementOfProduct(KernelFunction &function, ContractionOpInterface op, const Indices &at)
      : function(function), b(function.b), op(op), lhs(op->getOperand(0)), rhs(op->getOperand(1)) {
    for (const Index &index : at)
      this->at.push_back(Int(b, index.value));
  }

  Value emit() {
    auto convolution = dyn_cast<ConvolutionOpInterface>(op.getOperation());
    if (!convolution)
      return emitMatrixProduct();
    window.emplace(ConvolutionWindow::of(convolution));
    axes.emplace(window->axes());
    weight = convolution.getWeight();
    output = convolution.getOutput();
    if (op->getResult(0) == convolution.getInput())
      return emitInput();
    return op->getResult(0) == weight ? emitWeight() : emitOutput();
  }

private:
  Value emitMatrixProduct() {
    size_t rank = at.size();
    ArrayRef<Int> batch = ArrayRef(at).drop_back(2);
    Int row = at[rank - 2], column = at[rank - 1];
    bool isLhsTransposed = op.isLhsTransposed(), isRhsTransposed = op.isRhsTransposed();
    Int depth = size(lhs, static_cast<int64_t>(isLhsTransposed ? rank - 2 : rank - 1));
    return emitFold(b, {depth}, zero(), [&](ArrayRef<Int> k, Value sum) {
      SmallVector<Int> left(batch), right(batch);
      left.append(isLhsTransposed ? std::initializer_list<Int>{k[0], row}
                                  : std::initializer_list<Int>{row, k[0]});
      right.append(isRhsTransposed ? std::initializer_list<Int>{column, k[0]}
                                   : std::initializer_list<Int>{k[0], column});
      return addProduct(left, right, sum);
    });
  }

  /// [n, p..., o] += input [n, p * stride + k * dilation, c] * weight[k..., c, o]
  Value emitOutput() {
    Int channel = at.back(), group = channel / outputsOfGroup();
    SmallVector<Int> extents = taps();
    extents.push_back(size(weight, axes->inputChannels()));
    return emitFold(b, extents, zero(), [&](ArrayRef<Int> k, Value sum) {
      SmallVector<Int> input{at.front()}, tap(k);
      for (int64_t i = 0; i < axes->spatialRank(); ++i)
        input.push_back(at[axes->spatial(i)] * window->strides[i] + k[i] * window->dilations[i]);
      input.push_back(group * extents.back() + k.back());
      tap.push_back(channel);
      return addProduct(input, tap, sum);
    });
  }

  /// [k..., c, o] += input [n, p * stride + k * dilation, c] * output[n, p..., o]
  Value emitWeight() {
    Int channel = at.back(), group = channel / outputsOfGroup();
    Int inputChannel = at[axes->inputChannels()];
    SmallVector<Int> extents;
    for (int64_t axis = 0; axis <= axes->spatialRank(); ++axis)
      extents.push_back(size(output, axis));
    return emitFold(b, extents, zero(), [&](ArrayRef<Int> p, Value sum) {
      SmallVector<Int> input{p.front()}, position(p);
      for (int64_t i = 0; i < axes->spatialRank(); ++i)
        input.push_back(p[i + 1] * window->strides[i] + at[axes->kernel(i)] * window->dilations[i]);
      input.push_back(group * size(weight, axes->inputChannels()) + inputChannel);
      position.push_back(channel);
      return addProduct(input, position, sum);
    });
  }

  /// [n, s..., c] += output[n, p..., o] * weight[k..., c, o], where s = p * stride + k * dilation -
  /// low.
  Value emitInput() {
    Int inputs = size(weight, axes->inputChannels());
    Int group = at.back() / inputs, channel = at.back() % inputs;
    return emitFold(b, taps(), zero(), [&](ArrayRef<Int> k, Value sum) {
      SmallVector<Int> position{at.front()};
      Value exists = meetOutput(k, position);
      auto branch = scf::IfOp::create(b, sum.getType(), exists, /*withElseRegion=*/true);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(branch.elseBlock());
      scf::YieldOp::create(b, sum);
      b.setInsertionPointToStart(branch.thenBlock());
      Int outputs = outputsOfGroup();
      scf::YieldOp::create(b, emitFold(b, {outputs}, sum, [&](ArrayRef<Int> o, Value inner) {
                             SmallVector<Int> left(position), right(k);
                             left.push_back(group * outputs + o[0]);
                             right.append({channel, left.back()});
                             return addProduct(left, right, inner);
                           }));
      return branch.getResult(0);
    });
  }

  /// Adds the spatial indices of the output that tap `k` brings to this input. Returns whether
  /// there are such.
  Value meetOutput(ArrayRef<Int> k, SmallVector<Int> &position) {
    Value exists = arith::ConstantIntOp::create(b, 1, 1);
    for (int64_t i = 0; i < axes->spatialRank(); ++i) {
      int64_t stride = window->strides[i];
      Int distance = at[axes->spatial(i)] + window->low[i] - k[i] * window->dilations[i];
      position.push_back(distance / stride);
      for (Value holds : {Int(b, 0) <= distance, distance % stride == Int(b, 0),
                          position.back() < size(output, axes->spatial(i))})
        exists = b.createOrFold<arith::AndIOp>(exists, holds);
    }
    return exists;
  }

  SmallVector<Int> taps() {
    SmallVector<Int> extents;
    for (int64_t i = 0; i < axes->spatialRank(); ++i)
      extents.push_back(size(weight, axes->kernel(i)));
    return extents;
  }
  Int outputsOfGroup() { return size(weight, axes->outputChannels()) / window->groups; }
  Int size(Value tensor, int64_t axis) { return {b, function.size(tensor, axis)}; }

  Value zero() {
    return arith::ConstantOp::create(
        b, b.getZeroAttr(getElementTypeOrSelf(op->getResult(0).getType())));
  }

  Value addProduct(ArrayRef<Int> left, ArrayRef<Int> right, Value sum) {
    KernelEmitter emitter(function, /*lanes=*/1);
    auto element = [&](Value tensor, ArrayRef<Int> indices) {
      Indices where;
      for (Int index : indices)
        where.push_back({index, Index::Uniform});
      return emitter.elementAt(tensor, where);
    };
    Value x = element(lhs, left), y = element(rhs, right);
    return math::FmaOp::create(b, x, y, sum);
  }

  KernelFunction &function;
  ImplicitLocOpBuilder &b;
  ContractionOpInterface op;
  Value lhs, rhs;
  SmallVector<Int> at;
  // Of convolutions:
  std::optional<ConvolutionWindow> window;
  std::optional<ConvolutionAxes> axes;
  Value weight, output;
};

} // namespace

Value mlir::gen::kernels::emitContractionElement(KernelFunction &function,
                                                 ContractionOpInterface op, const Indices &at) {
  return ElementOfProduct(function, op, at).emit();
}
