//===- Kernel.cpp - kernels and their launches ----------------------------===//

#include "dialect/Gen.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/FunctionImplementation.h"

using namespace mlir;
using namespace mlir::gen;

#define GET_OP_CLASSES
#include "dialect/ops/Kernel.cpp.inc"

//===----------------------------------------------------------------------===//
// KernelOp
//===----------------------------------------------------------------------===//

static YieldOp terminatorOf(KernelOp kernel) {
  return cast<YieldOp>(kernel.getBody().front().getTerminator());
}

// gen.kernel @name(%x: tensor<...>, ...) -> (tensor<...>) family "..." schedule {...} { ... }
ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  StringAttr name, family;
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<Type> resultTypes;
  if (parser.parseSymbolName(name, getSymNameAttrName(result.name), result.attributes) ||
      parser.parseArgumentList(arguments, OpAsmParser::Delimiter::Paren, /*allowType=*/true) ||
      parser.parseOptionalArrowTypeList(resultTypes) || parser.parseKeyword("family") ||
      parser.parseAttribute(family, getFamilyAttrName(result.name), result.attributes))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("schedule"))) {
    DictionaryAttr schedule;
    if (parser.parseAttribute(schedule, getScheduleAttrName(result.name), result.attributes))
      return failure();
  }
  SMLoc bodyLocation = parser.getCurrentLocation();
  Region *body = result.addRegion();
  if (parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
      parser.parseRegion(*body, arguments))
    return failure();
  KernelOp::ensureTerminator(*body, parser.getBuilder(), result.location);
  Operation *terminator = body->front().getTerminator();
  if (!llvm::equal(terminator->getOperandTypes(), resultTypes))
    return parser.emitError(bodyLocation)
           << "expected gen.yield of " << resultTypes << ", got " << terminator->getOperandTypes();
  return success();
}

void KernelOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printSymbolName(getSymName());
  printer << '(';
  llvm::interleaveComma(getBody().getArguments(), printer,
                        [&](BlockArgument argument) { printer.printRegionArgument(argument); });
  printer << ')';
  printer.printOptionalArrowTypeList(terminatorOf(*this).getOperandTypes());
  printer << " family ";
  printer.printAttributeWithoutType(getFamilyAttr());
  if (DictionaryAttr schedule = getScheduleAttr())
    printer << " schedule " << schedule;
  printer.printOptionalAttrDictWithKeyword(
      (*this)->getAttrs(), {getSymNameAttrName(), getFamilyAttrName(), getScheduleAttrName()});
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

/// A group launches, and nothing else does.
static LogicalResult verifyLaunches(KernelOp kernel) {
  bool isGroup = kernel.getFamily() == "group";
  SmallVector<Value> computed;
  for (Operation &op : kernel.getBody().front().without_terminator()) {
    if (isa<LaunchOp>(op) != isGroup)
      return op.emitOpError("expected ")
             << (isGroup ? "launches only in a kernel of family \"group\""
                         : "launches only in a kernel of family \"group\", which this is not")
             << " (C3)";
    for (Value operand : op.getOperands())
      if (isGroup && !isa<BlockArgument>(operand))
        return op.emitOpError("expected arguments of the group, since its launches do not depend "
                              "on each other (C3)");
    llvm::append_range(computed, op.getResults());
  }
  if (isGroup && ValueRange(computed) != terminatorOf(kernel).getOperands())
    return kernel.emitOpError("expected a group to yield all that it launches, in order (C3)");
  return success();
}

LogicalResult KernelOp::verify() {
  for (BlockArgument argument : getBody().getArguments())
    if (!isa<RankedTensorType, IndexType>(argument.getType()))
      return emitOpError("expected arguments that are tensors or sizes (C1), got ")
             << argument.getType() << " at " << argument.getArgNumber();
  if (!llvm::is_contained(
          {"attention", "contraction", "reduction", "scatter", "pointwise", "group"}, getFamily()))
    return emitOpError("expected family \"attention\", \"contraction\", \"reduction\", "
                       "\"scatter\", \"pointwise\" or \"group\" (C2), got ")
           << getFamilyAttr();
  return verifyLaunches(*this);
}

//===----------------------------------------------------------------------===//
// LaunchOp
//===----------------------------------------------------------------------===//

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto kernel = symbols.lookupNearestSymbolFrom<KernelOp>(*this, getKernelAttr());
  if (!kernel)
    return emitOpError("expected the name of a gen.kernel (C1), got ") << getKernelAttr();
  if (kernel.getFamily() == "group" && isa<KernelOp>((*this)->getParentOp()))
    return emitOpError("expected a group not to launch another one (C4), got ") << getKernelAttr();
  TypeRange arguments = kernel.getBody().getArgumentTypes();
  if (arguments != getArguments().getTypes())
    return emitOpError("expected arguments of kernel ")
           << getKernelAttr() << ", (" << arguments << ") (C2), got (" << getArguments().getTypes()
           << ")";
  TypeRange results = terminatorOf(kernel).getOperandTypes();
  if (results != getResultTypes())
    return emitOpError("expected results of kernel ")
           << getKernelAttr() << ", (" << results << ") (C3), got (" << getResultTypes() << ")";
  return success();
}

LogicalResult LaunchOp::evaluate(EvaluationContext &context, ArrayRef<Array> operands,
                                 SmallVectorImpl<Array> &results) {
  auto kernel = SymbolTable::lookupNearestSymbolFrom<KernelOp>(*this, getKernelAttr());
  return context.call(kernel, operands, results);
}
