//===- ResolveDimensions.cpp - dynamic sizes by symbol --------------------===//
//
// In:   %n = tensor.dim %sum, %c0                 (the size of some op's result)
// Out:  %n = tensor.dim %x, %c0                   (the size of the first argument that has the
// symbol)
//
// Arguments with one symbol share one `tensor.dim` at the top of the entry, and sizes of results
// are traced to them. So equal sizes are equal values from here on, and an op on which different
// sizes meet is found.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gen.h"
#include "passes/Loops.h"
#include "passes/Passes.h"
#include "passes/Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::gen {
#define GEN_PASS_DEF_RESOLVEDIMENSIONS
#include "passes/Passes.h.inc"

namespace {

using ArgumentSizes = llvm::DenseMap<std::pair<Value, int64_t>, Value>;

/// Makes one `tensor.dim` for each dimension symbol of the entry.
ArgumentSizes makeArgumentSizes(func::FuncOp function) {
  OpBuilder b = OpBuilder::atBlockBegin(&function.getBody().front());
  ArgumentSizes sizes;
  llvm::StringMap<Value> symbols;
  for (BlockArgument argument : function.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type)
      continue;
    auto names = function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), kDimensionsAttr);
    for (int64_t axis = 0; axis < type.getRank(); ++axis) {
      if (!type.isDynamicDim(axis))
        continue;
      StringRef name = names ? cast<StringAttr>(names[axis]).getValue() : StringRef();
      Value &own = sizes[{argument, axis}];
      Value &size = name.empty() ? own : symbols[name];
      if (!size)
        size = tensor::DimOp::create(b, function.getLoc(), argument, axis);
      own = size;
    }
  }
  return sizes;
}

/// Elementwise operands that are not repeated have to agree with the result in every size.
LogicalResult verifySizes(PointwiseOpInterface op, Sizes &sizes) {
  auto resultType = cast<RankedTensorType>(op->getResult(0).getType());
  for (Value operand : op->getOperands()) {
    auto type = dyn_cast<RankedTensorType>(operand.getType());
    for (int64_t axis = 0; type && axis < type.getRank(); ++axis) {
      int64_t resultAxis = resultType.getRank() - type.getRank() + axis;
      if (!type.isDynamicDim(axis) && !resultType.isDynamicDim(resultAxis))
        continue;
      if (type.getDimSize(axis) == 1)
        continue;
      OpFoldResult expected = sizes.get(op->getResult(0), resultAxis),
                   got = sizes.get(operand, axis);
      if (!expected || !got || !Sizes::equal(expected, got))
        return op->emitOpError()
               << "expected operands whose sizes are equal in every call, but axis " << axis
               << " of " << type << " may differ from that of " << resultType
               << "; hint: give both dimensions the same name";
    }
  }
  return success();
}

/// Memory is planned before a call: no size may change from step to step.
LogicalResult verifyInvariantSizes(Operation *op, Sizes &sizes) {
  if (!op->getParentOfType<scf::ForOp>())
    return success();
  for (Value result : op->getResults()) {
    auto type = dyn_cast<RankedTensorType>(result.getType());
    for (int64_t axis = 0; type && axis < type.getRank(); ++axis) {
      auto size = dyn_cast_if_present<Value>(type.isDynamicDim(axis) ? sizes.get(result, axis)
                                                                     : OpFoldResult());
      if (size && !isInvariant(size))
        return op->emitOpError("expected sizes that are the same in every step of the loop, but "
                               "axis ")
               << axis << " of " << type << " is not";
    }
  }
  return success();
}

/// What a loop carries keeps its sizes.
LogicalResult verifyCarriedSizes(scf::ForOp loop, Sizes &sizes) {
  for (auto [number, init, next] : llvm::enumerate(loop.getInits(), loop.getYieldedValues())) {
    auto type = dyn_cast<RankedTensorType>(init.getType());
    for (int64_t axis = 0; type && axis < type.getRank(); ++axis) {
      if (!type.isDynamicDim(axis))
        continue;
      OpFoldResult before = sizes.get(init, axis), after = sizes.get(next, axis);
      if (!before || !after || !Sizes::equal(before, after))
        return loop.emitOpError(
                   "expected values that keep their sizes from step to step, but axis ")
               << axis << " of carried value " << number << ", " << type
               << ", may change; hint: give both dimensions the same name";
    }
  }
  return success();
}

struct ResolveDimensions : impl::ResolveDimensionsBase<ResolveDimensions> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    SmallVector<tensor::DimOp> dims;
    function.walk([&](tensor::DimOp dim) { dims.push_back(dim); });
    ArgumentSizes arguments = makeArgumentSizes(function);
    auto makeSizes = [&] {
      return Sizes([&](Value tensor, int64_t axis) { return arguments.lookup({tensor, axis}); });
    };
    for (tensor::DimOp dim : dims) {
      Sizes sizes = makeSizes(); // that of the last one may hold values that are erased now
      std::optional<int64_t> axis = dim.getConstantIndex();
      OpFoldResult size = axis ? sizes.get(dim.getSource(), *axis) : OpFoldResult();
      if (!size) {
        dim.emitOpError("expected the size of a value that is computed from the entry's arguments");
        return signalPassFailure();
      }
      OpBuilder b(dim);
      dim.replaceAllUsesWith(getValueOrCreateConstantIndexOp(b, dim.getLoc(), size));
      dim.erase();
    }
    Sizes sizes = makeSizes();
    WalkResult walked = function.walk([&](PointwiseOpInterface op) {
      // An op with size operands (gen.broadcast) says itself how its axes meet.
      bool broadcasts = op.isElementwise() &&
                        llvm::all_of(op->getOperandTypes(), llvm::IsaPred<RankedTensorType>);
      return broadcasts && failed(verifySizes(op, sizes)) ? WalkResult::interrupt()
                                                          : WalkResult::advance();
    });
    walked = walked.wasInterrupted() ? walked : function.walk([&](Operation *op) {
      auto loop = dyn_cast<scf::ForOp>(op);
      return failed(verifyInvariantSizes(op, sizes)) ||
                     (loop && failed(verifyCarriedSizes(loop, sizes)))
                 ? WalkResult::interrupt()
                 : WalkResult::advance();
    });
    if (walked.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
} // namespace mlir::gen
