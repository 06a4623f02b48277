//===- Loss.td - losses kept whole until fusion ---------------------------===//

#ifndef GEN_LOSS_TD
#define GEN_LOSS_TD

include "dialect/Gen.td"

def Gen_BceWithLogitsOp : Gen_TensorOp<"bce_with_logits",
    [DeclareOpInterfaceMethods<InferTypeOpInterface, ["refineReturnTypes"]>, DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>,
     DeclareOpInterfaceMethods<Gen_DecomposableOpInterface>]> {
  let summary = "binary cross-entropy of sigmoid(logits) against targets, element by element";
  let arguments = (ins Gen_FloatTensor:$logits, Gen_FloatTensor:$targets);
  let results = (outs Gen_FloatTensor:$result);
  let assemblyFormat = "$logits `,` $targets attr-dict `:` `(` type($logits) `,` type($targets) `)` `->` type($result)";
  let hasVerifier = 1;
}

#endif // GEN_LOSS_TD
