//===- Contraction.td - sums of products ----------------------------------===//

#ifndef GEN_CONTRACTION_TD
#define GEN_CONTRACTION_TD

include "dialect/Gen.td"

def Gen_MatmulOp : Gen_TensorOp<"matmul",
    [DeclareOpInterfaceMethods<InferTypeOpInterface, ["refineReturnTypes"]>, DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>,
     DeclareOpInterfaceMethods<Gen_ContractionOpInterface, ["isLhsTransposed", "isRhsTransposed", "longestChain"]>,
     DeclareOpInterfaceMethods<Gen_ProductsOpInterface>]> {
  let summary = "matrix product, batched over leading axes";
  let description = [{
        result[b..., m, n] = sum over k of lhs[b..., m, k] * rhs[b..., k, n]

    An operand followed by `transposed` is stored with its last two axes swapped: lhs as [b..., k, m], rhs as [b..., n, k].
    So a linear layer is a product with its transposed weight, and gradients move no elements.
    Semantics: PyTorch bmm; ONNX MatMul without broadcasting; StableHLO dot_general.

    (C1) The operands have one rank, at least 2.
    (C2) The columns of lhs are as many as the rows of rhs.
    (C3) The batch axes have equal sizes.
    (C4) The operands have one element type.
    (C5) The result has the shape [b..., m, n] and that element type.
    (C6) `chain`, if there, is positive.

    With `chain`, so many products at most are added one by one, and then the sums of so many: fewer roundings in a row, for
    products that are to be more exact than a plain sum.

    ```mlir
    %z = gen.matmul %x, %weight transposed : (tensor<128x784xf32>, tensor<400x784xf32>) -> tensor<128x400xf32>
    ```
  }];
  let arguments = (ins Gen_FloatTensor:$lhs, Gen_FloatTensor:$rhs, UnitAttr:$transpose_lhs, UnitAttr:$transpose_rhs,
    OptionalAttr<I64Attr>:$chain);
  let results = (outs Gen_FloatTensor:$result);
  let assemblyFormat = [{
    $lhs (`transposed` $transpose_lhs^)? `,` $rhs (`transposed` $transpose_rhs^)? attr-dict
    `:` `(` type($lhs) `,` type($rhs) `)` `->` type($result)
  }];
  let hasVerifier = 1;
}

def Gen_PartialSumsOp : Gen_PointwiseOp<"partial_sums",
    [DeclareOpInterfaceMethods<Gen_PointwiseOpInterface, ["isElementwise"]>,
     DeclareOpInterfaceMethods<Gen_NotDifferentiableOpInterface>]> {
  let summary = "numbers that add up to a tensor's";
  let description = [{
        sum over p of result[p, i...] = input[i...]

    Which numbers these are is left to what computes them, so only their sum has a meaning. A product's kernel on a GPU adds a part of
    the products in each, so that several blocks of threads share a long sum; elsewhere the first is the input, and the others are 0.
    The compiler makes this op, with a `reduce_sum` behind it.

    (C1) The result has one more axis than the input, the first one, of a static size that is not 0, and its element type.

    ```mlir
    %p = gen.partial_sums %w : tensor<400x10xf32> -> tensor<8x400x10xf32>
    ```
  }];
  let arguments = (ins Gen_FloatTensor:$input);
  let results = (outs Gen_FloatTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

#endif // GEN_CONTRACTION_TD
