//===- Sequence.td - steps of a sequence ----------------------------------===//
//
// What a loop over a sequence reads and writes in each step: a slice at an index that only a run tells. Where the slice
// lies in one piece in memory, reading it costs nothing and writing it happens in place.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_SEQUENCE_TD
#define GEN_SEQUENCE_TD

include "dialect/Gen.td"

class Gen_SequenceOp<string mnemonic, list<Trait> traits = []>
    : Gen_PointwiseOp<mnemonic, !listconcat([DeclareOpInterfaceMethods<Gen_PointwiseOpInterface, ["isElementwise", "elementCost"]>,
                                             DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>], traits)> {
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Gen_DynamicSliceOp : Gen_SequenceOp<"dynamic_slice"> {
  let summary = "`length` elements of an axis, from an index that a run tells";
  let description = [{
        result[..., i, ...] = input[..., start + i, ...]    along `axis`
        start = min(max(index, 0), size - length)           size: that of the input along `axis`

    The length may not be more than the size.

    Semantics: StableHLO dynamic_slice, along one axis.
    (C1) `axis` is an axis of the input.
    (C2) The length is at least 0, and at most the size of the axis where that is static.
    (C3) The result has the input's type but for `length` along the axis.

    ```mlir
    %x = gen.dynamic_slice %sequence at %step axis 0 length 1 : tensor<100x32x512xf32> -> tensor<1x32x512xf32>
    ```
  }];
  let arguments = (ins Gen_Tensor:$input, Index:$index, I64Attr:$axis, I64Attr:$length);
  let results = (outs Gen_Tensor:$result);
  let assemblyFormat = "$input `at` $index `axis` $axis `length` $length attr-dict `:` type($input) `->` type($result)";
  let extraClassDeclaration = [{
    /// True if the slice is one piece of the input's memory.
    bool isContiguous() { return isContiguousAlong(getInput().getType(), getAxis()); }
    /// True if elements that follow each other along `axis` and inner axes follow each other in memory: outer axes
    /// are of size 1.
    static bool isContiguousAlong(::mlir::RankedTensorType type, int64_t axis);
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$input, "::mlir::Value":$index, "int64_t":$axis, "int64_t":$length)>];
}

def Gen_DynamicUpdateSliceOp : Gen_SequenceOp<"dynamic_update_slice", [AllTypesMatch<["input", "result"]>]> {
  let summary = "the input with another slice, at an index that a run tells";
  let description = [{
        result[..., i, ...] = update[..., i - start, ...]   where start <= i < start + length along `axis`
                              input[..., i, ...]            elsewhere
        start = min(max(index, 0), size - length)           length, size: of update and input along `axis`

    The length may not be more than the size.

    Semantics: StableHLO dynamic_update_slice, along one axis.
    (C1) `axis` is an axis of the input.
    (C2) The update has the input's type but for the size along `axis`, which is static and at most the input's.

    ```mlir
    %sequence1 = gen.dynamic_update_slice %sequence with %x at %step axis 0 : tensor<100x32x512xf32>, tensor<1x32x512xf32>
    ```
  }];
  let arguments = (ins Gen_Tensor:$input, Gen_Tensor:$update, Index:$index, I64Attr:$axis);
  let results = (outs Gen_Tensor:$result);
  let assemblyFormat = "$input `with` $update `at` $index `axis` $axis attr-dict `:` type($input) `,` type($update)";
  let extraClassDeclaration = [{
    /// True if the slice is one piece of the result's memory.
    bool isContiguous() { return DynamicSliceOp::isContiguousAlong(getType(), getAxis()); }
    /// The size of the update along the axis.
    int64_t getLength() { return getUpdate().getType().getDimSize(getAxis()); }
  }];
}

#endif // GEN_SEQUENCE_TD
