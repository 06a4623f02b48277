//===- Gen.cpp - the gen dialect ------------------------------------------===//

#include "dialect/Gen.h"
#include "dialect/Canonicalization.h"
#include "dialect/ops/Winograd.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Transforms/InliningUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::gen;

#include "dialect/GenDialect.cpp.inc"
#include "dialect/GenEnums.cpp.inc"
#include "dialect/GenInterfaces.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialect/GenAttributes.cpp.inc"

namespace {
/// Any op may move into the caller.
struct GenInlinerInterface : DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;
  bool isLegalToInline(Operation *, Region *, bool, IRMapping &) const final { return true; }
};
} // namespace

void GenDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialect/GenAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialect/ops/Attention.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialect/ops/Elementwise.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialect/ops/Shape.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialect/ops/Sequence.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialect/ops/Reduction.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialect/ops/Contraction.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialect/ops/Convolution.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialect/ops/Normalization.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialect/ops/Indexing.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialect/ops/Loss.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialect/ops/Pooling.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialect/ops/Winograd.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialect/ops/Random.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialect/ops/State.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialect/ops/Kernel.cpp.inc"
      >();
  addInterfaces<GenInlinerInterface>();
}

Operation *GenDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type,
                                           Location loc) {
  if (auto elements = dyn_cast<ElementsAttr>(value); elements && elements.getType() == type)
    return ConstantOp::create(builder, loc, elements);
  return arith::ConstantOp::materialize(builder, value, type, loc);
}

void GenDialect::getCanonicalizationPatterns(RewritePatternSet &patterns) const {
  populateElementwisePatterns(patterns);
  populateReductionPatterns(patterns);
  populateShapePatterns(patterns);
}
