//===- Reduction.td - folds along axes ------------------------------------===//

#ifndef GEN_REDUCTION_TD
#define GEN_REDUCTION_TD

include "dialect/Gen.td"

/// The result lacks the reduced axes.
class Gen_ReduceOp<string mnemonic, Type type, list<Trait> traits = []>
    : Gen_TensorOp<mnemonic, !listconcat([DeclareOpInterfaceMethods<InferTypeOpInterface>,
                                          DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>], traits)> {
  let arguments = (ins type:$input, DenseI64ArrayAttr:$axes);
  let results = (outs type:$result);
  let assemblyFormat = "$input `axes` $axes attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}
def Gen_ReduceSumOp : Gen_ReduceOp<"reduce_sum", Gen_NumberTensor, [DeclareOpInterfaceMethods<Gen_ReductionOpInterface>]> {
  let summary = "sum along axes"; let hasFolder = 1;
}
def Gen_ReduceMaxOp : Gen_ReduceOp<"reduce_max", Gen_NumberTensor, [DeclareOpInterfaceMethods<Gen_ReductionOpInterface>]> {
  let summary = "largest element along axes"; let hasFolder = 1;
}
def Gen_ReduceMinOp : Gen_ReduceOp<"reduce_min", Gen_NumberTensor, [DeclareOpInterfaceMethods<Gen_ReductionOpInterface>]> {
  let summary = "smallest element along axes"; let hasFolder = 1;
}
def Gen_ReduceMeanOp : Gen_ReduceOp<"reduce_mean", Gen_FloatTensor, [DeclareOpInterfaceMethods<Gen_DecomposableOpInterface>]> {
  let summary = "arithmetic mean along axes"; let hasFolder = 1;
}

#endif // GEN_REDUCTION_TD
