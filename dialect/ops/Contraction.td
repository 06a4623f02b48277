//===- Contraction.td - sums of products ----------------------------------===//

#ifndef GEN_CONTRACTION_TD
#define GEN_CONTRACTION_TD

include "dialect/Gen.td"

def Gen_MatmulOp : Gen_TensorOp<"matmul",
    [DeclareOpInterfaceMethods<InferTypeOpInterface, ["refineReturnTypes"]>, DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>,
     DeclareOpInterfaceMethods<Gen_ContractionOpInterface>]> {
  let summary = "matrix product, batched over leading axes";
  let arguments = (ins Gen_FloatTensor:$lhs, Gen_FloatTensor:$rhs, UnitAttr:$transpose_lhs, UnitAttr:$transpose_rhs);
  let results = (outs Gen_FloatTensor:$result);
  let assemblyFormat = [{
    $lhs (`transposed` $transpose_lhs^)? `,` $rhs (`transposed` $transpose_rhs^)? attr-dict
    `:` `(` type($lhs) `,` type($rhs) `)` `->` type($result)
  }];
  let hasVerifier = 1;
}

#endif // GEN_CONTRACTION_TD
