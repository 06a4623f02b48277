//===- Loss.td - losses kept whole until fusion ---------------------------===//

#ifndef GEN_LOSS_TD
#define GEN_LOSS_TD

include "dialect/Gen.td"

def Gen_BceWithLogitsOp : Gen_TensorOp<"bce_with_logits",
    [DeclareOpInterfaceMethods<InferTypeOpInterface, ["refineReturnTypes"]>, DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>,
     DeclareOpInterfaceMethods<Gen_DecomposableOpInterface>]> {
  let summary = "binary cross-entropy of sigmoid(logits) against targets, element by element";
  let description = [{
        result = -t ln(sigmoid(x)) - (1 - t) ln(1 - sigmoid(x))
               = max(x, 0) - x t + ln(1 + e^-|x|)                    x = logits, t = targets

    The second form neither overflows nor loses small terms. The derivative by the logits is sigmoid(x) - t.
    Semantics: PyTorch binary_cross_entropy_with_logits, no reduction.

    (C1) Logits, targets and result have one type.

    ```mlir
    %z = gen.bce_with_logits %logits, %targets : (tensor<128x784xf32>, tensor<128x784xf32>) -> tensor<128x784xf32>
    ```
  }];
  let arguments = (ins Gen_FloatTensor:$logits, Gen_FloatTensor:$targets);
  let results = (outs Gen_FloatTensor:$result);
  let assemblyFormat = "$logits `,` $targets attr-dict `:` `(` type($logits) `,` type($targets) `)` `->` type($result)";
  let hasVerifier = 1;
}

def Gen_CrossEntropyOp : Gen_TensorOp<"cross_entropy",
    [DeclareOpInterfaceMethods<InferTypeOpInterface, ["refineReturnTypes"]>, DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>,
     DeclareOpInterfaceMethods<Gen_DecomposableOpInterface>]> {
  let summary = "-log softmax(logits) at each label";
  let description = [{
        result[i...] = log(sum over c of e^logits[i..., c]) - logits[i..., labels[i...]]

    without overflow, and 0 for a label that names no class, which so is ignored. The derivative by the logits is
    softmax(logits) - one_hot(labels).
    Semantics: PyTorch cross_entropy with class indices along the last axis, no reduction; every label out of range is as
    `ignore_index`.

    (C1) `labels` has the shape of `logits` without the last axis.
    (C2) The result has the shape of `labels` and the element type of `logits`.

    ```mlir
    %z = gen.cross_entropy %logits, %labels : (tensor<?x8000xf32>, tensor<?xi64>) -> tensor<?xf32>
    ```
  }];
  let arguments = (ins Gen_FloatTensor:$logits, Gen_IndexTensor:$labels);
  let results = (outs Gen_FloatTensor:$result);
  let assemblyFormat = "$logits `,` $labels attr-dict `:` `(` type($logits) `,` type($labels) `)` `->` type($result)";
  let hasVerifier = 1;
}

#endif // GEN_LOSS_TD
