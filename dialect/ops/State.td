//===- State.td - variables, gradients ------------------------------------===//

#ifndef GEN_STATE_TD
#define GEN_STATE_TD

include "dialect/Gen.td"

def Gen_VariableOp : Gen_Op<"variable", [Symbol]> {
  let summary = "state of a session: a parameter, an optimizer's moment, a counter";
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Gen_Tensor>:$type, OptionalAttr<ElementsAttr>:$value);
  let assemblyFormat = "$sym_name `:` $type (`=` $value^)? attr-dict";
  let hasVerifier = 1;
}
def Gen_ReadOp : Gen_Op<"read", [DeclareOpInterfaceMethods<SymbolUserOpInterface>, DeclareOpInterfaceMethods<Gen_ReferenceOpInterface>,
    DeclareOpInterfaceMethods<Gen_NotDifferentiableOpInterface>, MemoryEffects<[MemRead]>]> {
  let summary = "the value of a variable";
  let arguments = (ins FlatSymbolRefAttr:$variable);
  let results = (outs Gen_Tensor:$result);
  let assemblyFormat = "$variable attr-dict `:` type($result)";
}
def Gen_AssignOp : Gen_Op<"assign", [DeclareOpInterfaceMethods<SymbolUserOpInterface>, DeclareOpInterfaceMethods<Gen_ReferenceOpInterface>,
    DeclareOpInterfaceMethods<Gen_NotDifferentiableOpInterface>, MemoryEffects<[MemWrite]>]> {
  let summary = "gives a variable a new value";
  let arguments = (ins FlatSymbolRefAttr:$variable, Gen_Tensor:$value);
  let assemblyFormat = "$variable `,` $value attr-dict `:` type($value)";
}
def Gen_GradientOp : Gen_Op<"gradient", [Pure]> {
  let summary = "gradient of a scalar with respect to values";
  let arguments = (ins Gen_FloatTensor:$output, Variadic<Gen_FloatTensor>:$inputs);
  let results = (outs Variadic<Gen_FloatTensor>:$gradients);
  let assemblyFormat = "$output `wrt` $inputs attr-dict `:` type($output) `,` type($inputs) `->` type($gradients)";
  let hasVerifier = 1;
}

#endif // GEN_STATE_TD
