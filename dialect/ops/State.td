//===- State.td - variables, gradients ------------------------------------===//
//
// A variable is state that a session keeps between calls. Within an entry, reads and assignments happen in program
// order.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_STATE_TD
#define GEN_STATE_TD

include "dialect/Gen.td"

def Gen_VariableOp : Gen_Op<"variable", [Symbol]> {
  let summary = "state of a session: a parameter, an optimizer's moment, a counter";
  let description = [{
    A session starts with `value`, or with zeros; then the entry `init` runs, if there is one. The variable
    `random.seed` (a rank-0 i64) starts with the session's seed. Names are those of PyTorch's state dicts.

    (C1) The shape is static.
    (C2) `value` has the variable's type.

    ```mlir
    gen.variable @encoder.0.weight : tensor<400x784xf32>
    gen.variable @adam.step : tensor<i64> = dense<0> : tensor<i64>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Gen_Tensor>:$type, OptionalAttr<ElementsAttr>:$value);
  let assemblyFormat = "$sym_name `:` $type (`=` $value^)? attr-dict";
  let hasVerifier = 1;
}
def Gen_ReadOp : Gen_Op<"read", [DeclareOpInterfaceMethods<SymbolUserOpInterface>, DeclareOpInterfaceMethods<Gen_ReferenceOpInterface>,
    DeclareOpInterfaceMethods<Gen_NotDifferentiableOpInterface>, MemoryEffects<[MemRead]>]> {
  let summary = "the value of a variable";
  let description = [{
        result = variable

    (C1) `variable` is the name of a `gen.variable`.
    (C2) The result has its type.

    ```mlir
    %weight = gen.read @encoder.0.weight : tensor<400x784xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$variable);
  let results = (outs Gen_Tensor:$result);
  let assemblyFormat = "$variable attr-dict `:` type($result)";
}
def Gen_AssignOp : Gen_Op<"assign", [DeclareOpInterfaceMethods<SymbolUserOpInterface>, DeclareOpInterfaceMethods<Gen_ReferenceOpInterface>,
    DeclareOpInterfaceMethods<Gen_NotDifferentiableOpInterface>, MemoryEffects<[MemWrite]>]> {
  let summary = "gives a variable a new value";
  let description = [{
        variable := value

    (C1) `variable` is the name of a `gen.variable`.
    (C2) `value` has its type.

    ```mlir
    gen.assign @encoder.0.weight, %updated : tensor<400x784xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$variable, Gen_Tensor:$value);
  let assemblyFormat = "$variable `,` $value attr-dict `:` type($value)";
}
def Gen_GradientOp : Gen_Op<"gradient", [Pure]> {
  let summary = "gradient of a scalar with respect to values";
  let description = [{
        gradients[i] = d output / d inputs[i]

    Zeros for an input that the output does not depend on. The inputs are values of the function, on the way to the
    output or not: the gradient with respect to a variable is the one with respect to what was read. Expanded by
    `--gen-differentiate`; gradients may be differentiated again.

    Semantics: PyTorch autograd.grad, JAX grad.
    (C1) The output has rank 0.
    (C2) Each gradient has the type of its input.

    ```mlir
    %dw, %db = gen.gradient %loss wrt %w, %b : tensor<f32>, tensor<20x400xf32>, tensor<20xf32>
        -> tensor<20x400xf32>, tensor<20xf32>
    ```
  }];
  let arguments = (ins Gen_FloatTensor:$output, Variadic<Gen_FloatTensor>:$inputs);
  let results = (outs Variadic<Gen_FloatTensor>:$gradients);
  let assemblyFormat = "$output `wrt` $inputs attr-dict `:` type($output) `,` type($inputs) `->` type($gradients)";
  let hasVerifier = 1;
}

#endif // GEN_STATE_TD
