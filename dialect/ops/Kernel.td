//===- Kernel.td - kernels and their launches -----------------------------===//

#ifndef GEN_KERNEL_TD
#define GEN_KERNEL_TD

include "dialect/Gen.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/CallInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/IR/RegionKindInterface.td"

/// Where a launch writes a result: what memory planning decides.
class Gen_PlaceAttr<string name, string attrMnemonic> : AttrDef<Gen_Dialect, name> { let mnemonic = attrMnemonic; }

def Gen_ArenaAttr : Gen_PlaceAttr<"Arena", "arena"> {
  let summary = "byte offset in the entry's arena";
  let parameters = (ins "int64_t":$offset);
  let assemblyFormat = "`<` $offset `>`";
}
def Gen_SlotAttr : Gen_PlaceAttr<"Slot", "slot"> {
  let summary = "slot of the entry's arena, laid out when called, since its size depends on dynamic dimensions";
  let parameters = (ins "int64_t":$number);
  let assemblyFormat = "`<` $number `>`";
}
def Gen_InVariableAttr : Gen_PlaceAttr<"InVariable", "in_variable"> {
  let summary = "the memory of a variable";
  let parameters = (ins "::mlir::FlatSymbolRefAttr":$variable);
  let assemblyFormat = "`<` $variable `>`";
}
def Gen_InResultAttr : Gen_PlaceAttr<"InResult", "in_result"> {
  let summary = "the caller's memory for a result of the entry";
  let parameters = (ins "int64_t":$number);
  let assemblyFormat = "`<` $number `>`";
}

def Gen_NextAttr : Gen_PlaceAttr<"Next", "next"> {
  let summary = "where the loop around keeps carried value `number` for its next step";
  let parameters = (ins "int64_t":$number);
  let assemblyFormat = "`<` $number `>`";
}
def Gen_InSliceAttr : Gen_PlaceAttr<"InSlice", "in_slice"> {
  let summary = "the slice that the one gen.dynamic_update_slice that uses the result overwrites";
}

def Gen_KernelOp : Gen_Op<"kernel", [Symbol, IsolatedFromAbove, SingleBlock, SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "a group of ops that becomes one loop nest";
  let description = [{
    Made by fusion. The body is gen ops on the arguments, then `gen.yield`. Arguments are tensors, and `index` values
    for their dynamic sizes. `family` says how it is emitted; `schedule` is how it is tiled, and how it is divided among threads.

    (C1) Arguments are tensors and sizes.
    (C2) `family` is attention, contraction, reduction, scatter, pointwise or group.
    (C3) The body of a group, and of no other kernel, launches kernels, of the kernel's arguments, and yields all that they compute.

    ```mlir
    gen.kernel @scale(%x: tensor<128x400xf32>) -> (tensor<128x400xf32>) family "pointwise" {
      %half = gen.constant dense<0.5> : tensor<f32>
      %y = gen.mul %x, %half : (tensor<128x400xf32>, tensor<f32>) -> tensor<128x400xf32>
      gen.yield %y : tensor<128x400xf32>
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrAttr:$family, OptionalAttr<DictionaryAttr>:$schedule);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}
def Gen_YieldOp : Gen_Op<"yield", [Pure, Terminator, ReturnLike, HasParent<"KernelOp">]> {
  let summary = "the results of a kernel";
  let description = [{
    Ends the body of a `gen.kernel`.

    ```mlir
    gen.yield %y : tensor<128x400xf32>
    ```
  }];
  let arguments = (ins Variadic<Gen_Tensor>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
  let builders = [OpBuilder<(ins), [{ build($_builder, $_state, ::mlir::ValueRange()); }]>];
}
def Gen_LaunchOp : Gen_Op<"launch", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>,
    DeclareOpInterfaceMethods<Gen_ReferenceOpInterface>]> {
  let summary = "runs a kernel";
  let description = [{
        results = kernel(arguments)

    (C1) `kernel` is the name of a `gen.kernel`.
    (C2) The arguments have the types of the kernel's.
    (C3) The results have the types of what it yields.
    (C4) In a group, it is not a group.

    ```mlir
    %y = gen.launch @scale(%x) : (tensor<128x400xf32>) -> tensor<128x400xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<AnyType>:$arguments);
  let results = (outs Variadic<Gen_Tensor>:$results);
  let assemblyFormat = "$kernel `(` $arguments `)` attr-dict `:` functional-type($arguments, $results)";
}

#endif // GEN_KERNEL_TD
