//===- Scatter.cpp - one element of a scatter -----------------------------===//
//
// The sum of the updates of all places whose index names the element's row, in order. So nothing is
// added up in memory, no two threads meet, and the sum does not depend on who comes first.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/device/DeviceEmitter.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

static Value add(ImplicitLocOpBuilder &b, Value lhs, Value rhs) {
  if (isa<FloatType>(lhs.getType()))
    return arith::AddFOp::create(b, lhs, rhs);
  return arith::AddIOp::create(b, lhs, rhs);
}

Value mlir::gen::kernels::emitScatterElement(KernelFunction &function, Operation *scatter,
                                             const Indices &at) {
  ImplicitLocOpBuilder &b = function.b;
  Value indices = scatter->getOperand(0), updates = scatter->getOperand(1);
  Type element = getElementTypeOrSelf(scatter->getResult(0).getType());
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(element));
  SmallVector<Int> extents;
  for (int64_t axis = 0; axis < cast<RankedTensorType>(indices.getType()).getRank(); ++axis)
    extents.push_back(Int(b, function.size(indices, axis)));
  return emitFold(b, extents, zero, [&](ArrayRef<Int> place, Value sum) {
    KernelEmitter emitter(function, /*lanes=*/1);
    Indices where;
    for (Int index : place)
      where.push_back({index, Index::Uniform});
    Value row = emitter.elementAt(indices, where);
    if (row.getType() != b.getI64Type())
      row = arith::ExtSIOp::create(b, b.getI64Type(), row);
    auto branch =
        scf::IfOp::create(b, element, Int(b, row) == Int(b, at.front().value), /*withElse=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(b, sum);
    b.setInsertionPointToStart(branch.thenBlock());
    KernelEmitter inside(function, /*lanes=*/1);
    where.append(at.begin() + 1, at.end());
    scf::YieldOp::create(b, add(b, sum, inside.elementAt(updates, where)));
    return branch.getResult(0);
  });
}
