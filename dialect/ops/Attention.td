//===- Attention.td - weighted means of values ----------------------------===//

#ifndef GEN_ATTENTION_TD
#define GEN_ATTENTION_TD

include "dialect/Gen.td"

def Gen_AttentionOp : Gen_TensorOp<"attention", [
    DeclareOpInterfaceMethods<InferTypeOpInterface, ["refineReturnTypes"]>, DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>,
    DeclareOpInterfaceMethods<Gen_DecomposableOpInterface>,
    DeclareOpInterfaceMethods<Gen_AnchorOpInterface, ["isEmitted", "readsThroughIndices", "readsOnce"]>,
    DeclareOpInterfaceMethods<Gen_ProductsOpInterface>]> {
  let summary = "softmax(scale q k^T + mask) v, for each head";
  let description = [{
    For queries [b, s, h, d], keys [b, t, h, d] and values [b, t, h, e], of h heads:

        score[b, h, i, j]  = scale * sum over c of query[b, i, h, c] * key[b, j, h, c]  + mask[b, h, i, j]
        logsumexp[b, h, i] = log(sum over j of e^score[b, h, i, j])
        result[b, i, h, c] = sum over j of e^(score[b, h, i, j] - logsumexp[b, h, i]) * value[b, j, h, c]

    `mask` has a size of 1 along axes where it is the same throughout; -infinity hides a key. With `causal` query i sees the
    keys j <= i + t - s: the last query sees all keys, as when the first t - s of them come from a cache. A query that sees
    no key gives NaN. Heads lie behind positions, so that projections to all heads at once need not be moved.
    Semantics: JAX nn.dot_product_attention; ONNX Attention, opset 23, which has heads before positions.

    (C1) Query, key, value and mask have rank 4 and one element type.
    (C2) They agree in b, h and d, and keys and values in t; sizes of the mask are 1 or those of the scores.
    (C3) The result has the shape [b, s, h, e], `logsumexp` [b, h, s]; both have that element type.

    ```mlir
    %z, %l = gen.attention %q, %k, %v causal scale 1.25e-01
           : (tensor<8x64x8x64xf32>, tensor<8x64x8x64xf32>, tensor<8x64x8x64xf32>) -> (tensor<8x64x8x64xf32>, tensor<8x8x64xf32>)
    ```
  }];
  let arguments = (ins Gen_FloatTensor:$query, Gen_FloatTensor:$key, Gen_FloatTensor:$value, Optional<Gen_FloatTensor>:$mask,
                       UnitAttr:$causal, F64Attr:$scale);
  let results = (outs Gen_FloatTensor:$result, Gen_FloatTensor:$logsumexp);
  let assemblyFormat = [{
    $query `,` $key `,` $value (`mask` $mask^)? (`causal` $causal^)? `scale` $scale attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Gen_AttentionGradientOp : Gen_TensorOp<"attention_gradient", [
    DeclareOpInterfaceMethods<InferTypeOpInterface, ["refineReturnTypes"]>, DeclareOpInterfaceMethods<Gen_DecomposableOpInterface>,
    DeclareOpInterfaceMethods<Gen_AnchorOpInterface, ["isEmitted", "readsThroughIndices", "storesThroughIndices"]>,
    DeclareOpInterfaceMethods<Gen_ProductsOpInterface>]> {
  let summary = "gradients with respect to the queries, keys and values of gen.attention";
  let description = [{
    For the results z and l of `gen.attention` on the same queries, keys, values and mask, and the gradient dz of z:

        p[b, h, i, j]  = e^(score[b, h, i, j] - l[b, h, i])
        ds[b, h, i, j] = p[b, h, i, j] * (sum over c of dz[b, i, h, c] * (value[b, j, h, c] - z[b, i, h, c]))
        query_gradient[b, i, h, c] = scale * sum over j of ds[b, h, i, j] * key[b, j, h, c]
        key_gradient[b, j, h, c]   = scale * sum over i of ds[b, h, i, j] * query[b, i, h, c]
        value_gradient[b, j, h, c] = sum over i of p[b, h, i, j] * dz[b, i, h, c]

    With `causal`, keys that a query does not see have p = ds = 0. Probabilities are computed again from `logsumexp`, so that the
    scores never exist as a whole.
    Semantics: Dao: FlashAttention-2, 2023, algorithm 2.

    (C1) Query, key, value and mask have rank 4 and one element type.
    (C2) They agree in b, h and d, and keys and values in t; sizes of the mask are 1 or those of the scores.
    (C3) `output` and `output_gradient` have the shape [b, s, h, e], `logsumexp` [b, h, s]; all have that element type.
    (C4) The results have the types of query, key and value.

    ```mlir
    %dq, %dk, %dv = gen.attention_gradient %q, %k, %v, %z, %l, %dz causal scale 1.25e-01
           : (tensor<8x64x8x64xf32>, tensor<8x64x8x64xf32>, tensor<8x64x8x64xf32>, tensor<8x64x8x64xf32>, tensor<8x8x64xf32>,
              tensor<8x64x8x64xf32>) -> (tensor<8x64x8x64xf32>, tensor<8x64x8x64xf32>, tensor<8x64x8x64xf32>)
    ```
  }];
  let arguments = (ins Gen_FloatTensor:$query, Gen_FloatTensor:$key, Gen_FloatTensor:$value, Gen_FloatTensor:$output,
                       Gen_FloatTensor:$logsumexp, Gen_FloatTensor:$output_gradient, Optional<Gen_FloatTensor>:$mask,
                       UnitAttr:$causal, F64Attr:$scale);
  let results = (outs Gen_FloatTensor:$query_gradient, Gen_FloatTensor:$key_gradient, Gen_FloatTensor:$value_gradient);
  let assemblyFormat = [{
    $query `,` $key `,` $value `,` $output `,` $logsumexp `,` $output_gradient (`mask` $mask^)? (`causal` $causal^)?
    `scale` $scale attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif // GEN_ATTENTION_TD
