//===- Elementwise.td - elementwise ops -----------------------------------===//
//
// Elementwise ops broadcast as NumPy does: shapes are aligned at their last axes, and an axis of static size 1, or a
// missing one, is repeated. Dynamic sizes that meet have to be equal.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_ELEMENTWISE_TD
#define GEN_ELEMENTWISE_TD

include "dialect/Gen.td"

/// Shape by broadcasting; `emitElement` computes one element from the operands' elements at the same index.
class Gen_ElementwiseOp<string mnemonic, list<Trait> traits = []>
    : Gen_PointwiseOp<mnemonic, !listconcat([DeclareOpInterfaceMethods<InferTypeOpInterface>], traits)> {
  code elementDecls = [{
    /// Emits the op on scalars or vectors of lanes.
    ::mlir::Value emitElement(::mlir::ImplicitLocOpBuilder &b, ::mlir::ValueRange operands);
  }];
  let extraClassDeclaration = elementDecls;
  let hasVerifier = 1;
}

/// f(x), type preserved.
class Gen_UnaryOp<string mnemonic, Type type, list<Trait> traits = []>
    : Gen_ElementwiseOp<mnemonic, !listconcat([SameOperandsAndResultType], traits)> {
  let arguments = (ins type:$input);
  let results = (outs type:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
  let hasVerifier = 0;
}
class Gen_FloatUnaryOp<string mnemonic, list<Trait> traits = []>
    : Gen_UnaryOp<mnemonic, Gen_FloatTensor,
                  !listconcat([DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>], traits)>;

/// f(x, y) of one element type.
class Gen_BinaryOp<string mnemonic, Type type, list<Trait> traits = []> : Gen_ElementwiseOp<mnemonic, traits> {
  let arguments = (ins type:$lhs, type:$rhs);
  let results = (outs type:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` `(` type($lhs) `,` type($rhs) `)` `->` type($result)";
}
class Gen_NumberBinaryOp<string mnemonic, list<Trait> traits = []>
    : Gen_BinaryOp<mnemonic, Gen_NumberTensor,
                   !listconcat([DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>], traits)>;

def Gen_NegOp : Gen_UnaryOp<"neg", Gen_NumberTensor, [DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>]> {
  let summary = "-x"; let hasFolder = 1;
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
def Gen_ReluOp : Gen_FloatUnaryOp<"relu"> { let summary = "max(x, 0), gradient 0 at 0"; }
def Gen_LeakyReluOp : Gen_FloatUnaryOp<"leaky_relu"> {
  let summary = "x where x > 0, else slope * x";
  let arguments = (ins Gen_FloatTensor:$input, F64Attr:$slope);
  let assemblyFormat = "$input `slope` $slope attr-dict `:` type($input)";
  let hasVerifier = 1;
}
def Gen_NotOp : Gen_UnaryOp<"not", Gen_BoolTensor, [DeclareOpInterfaceMethods<Gen_NotDifferentiableOpInterface>]> {
  let summary = "logical not"; let hasFolder = 1;
}

def Gen_AddOp : Gen_NumberBinaryOp<"add", [Commutative]> { let summary = "x + y"; let hasFolder = 1; }
def Gen_SubOp : Gen_NumberBinaryOp<"sub"> { let summary = "x - y"; let hasFolder = 1; }
def Gen_MulOp : Gen_NumberBinaryOp<"mul", [Commutative]> { let summary = "x * y"; let hasFolder = 1; }
def Gen_DivOp : Gen_NumberBinaryOp<"div"> { let summary = "x / y"; let hasFolder = 1; }
def Gen_MaxOp : Gen_NumberBinaryOp<"max", [Commutative]> { let summary = "the larger of x and y, NaN if one is"; }
def Gen_MinOp : Gen_NumberBinaryOp<"min", [Commutative]> { let summary = "the smaller of x and y, NaN if one is"; }
def Gen_PowOp : Gen_BinaryOp<"pow", Gen_FloatTensor, [DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>]> {
  let summary = "x to the power of y"; let hasFolder = 1;
}
class Gen_LogicalOp<string mnemonic>
    : Gen_BinaryOp<mnemonic, Gen_BoolTensor, [Commutative, DeclareOpInterfaceMethods<Gen_NotDifferentiableOpInterface>]>;
def Gen_AndOp : Gen_LogicalOp<"and"> { let summary = "logical and"; }
def Gen_OrOp : Gen_LogicalOp<"or"> { let summary = "logical or"; }

def Gen_ComparePredicate : I32EnumAttr<"ComparePredicate", "how two numbers are compared", [
    I32EnumAttrCase<"eq", 0>, I32EnumAttrCase<"ne", 1>, I32EnumAttrCase<"lt", 2>,
    I32EnumAttrCase<"le", 3>, I32EnumAttrCase<"gt", 4>, I32EnumAttrCase<"ge", 5>]> {
  let cppNamespace = "::mlir::gen";
  let genSpecializedAttr = 0;
}
def Gen_ComparePredicateAttr : EnumAttr<Gen_Dialect, Gen_ComparePredicate, "compare_predicate">;

def Gen_CompareOp : Gen_ElementwiseOp<"compare", [DeclareOpInterfaceMethods<Gen_NotDifferentiableOpInterface>]> {
  let summary = "compares x with y; false if one is NaN, but for `ne`";
  let arguments = (ins Gen_ComparePredicateAttr:$predicate, Gen_NumberTensor:$lhs, Gen_NumberTensor:$rhs);
  let results = (outs Gen_BoolTensor:$result);
  let assemblyFormat = "$predicate $lhs `,` $rhs attr-dict `:` `(` type($lhs) `,` type($rhs) `)` `->` type($result)";
}
def Gen_SelectOp : Gen_ElementwiseOp<"select", [DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>]> {
  let summary = "on_true where condition holds, else on_false";
  let arguments = (ins Gen_BoolTensor:$condition, Gen_Tensor:$on_true, Gen_Tensor:$on_false);
  let results = (outs Gen_Tensor:$result);
  let assemblyFormat = [{
    $condition `,` $on_true `,` $on_false attr-dict `:` `(` type($condition) `,` type($on_true) `,` type($on_false) `)` `->` type($result)
  }];
  let hasFolder = 1;
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
