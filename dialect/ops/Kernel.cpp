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

LogicalResult KernelOp::verify() {
  for (BlockArgument argument : getBody().getArguments())
    if (!isa<RankedTensorType, IndexType>(argument.getType()))
      return emitOpError("expected arguments that are tensors or sizes (C1), got ")
             << argument.getType() << " at " << argument.getArgNumber();
  if (!llvm::is_contained({"attention", "contraction", "reduction", "scatter", "pointwise"},
                          getFamily()))
    return emitOpError("expected family \"attention\", \"contraction\", \"reduction\", "
                       "\"scatter\" or \"pointwise\" (C2), got ")
           << getFamilyAttr();
  return success();
}

//===----------------------------------------------------------------------===//
// LaunchOp
//===----------------------------------------------------------------------===//

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto kernel = symbols.lookupNearestSymbolFrom<KernelOp>(*this, getKernelAttr());
  if (!kernel)
    return emitOpError("expected the name of a gen.kernel (C1), got ") << getKernelAttr();
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
