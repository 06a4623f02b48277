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
class Gen_ElementwiseOp<string mnemonic, list<Trait> traits = []>
    : Gen_PointwiseOp<mnemonic, !listconcat([DeclareOpInterfaceMethods<Gen_PermutableOpInterface>], traits)> {
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
    ::mlir::Value $cppClass::emitPermuted(GenBuilder &b, ::llvm::ArrayRef<int64_t> permutation,
                                          ::llvm::SmallVectorImpl<int64_t> &order) {
      return permutedElementwise(*this, b, permutation, order);
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

/// What the verifier of a broadcasting op checks; part of each one's description.
defvar Gen_BroadcastingConstraints = [{
    (C1) The shapes of the operands broadcast.
    (C2) The operands have one element type.
    (C3) The result has the broadcast shape and that element type.
}];

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
class Gen_NumberUnaryOp<string mnemonic, list<Trait> traits = []>
    : Gen_UnaryOp<mnemonic, Gen_NumberTensor,
                  !listconcat([DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>], traits)>;

/// f(x, y) of one element type.
class Gen_BinaryOp<string mnemonic, Type type, list<Trait> traits = []> : Gen_BroadcastingOp<mnemonic, traits> {
  let arguments = (ins type:$lhs, type:$rhs);
  let results = (outs type:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` `(` type($lhs) `,` type($rhs) `)` `->` type($result)";
}
class Gen_NumberBinaryOp<string mnemonic, list<Trait> traits = []>
    : Gen_BinaryOp<mnemonic, Gen_NumberTensor,
                   !listconcat([DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>], traits)>;
class Gen_LogicalOp<string mnemonic>
    : Gen_BinaryOp<mnemonic, Gen_BoolTensor,
                   [Commutative, DeclareOpInterfaceMethods<Gen_NotDifferentiableOpInterface>]> {
  let formula = "int64_t compute(::llvm::ArrayRef<int64_t> operands);";
}

//===----------------------------------------------------------------------===//
// Unary ops
//===----------------------------------------------------------------------===//

def Gen_NegOp : Gen_NumberUnaryOp<"neg"> {
  let summary = "changes the sign";
  let description = [{
        z = -x

    Integers wrap: the least one is its own negative.
    Semantics: StableHLO negate; ONNX Neg.

    ```mlir
    %z = gen.neg %x : tensor<4x8xf32>
    ```
  }];
  let simplifies = 1;
}

def Gen_AbsOp : Gen_NumberUnaryOp<"abs"> {
  let summary = "absolute value";
  let description = [{
        z = |x|

    Integers wrap: the least one stays. The derivative is sign(x).
    Semantics: StableHLO abs; ONNX Abs.

    ```mlir
    %z = gen.abs %x : tensor<4x8xf32>
    ```
  }];
}

def Gen_SignOp : Gen_NumberUnaryOp<"sign"> {
  let summary = "-1, 0 or 1 by the sign";
  let description = [{
        z = 1 if x > 0, -1 if x < 0, else x

    Zeros keep their sign, NaN stays NaN. The derivative is 0.
    Semantics: StableHLO sign; ONNX Sign.

    ```mlir
    %z = gen.sign %x : tensor<4x8xf32>
    ```
  }];
}

def Gen_ExpOp : Gen_FloatUnaryOp<"exp"> {
  let summary = "e to the power of x";
  let description = [{
        z = e^x

    Semantics: StableHLO exponential; ONNX Exp.

    ```mlir
    %z = gen.exp %x : tensor<4x8xf32>
    ```
  }];
}

def Gen_LogOp : Gen_FloatUnaryOp<"log"> {
  let summary = "natural logarithm";
  let description = [{
        z = ln(x)

    -infinity at 0, NaN below it.
    Semantics: StableHLO log; ONNX Log.

    ```mlir
    %z = gen.log %x : tensor<4x8xf32>
    ```
  }];
}

def Gen_Log1pOp : Gen_FloatUnaryOp<"log1p"> {
  let summary = "natural logarithm of 1 + x, exact near 0";
  let description = [{
        z = ln(1 + x)

    -infinity at -1, NaN below it.
    Semantics: StableHLO log_plus_one; C log1p.

    ```mlir
    %z = gen.log1p %x : tensor<4x8xf32>
    ```
  }];
}

def Gen_SqrtOp : Gen_FloatUnaryOp<"sqrt"> {
  let summary = "square root";
  let description = [{
        z = x^(1/2)

    Correctly rounded; NaN below 0.
    Semantics: StableHLO sqrt; IEEE 754 squareRoot.

    ```mlir
    %z = gen.sqrt %x : tensor<4x8xf32>
    ```
  }];
  let cost = 8;
}

def Gen_RsqrtOp : Gen_FloatUnaryOp<"rsqrt"> {
  let summary = "reciprocal square root";
  let description = [{
        z = x^(-1/2)

    Infinity at 0, NaN below it.
    Semantics: StableHLO rsqrt.

    ```mlir
    %z = gen.rsqrt %x : tensor<4x8xf32>
    ```
  }];
  let cost = 8;
}

def Gen_TanhOp : Gen_FloatUnaryOp<"tanh"> {
  let summary = "hyperbolic tangent";
  let description = [{
        z = (e^x - e^-x) / (e^x + e^-x)

    Semantics: StableHLO tanh; ONNX Tanh.

    ```mlir
    %z = gen.tanh %x : tensor<4x8xf32>
    ```
  }];
}

def Gen_SigmoidOp : Gen_FloatUnaryOp<"sigmoid"> {
  let summary = "logistic function";
  let description = [{
        z = 1 / (1 + e^-x)

    Semantics: StableHLO logistic; ONNX Sigmoid.

    ```mlir
    %z = gen.sigmoid %x : tensor<4x8xf32>
    ```
  }];
}

def Gen_ErfOp : Gen_FloatUnaryOp<"erf"> {
  let summary = "Gauss error function";
  let description = [{
        z = 2 / sqrt(pi) * integral of e^(-t^2) over t from 0 to x

    Semantics: CHLO erf; ONNX Erf.

    ```mlir
    %z = gen.erf %x : tensor<4x8xf32>
    ```
  }];
}

def Gen_SinOp : Gen_FloatUnaryOp<"sin"> {
  let summary = "sine, x in radians";
  let description = [{
        z = sin(x)

    NaN at the infinities.
    Semantics: StableHLO sine; ONNX Sin.

    ```mlir
    %z = gen.sin %x : tensor<4x8xf32>
    ```
  }];
}

def Gen_CosOp : Gen_FloatUnaryOp<"cos"> {
  let summary = "cosine, x in radians";
  let description = [{
        z = cos(x)

    NaN at the infinities.
    Semantics: StableHLO cosine; ONNX Cos.

    ```mlir
    %z = gen.cos %x : tensor<4x8xf32>
    ```
  }];
}

def Gen_ReluOp : Gen_FloatUnaryOp<"relu"> {
  let summary = "rectified linear unit";
  let description = [{
        z = max(x, 0)

    NaN stays NaN. The derivative at 0 is 0.
    Semantics: PyTorch relu; ONNX Relu.

    ```mlir
    %z = gen.relu %x : tensor<4x8xf32>
    ```
  }];
  let cost = 1;
}

def Gen_LeakyReluOp : Gen_FloatUnaryOp<"leaky_relu"> {
  let summary = "rectified linear unit with a slope below 0";
  let description = [{
        z = x if x > 0, else slope * x

    The derivative at 0 is `slope`.
    (C1) `slope` is finite.
    Semantics: PyTorch leaky_relu; ONNX LeakyRelu.

    ```mlir
    %z = gen.leaky_relu %x slope 2.0e-01 : tensor<4x8xf32>
    ```
  }];
  let arguments = (ins Gen_FloatTensor:$input, F64Attr:$slope);
  let assemblyFormat = "$input `slope` $slope attr-dict `:` type($input)";
  let hasVerifier = 1;
  let cost = 2;
}

def Gen_NotOp : Gen_UnaryOp<"not", Gen_BoolTensor, [DeclareOpInterfaceMethods<Gen_NotDifferentiableOpInterface>]> {
  let summary = "logical not";
  let description = [{
        z = true if x is false, else false

    Semantics: StableHLO not; ONNX Not.

    ```mlir
    %z = gen.not %x : tensor<4x8xi1>
    ```
  }];
  let simplifies = 1;
  let formula = "int64_t compute(::llvm::ArrayRef<int64_t> operands);";
}

def Gen_StopGradientOp : Gen_UnaryOp<"stop_gradient", Gen_Tensor, [
    DeclareOpInterfaceMethods<Gen_NotDifferentiableOpInterface>,
    DeclareOpInterfaceMethods<Gen_DecomposableOpInterface>]> {
  let summary = "the input, a constant to gradients";
  let description = [{
        z = x

    Opened after differentiation.
    Semantics: PyTorch detach; JAX stop_gradient.

    ```mlir
    %z = gen.stop_gradient %x : tensor<4x8xf32>
    ```
  }];
}

//===----------------------------------------------------------------------===//
// Binary ops
//===----------------------------------------------------------------------===//

def Gen_AddOp : Gen_NumberBinaryOp<"add", [Commutative]> {
  let summary = "sum";
  let description = !strconcat([{
        z = x + y

    Integers wrap.
    Semantics: StableHLO add; ONNX Add.

  }], Gen_BroadcastingConstraints, [{
    ```mlir
    %z = gen.add %x, %y : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
    ```
  }]);
  let simplifies = 1;
}

def Gen_SubOp : Gen_NumberBinaryOp<"sub"> {
  let summary = "difference";
  let description = !strconcat([{
        z = x - y

    Integers wrap.
    Semantics: StableHLO subtract; ONNX Sub.

  }], Gen_BroadcastingConstraints, [{
    ```mlir
    %z = gen.sub %x, %y : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
    ```
  }]);
  let simplifies = 1;
}

def Gen_MulOp : Gen_NumberBinaryOp<"mul", [Commutative]> {
  let summary = "product";
  let description = !strconcat([{
        z = x * y

    Integers wrap.
    Semantics: StableHLO multiply; ONNX Mul.

  }], Gen_BroadcastingConstraints, [{
    ```mlir
    %z = gen.mul %x, %y : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
    ```
  }]);
  let simplifies = 1;
}

def Gen_DivOp : Gen_NumberBinaryOp<"div"> {
  let summary = "quotient";
  let description = !strconcat([{
        z = x / y

    Integers: rounded towards 0; x / 0 is 0, and the least integer divided by -1 is itself.
    Semantics: StableHLO divide; ONNX Div.

  }], Gen_BroadcastingConstraints, [{
    ```mlir
    %z = gen.div %x, %y : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
    ```
  }]);
  let simplifies = 1;
  let cost = 5;
}

def Gen_MaxOp : Gen_NumberBinaryOp<"max", [Commutative]> {
  let summary = "the larger number";
  let description = !strconcat([{
        z = x if x > y, else y

    NaN if either is NaN. At a tie each operand gets half of the gradient.
    Semantics: StableHLO maximum; PyTorch maximum.

  }], Gen_BroadcastingConstraints, [{
    ```mlir
    %z = gen.max %x, %y : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
    ```
  }]);
}

def Gen_MinOp : Gen_NumberBinaryOp<"min", [Commutative]> {
  let summary = "the smaller number";
  let description = !strconcat([{
        z = x if x < y, else y

    NaN if either is NaN. At a tie each operand gets half of the gradient.
    Semantics: StableHLO minimum; PyTorch minimum.

  }], Gen_BroadcastingConstraints, [{
    ```mlir
    %z = gen.min %x, %y : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
    ```
  }]);
}

def Gen_PowOp : Gen_BinaryOp<"pow", Gen_FloatTensor, [DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>]> {
  let summary = "power";
  let description = !strconcat([{
        z = x^y

    1 for y = 0, whatever x; NaN for x < 0 unless y is an integer. The derivatives are y x^(y - 1), or 0 for y = 0, and
    z ln(x), or 0 for x = 0 and y >= 0.
    Semantics: C pow; PyTorch pow.

  }], Gen_BroadcastingConstraints, [{
    ```mlir
    %z = gen.pow %x, %y : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
    ```
  }]);
  let simplifies = 1;
  let formula = "double compute(::llvm::ArrayRef<double> operands);";
  let cost = 40;
}

def Gen_AndOp : Gen_LogicalOp<"and"> {
  let summary = "logical and";
  let description = !strconcat([{
        z = x and y

    Semantics: StableHLO and; ONNX And.

  }], Gen_BroadcastingConstraints, [{
    ```mlir
    %z = gen.and %x, %y : (tensor<4x8xi1>, tensor<8xi1>) -> tensor<4x8xi1>
    ```
  }]);
}

def Gen_OrOp : Gen_LogicalOp<"or"> {
  let summary = "logical or";
  let description = !strconcat([{
        z = x or y

    Semantics: StableHLO or; ONNX Or.

  }], Gen_BroadcastingConstraints, [{
    ```mlir
    %z = gen.or %x, %y : (tensor<4x8xi1>, tensor<8xi1>) -> tensor<4x8xi1>
    ```
  }]);
}

//===----------------------------------------------------------------------===//
// Compare, select, cast
//===----------------------------------------------------------------------===//

def Gen_ComparePredicate : I32EnumAttr<"ComparePredicate", "how two numbers are compared", [
    I32EnumAttrCase<"eq", 0>, I32EnumAttrCase<"ne", 1>, I32EnumAttrCase<"lt", 2>,
    I32EnumAttrCase<"le", 3>, I32EnumAttrCase<"gt", 4>, I32EnumAttrCase<"ge", 5>]> {
  let cppNamespace = "::mlir::gen";
  let genSpecializedAttr = 0;
}
def Gen_ComparePredicateAttr : EnumAttr<Gen_Dialect, Gen_ComparePredicate, "compare_predicate">;

def Gen_CompareOp : Gen_BroadcastingOp<"compare", [DeclareOpInterfaceMethods<Gen_NotDifferentiableOpInterface>]> {
  let summary = "compares two numbers";
  let description = [{
        z = x == y, x != y, x < y, x <= y, x > y, x >= y    for eq, ne, lt, le, gt, ge

    False if one is NaN, but for `ne`, which is true then.
    Semantics: StableHLO compare.

    (C1) The shapes of the operands broadcast.
    (C2) The operands have one element type.
    (C3) The result has the broadcast shape and the element type i1.

    ```mlir
    %z = gen.compare gt %x, %y : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xi1>
    ```
  }];
  let arguments = (ins Gen_ComparePredicateAttr:$predicate, Gen_NumberTensor:$lhs, Gen_NumberTensor:$rhs);
  let results = (outs Gen_BoolTensor:$result);
  let resultElementType = "::mlir::IntegerType::get(context, 1)";
  let assemblyFormat = [{
    custom<Predicate>($predicate) $lhs `,` $rhs attr-dict `:` `(` type($lhs) `,` type($rhs) `)` `->` type($result)
  }];
}
def Gen_SelectOp : Gen_BroadcastingOp<"select", [DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>]> {
  let summary = "one of two elements, by a condition";
  let description = [{
        result = on_true where condition holds, else on_false

    Semantics: PyTorch where; ONNX Where.

    (C1) The shapes of the operands broadcast.
    (C2) `on_true` and `on_false` have one element type.
    (C3) The result has the broadcast shape and that element type.

    ```mlir
    %z = gen.select %c, %x, %y : (tensor<4x8xi1>, tensor<4x8xf32>, tensor<f32>) -> tensor<4x8xf32>
    ```
  }];
  let arguments = (ins Gen_BoolTensor:$condition, Gen_Tensor:$on_true, Gen_Tensor:$on_false);
  let results = (outs Gen_Tensor:$result);
  let conditions = 1;
  let simplifies = 1;
  let assemblyFormat = [{
    $condition `,` $on_true `,` $on_false attr-dict
    `:` `(` type($condition) `,` type($on_true) `,` type($on_false) `)` `->` type($result)
  }];
}
def Gen_CastOp : Gen_PointwiseOp<"cast", [DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>]> {
  let summary = "converts the element type";
  let description = [{
        result = input, as the nearest value of the result's element type

    Floating point to integers: rounded towards 0; what is out of range becomes the nearest integer in range, NaN becomes 0.
    To i1: true unless the input is 0. From i1: 1 or 0. Integers to narrower ones wrap.
    Semantics: ONNX Cast, out of range as LLVM's fptosi.sat.

    (C1) The result has the shape of the input.

    ```mlir
    %z = gen.cast %x : tensor<4x8xi32> -> tensor<4x8xf32>
    ```
  }];
  let arguments = (ins Gen_Tensor:$input);
  let results = (outs Gen_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

#endif // GEN_ELEMENTWISE_TD
