//===- State.cpp - variables, gradients -----------------------------------===//

#include "dialect/Gen.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace mlir::gen;

#define GET_OP_CLASSES
#include "dialect/ops/State.cpp.inc"

//===----------------------------------------------------------------------===//
// VariableOp
//===----------------------------------------------------------------------===//

LogicalResult VariableOp::verify() {
  auto type = cast<RankedTensorType>(getType());
  if (!type.hasStaticShape())
    return emitOpError("expected a static shape (C1), got ") << type;
  if (getValue() && getValue()->getShapedType() != type)
    return emitOpError("expected a value of the variable's type ")
           << type << " (C2), got " << getValue()->getShapedType();
  return success();
}

//===----------------------------------------------------------------------===//
// ReadOp, AssignOp
//===----------------------------------------------------------------------===//

/// (C1) The symbol is a variable. (C2) The type is its type.
static LogicalResult verifyVariable(Operation *op, FlatSymbolRefAttr name, Type type,
                                    SymbolTableCollection &symbols) {
  auto variable = symbols.lookupNearestSymbolFrom<VariableOp>(op, name);
  if (!variable)
    return op->emitOpError("expected the name of a gen.variable (C1), got ") << name;
  if (variable.getType() == type)
    return success();
  InFlightDiagnostic error = op->emitOpError("expected the type of variable ")
                             << name << ", " << variable.getType() << " (C2), got " << type;
  error.attachNote(variable.getLoc()) << "declared here";
  return error;
}

LogicalResult ReadOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyVariable(*this, getVariableAttr(), getType(), symbols);
}

StringRef ReadOp::whyNotDifferentiable() {
  return "a variable depends on no value of the function";
}

LogicalResult ReadOp::evaluate(EvaluationContext &context, ArrayRef<Array>,
                               SmallVectorImpl<Array> &results) {
  const Array *variable = context.variable(getVariable());
  if (!variable)
    return emitOpError("expected the name of a variable, got @") << getVariable();
  results.push_back(*variable);
  return success();
}

LogicalResult AssignOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyVariable(*this, getVariableAttr(), getValue().getType(), symbols);
}

StringRef AssignOp::whyNotDifferentiable() { return "it has no result"; }

LogicalResult AssignOp::evaluate(EvaluationContext &context, ArrayRef<Array> operands,
                                 SmallVectorImpl<Array> &) {
  Array *variable = context.variable(getVariable());
  if (!variable)
    return emitOpError("expected the name of a variable, got @") << getVariable();
  *variable = operands[0];
  return success();
}

//===----------------------------------------------------------------------===//
// GradientOp
//===----------------------------------------------------------------------===//

LogicalResult GradientOp::verify() {
  if (getOutput().getType().getRank() != 0)
    return emitOpError("expected a scalar output (C1), got ") << getOutput().getType();
  if (getInputs().getTypes() != getGradients().getTypes())
    return emitOpError("expected gradients of the inputs' types ")
           << getInputs().getTypes() << " (C2), got " << getGradients().getTypes();
  return success();
}
