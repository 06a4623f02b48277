//===- Elementwise.td - elementwise ops -----------------------------------===//
//
// Elementwise ops broadcast as NumPy does: shapes are aligned at their last axes, and an axis of static size 1, or a
// missing one, is repeated. Dynamic sizes that meet have to be equal.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_ELEMENTWISE_TD
#define GEN_ELEMENTWISE_TD

include "dialect/Gen.td"

/// What all elementwise ops share is defined here, once. An op states its formula twice, on plain numbers (`compute`, the
/// reference) and on SSA values (`emitElement`, the kernel), and its derivative.
class Gen_ElementwiseOp<string mnemonic, list<Trait> traits = []> : Gen_PointwiseOp<mnemonic, traits> {
  /// Cost of an element, in additions.
  int cost = 1;
  /// What `compute` works on.
  code formula = [{
    /// One element by reference semantics, in double or int64_t.
    template <typename T> T compute(::llvm::ArrayRef<T> operands);
  }];
  /// 1 for ops with algebraic folds: a method `simplify`.
  bit simplifies = 0;
  /// Shape inference and verification.
  code inference = "";

  let extraClassDeclaration = formula # [{
    /// Emits one element on scalars or vectors of lanes.
    ::mlir::Value emitElement(::mlir::ImplicitLocOpBuilder &b, ::mlir::ValueRange operands);
    int64_t elementCost() { return }] # cost # [{; }
  }] # !if(simplifies, [{
    /// Folds by algebra; null if there is nothing to do.
    ::mlir::OpFoldResult simplify(::llvm::ArrayRef<::mlir::Attribute> constants);
  }], "");
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::evaluate(EvaluationContext &, ::llvm::ArrayRef<Array> operands,
                                              ::llvm::SmallVectorImpl<Array> &results) {
      return evaluateElementwise(*this, operands, results);
    }
    ::mlir::Value $cppClass::emitAt(ElementEmitter &emitter, Indices at) {
      return emitElement(emitter.b, operandElements(*this, emitter, at));
    }
    ::llvm::LogicalResult $cppClass::reifyResultShapes(::mlir::OpBuilder &b,
                                                       ::mlir::ReifiedRankedShapedTypeDims &shapes) {
      return reifyBroadcast(*this, b, shapes);
    }
    ::mlir::OpFoldResult $cppClass::fold(FoldAdaptor adaptor) {
  }] # !if(simplifies, [{
      if (::mlir::OpFoldResult simple = simplify(adaptor.getOperands()))
        return simple;
  }], "") # [{
      return foldConstants(*this, adaptor.getOperands());
    }
  }] # inference;
  let hasFolder = 1;
}

/// Shape by broadcasting.
class Gen_BroadcastingOp<string mnemonic, list<Trait> traits = []>
    : Gen_ElementwiseOp<mnemonic, !listconcat([
        DeclareOpInterfaceMethods<InferTypeOpInterface, ["refineReturnTypes"]>], traits)> {
  /// The element type of the result, from `operands`.
  code resultElementType = "::mlir::getElementTypeOrSelf(operands.back())";
  /// How many leading operands have an element type of their own.
  int conditions = 0;
  let inference = [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *context, ::std::optional<::mlir::Location> location, ::mlir::ValueRange operands,
        ::mlir::DictionaryAttr, ::mlir::OpaqueProperties, ::mlir::RegionRange, ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      return inferBroadcast(getOperationName(), location, operands, }] # resultElementType # [{, types);
    }
    ::llvm::LogicalResult $cppClass::verify() {
      [[maybe_unused]] ::mlir::MLIRContext *context = getContext();
      ::mlir::ValueRange operands = getOperation()->getOperands();
      return verifyBroadcast(*this, operands.drop_front(}] # conditions # [{), }] # resultElementType # [{);
    }
    // The verifier compares the types, with a better message.
    ::llvm::LogicalResult $cppClass::refineReturnTypes(
        ::mlir::MLIRContext *, ::std::optional<::mlir::Location>, ::mlir::ValueRange, ::mlir::DictionaryAttr,
        ::mlir::OpaqueProperties, ::mlir::RegionRange, ::llvm::SmallVectorImpl<::mlir::Type> &) {
      return ::mlir::success();
    }
  }];
  let hasVerifier = 1;
}

/// f(x), type preserved.
class Gen_UnaryOp<string mnemonic, Type type, list<Trait> traits = []>
    : Gen_ElementwiseOp<mnemonic, !listconcat([SameOperandsAndResultType], traits)> {
  let arguments = (ins type:$input);
  let results = (outs type:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
}
class Gen_FloatUnaryOp<string mnemonic, list<Trait> traits = []>
    : Gen_UnaryOp<mnemonic, Gen_FloatTensor,
                  !listconcat([DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>], traits)> {
  let formula = "double compute(::llvm::ArrayRef<double> operands);";
  let cost = 20;
}

/// f(x, y) of one element type.
class Gen_BinaryOp<string mnemonic, Type type, list<Trait> traits = []> : Gen_BroadcastingOp<mnemonic, traits> {
  let arguments = (ins type:$lhs, type:$rhs);
  let results = (outs type:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` `(` type($lhs) `,` type($rhs) `)` `->` type($result)";
}
class Gen_NumberBinaryOp<string mnemonic, list<Trait> traits = []>
    : Gen_BinaryOp<mnemonic, Gen_NumberTensor,
                   !listconcat([DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>], traits)>;

def Gen_NegOp : Gen_UnaryOp<"neg", Gen_NumberTensor, [DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>]> {
  let summary = "-x"; let simplifies = 1;
}
def Gen_AbsOp : Gen_UnaryOp<"abs", Gen_NumberTensor, [DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>]> {
  let summary = "|x|";
}
def Gen_SignOp : Gen_UnaryOp<"sign", Gen_NumberTensor, [DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>]> {
  let summary = "-1, 0 or 1 by the sign of x (NaN stays NaN)";
}
def Gen_ExpOp : Gen_FloatUnaryOp<"exp"> { let summary = "e to the power of x"; }
def Gen_LogOp : Gen_FloatUnaryOp<"log"> { let summary = "natural logarithm of x"; }
def Gen_Log1pOp : Gen_FloatUnaryOp<"log1p"> { let summary = "log(1 + x), exact near 0"; }
def Gen_SqrtOp : Gen_FloatUnaryOp<"sqrt"> { let summary = "square root of x"; }
def Gen_RsqrtOp : Gen_FloatUnaryOp<"rsqrt"> { let summary = "1 / sqrt(x)"; }
def Gen_TanhOp : Gen_FloatUnaryOp<"tanh"> { let summary = "hyperbolic tangent of x"; }
def Gen_SigmoidOp : Gen_FloatUnaryOp<"sigmoid"> { let summary = "logistic function 1 / (1 + exp(-x))"; }
def Gen_ErfOp : Gen_FloatUnaryOp<"erf"> { let summary = "Gauss error function of x"; }
def Gen_SinOp : Gen_FloatUnaryOp<"sin"> { let summary = "sine of x (radians)"; }
def Gen_CosOp : Gen_FloatUnaryOp<"cos"> { let summary = "cosine of x (radians)"; }
def Gen_ReluOp : Gen_FloatUnaryOp<"relu"> { let summary = "max(x, 0), gradient 0 at 0"; let cost = 1; }
def Gen_LeakyReluOp : Gen_FloatUnaryOp<"leaky_relu"> {
  let cost = 2;
  let summary = "x where x > 0, else slope * x";
  let arguments = (ins Gen_FloatTensor:$input, F64Attr:$slope);
  let assemblyFormat = "$input `slope` $slope attr-dict `:` type($input)";
  let hasVerifier = 1;
}
def Gen_NotOp : Gen_UnaryOp<"not", Gen_BoolTensor, [DeclareOpInterfaceMethods<Gen_NotDifferentiableOpInterface>]> {
  let summary = "logical not"; let simplifies = 1;
  let formula = "int64_t compute(::llvm::ArrayRef<int64_t> operands);";
}

def Gen_AddOp : Gen_NumberBinaryOp<"add", [Commutative]> { let summary = "x + y"; let simplifies = 1; }
def Gen_SubOp : Gen_NumberBinaryOp<"sub"> { let summary = "x - y"; let simplifies = 1; }
def Gen_MulOp : Gen_NumberBinaryOp<"mul", [Commutative]> { let summary = "x * y"; let simplifies = 1; }
def Gen_DivOp : Gen_NumberBinaryOp<"div"> { let summary = "x / y"; let simplifies = 1; }
def Gen_MaxOp : Gen_NumberBinaryOp<"max", [Commutative]> { let summary = "the larger of x and y, NaN if one is"; }
def Gen_MinOp : Gen_NumberBinaryOp<"min", [Commutative]> { let summary = "the smaller of x and y, NaN if one is"; }
def Gen_PowOp : Gen_BinaryOp<"pow", Gen_FloatTensor, [DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>]> {
  let summary = "x to the power of y"; let simplifies = 1; let cost = 40;
  let formula = "double compute(::llvm::ArrayRef<double> operands);";
}
class Gen_LogicalOp<string mnemonic>
    : Gen_BinaryOp<mnemonic, Gen_BoolTensor, [Commutative, DeclareOpInterfaceMethods<Gen_NotDifferentiableOpInterface>]> {
  let formula = "int64_t compute(::llvm::ArrayRef<int64_t> operands);";
}
def Gen_AndOp : Gen_LogicalOp<"and"> { let summary = "logical and"; }
def Gen_OrOp : Gen_LogicalOp<"or"> { let summary = "logical or"; }

def Gen_ComparePredicate : I32EnumAttr<"ComparePredicate", "how two numbers are compared", [
    I32EnumAttrCase<"eq", 0>, I32EnumAttrCase<"ne", 1>, I32EnumAttrCase<"lt", 2>,
    I32EnumAttrCase<"le", 3>, I32EnumAttrCase<"gt", 4>, I32EnumAttrCase<"ge", 5>]> {
  let cppNamespace = "::mlir::gen";
  let genSpecializedAttr = 0;
}
def Gen_ComparePredicateAttr : EnumAttr<Gen_Dialect, Gen_ComparePredicate, "compare_predicate">;

def Gen_CompareOp : Gen_BroadcastingOp<"compare", [DeclareOpInterfaceMethods<Gen_NotDifferentiableOpInterface>]> {
  let summary = "compares x with y; false if one is NaN, but for `ne`";
  let arguments = (ins Gen_ComparePredicateAttr:$predicate, Gen_NumberTensor:$lhs, Gen_NumberTensor:$rhs);
  let results = (outs Gen_BoolTensor:$result);
  let resultElementType = "::mlir::IntegerType::get(context, 1)";
  let assemblyFormat = "$predicate $lhs `,` $rhs attr-dict `:` `(` type($lhs) `,` type($rhs) `)` `->` type($result)";
}
def Gen_SelectOp : Gen_BroadcastingOp<"select", [DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>]> {
  let summary = "on_true where condition holds, else on_false";
  let conditions = 1;
  let arguments = (ins Gen_BoolTensor:$condition, Gen_Tensor:$on_true, Gen_Tensor:$on_false);
  let results = (outs Gen_Tensor:$result);
  let assemblyFormat = [{
    $condition `,` $on_true `,` $on_false attr-dict `:` `(` type($condition) `,` type($on_true) `,` type($on_false) `)` `->` type($result)
  }];
  let simplifies = 1;
}
def Gen_CastOp : Gen_PointwiseOp<"cast", [DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>]> {
  let summary = "converts the element type";
  let arguments = (ins Gen_Tensor:$input);
  let results = (outs Gen_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}
def Gen_StopGradientOp : Gen_UnaryOp<"stop_gradient", Gen_Tensor,
    [DeclareOpInterfaceMethods<Gen_NotDifferentiableOpInterface>, DeclareOpInterfaceMethods<Gen_DecomposableOpInterface>]> {
  let summary = "x, constant to gradients";
}

#endif // GEN_ELEMENTWISE_TD
