//===- Attention.td - weighted means of values ----------------------------===//

#ifndef GEN_ATTENTION_TD
#define GEN_ATTENTION_TD

include "dialect/Gen.td"

def Gen_AttentionOp : Gen_TensorOp<"attention", [
    DeclareOpInterfaceMethods<InferTypeOpInterface, ["refineReturnTypes"]>, DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>,
    DeclareOpInterfaceMethods<Gen_DecomposableOpInterface>,
    DeclareOpInterfaceMethods<Gen_AnchorOpInterface, ["isEmitted", "readsThroughIndices", "readsOnce"]>]> {
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

#endif // GEN_ATTENTION_TD
