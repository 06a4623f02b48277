//===- Shape.td - ops that make or move elements --------------------------===//

#ifndef GEN_SHAPE_TD
#define GEN_SHAPE_TD

include "dialect/Gen.td"

/// Data movement: emission is arithmetic on indices.
class Gen_MovementOp<string mnemonic, list<Trait> traits = []>
    : Gen_PointwiseOp<mnemonic, !listconcat([DeclareOpInterfaceMethods<Gen_PointwiseOpInterface, ["isElementwise"]>,
                                             DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>], traits)>;

def Gen_ConstantOp : Gen_PointwiseOp<"constant", [ConstantLike, AllTypesMatch<["value", "result"]>,
    DeclareOpInterfaceMethods<Gen_PointwiseOpInterface, ["isElementwise"]>,
    DeclareOpInterfaceMethods<Gen_NotDifferentiableOpInterface>]> {
  let summary = "a tensor known when compiling";
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Gen_Tensor:$result);
  let assemblyFormat = "attr-dict $value";
  let hasFolder = 1;
}
def Gen_IotaOp : Gen_PointwiseOp<"iota", [DeclareOpInterfaceMethods<Gen_PointwiseOpInterface, ["isElementwise"]>,
    DeclareOpInterfaceMethods<Gen_NotDifferentiableOpInterface>]> {
  let summary = "0, 1, 2, ... along an axis";
  let arguments = (ins Variadic<Index>:$sizes, I64Attr:$axis);
  let results = (outs Gen_NumberTensor:$result);
  let assemblyFormat = "(`sizes` `(` $sizes^ `)`)? `axis` $axis attr-dict `:` type($result)";
  let hasVerifier = 1;
}
def Gen_ReshapeOp : Gen_MovementOp<"reshape"> {
  let summary = "the same elements in row-major order in another shape";
  let arguments = (ins Gen_Tensor:$input, Variadic<Index>:$sizes);
  let results = (outs Gen_Tensor:$result);
  let assemblyFormat = "$input (`sizes` `(` $sizes^ `)`)? attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}
def Gen_TransposeOp : Gen_MovementOp<"transpose", [DeclareOpInterfaceMethods<InferTypeOpInterface>]> {
  let summary = "axis i of the result is axis permutation[i] of the input";
  let arguments = (ins Gen_Tensor:$input, DenseI64ArrayAttr:$permutation);
  let results = (outs Gen_Tensor:$result);
  let assemblyFormat = "$input `permutation` $permutation attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}
def Gen_BroadcastOp : Gen_MovementOp<"broadcast"> {
  let summary = "repeats the input along new axes and axes of size 1";
  let arguments = (ins Gen_Tensor:$input, Variadic<Index>:$sizes, DenseI64ArrayAttr:$axes);
  let results = (outs Gen_Tensor:$result);
  let assemblyFormat = "$input `axes` $axes (`sizes` `(` $sizes^ `)`)? attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}
def Gen_SliceOp : Gen_MovementOp<"slice", [DeclareOpInterfaceMethods<InferTypeOpInterface>]> {
  let summary = "every strides[i]-th element from starts[i] up to, without, limits[i]";
  let arguments = (ins Gen_Tensor:$input, DenseI64ArrayAttr:$starts, DenseI64ArrayAttr:$limits, DenseI64ArrayAttr:$strides);
  let results = (outs Gen_Tensor:$result);
  let assemblyFormat = "$input `starts` $starts `limits` $limits `strides` $strides attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}
def Gen_PadOp : Gen_MovementOp<"pad", [DeclareOpInterfaceMethods<InferTypeOpInterface>]> {
  let summary = "adds `value` before (low), after (high) and between (interior) the elements of each axis";
  let arguments = (ins Gen_Tensor:$input, TypedAttrInterface:$value, DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$high,
                       DenseI64ArrayAttr:$interior);
  let results = (outs Gen_Tensor:$result);
  let assemblyFormat = [{
    $input `value` $value `low` $low `high` $high `interior` $interior attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}
def Gen_ConcatOp : Gen_MovementOp<"concat", [DeclareOpInterfaceMethods<InferTypeOpInterface>]> {
  let summary = "joins tensors along an axis";
  let arguments = (ins Variadic<Gen_Tensor>:$inputs, I64Attr:$axis);
  let results = (outs Gen_Tensor:$result);
  let assemblyFormat = "$inputs `axis` $axis attr-dict `:` `(` type($inputs) `)` `->` type($result)";
  let hasVerifier = 1;
}

#endif // GEN_SHAPE_TD
