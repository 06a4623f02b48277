//===- Shape.td - ops that make or move elements --------------------------===//
//
// Ops that move elements never copy when compiled: they are arithmetic on indices, inlined into the
// kernel that reads their result. Sizes that only a run can tell are `index` operands, one for each
// dynamic dimension of the result, in axis order.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_SHAPE_TD
#define GEN_SHAPE_TD

include "dialect/Gen.td"

/// Data movement: emission is arithmetic on indices.
class Gen_MovementOp<string mnemonic, list<Trait> traits = []>
    : Gen_PointwiseOp<mnemonic,
                      !listconcat([DeclareOpInterfaceMethods<
                                       Gen_PointwiseOpInterface, ["isElementwise", "elementCost"]>,
                                   DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>,
                                   DeclareOpInterfaceMethods<Gen_PermutableOpInterface>],
                                  traits)> {
  let hasVerifier = 1;
  let hasFolder = 1;
}

/// Data movement whose result type follows from operands and attributes, by `resultType`.
class Gen_InferredMovementOp<string mnemonic, list<Trait> traits = []>
    : Gen_MovementOp<
          mnemonic,
          !listconcat([DeclareOpInterfaceMethods<InferTypeOpInterface, ["refineReturnTypes"]>],
                      traits)> {
  let extraClassDeclaration = [{
    /// The result type, or failure after saying what is wrong to `complain`.
    static ::mlir::FailureOr<::mlir::RankedTensorType> resultType(
        Adaptor adaptor, ::llvm::function_ref<::llvm::LogicalResult(const ::llvm::Twine &)> complain);
  }];
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *, ::std::optional<::mlir::Location> location, ::mlir::ValueRange operands,
        ::mlir::DictionaryAttr attributes, ::mlir::OpaqueProperties properties, ::mlir::RegionRange regions,
        ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      auto complain = [&](const ::llvm::Twine &message) {
        return ::mlir::emitOptionalError(location, "'", getOperationName(), "' op ", message);
      };
      auto type = resultType(Adaptor(operands, attributes, properties, regions), complain);
      if (::mlir::failed(type))
        return ::mlir::failure();
      types.push_back(*type);
      return ::mlir::success();
    }
    // The verifier compares the types, with a better message.
    ::llvm::LogicalResult $cppClass::refineReturnTypes(
        ::mlir::MLIRContext *, ::std::optional<::mlir::Location>, ::mlir::ValueRange, ::mlir::DictionaryAttr,
        ::mlir::OpaqueProperties, ::mlir::RegionRange, ::llvm::SmallVectorImpl<::mlir::Type> &) {
      return ::mlir::success();
    }
    ::llvm::LogicalResult $cppClass::verify() {
      auto type = resultType(*this, [&](const ::llvm::Twine &message) { return emitOpError(message); });
      if (::mlir::failed(type))
        return ::mlir::failure();
      if (*type != getType())
        return emitOpError("expected a result of ") << *type << ", got " << getType();
      return ::mlir::success();
    }
  }];
}

def Gen_ConstantOp
    : Gen_PointwiseOp<"constant", [ConstantLike, AllTypesMatch<["value", "result"]>,
                                   DeclareOpInterfaceMethods<
                                       Gen_PointwiseOpInterface, ["isElementwise", "isPositional",
                                                                  "elementCost"]>,
                                   DeclareOpInterfaceMethods<Gen_NotDifferentiableOpInterface>]> {
  let summary = "a tensor known when compiling";
  let description = [{
        result = value

    Semantics: StableHLO constant.

    ```mlir
    %weights = gen.constant dense<[1.0, 2.0]> : tensor<2xf32>
    ```
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Gen_Tensor:$result);
  let assemblyFormat = "attr-dict $value";
  let hasFolder = 1;
}

def Gen_SizeOp
    : Gen_PointwiseOp<
          "size", [DeclareOpInterfaceMethods<
                       Gen_PointwiseOpInterface, ["isElementwise", "isPositional", "elementCost"]>,
                   DeclareOpInterfaceMethods<Gen_NotDifferentiableOpInterface>]> {
  let summary = "a size as a tensor, to compute with";
  let description = [{
        result = size

    Takes sizes (`index` values made by `tensor.dim`) into formulas: a mean divides by one.
    Semantics: StableHLO get_dimension_size.

    ```mlir
    %c0 = arith.constant 0 : index
    %batch = tensor.dim %x, %c0 : tensor<?x784xf32>
    %n = gen.size %batch : tensor<i64>
    ```
  }];
  let arguments = (ins Index:$size);
  let results = (outs Gen_ScalarI64:$result);
  let assemblyFormat = "$size attr-dict `:` type($result)";
  let hasFolder = 1;
}

def Gen_IotaOp
    : Gen_PointwiseOp<"iota", [DeclareOpInterfaceMethods<Gen_PointwiseOpInterface, ["isElementwise",
                                                                                    "elementCost"]>,
                               DeclareOpInterfaceMethods<Gen_NotDifferentiableOpInterface>]> {
  let summary = "0, 1, 2, ... along an axis";
  let description = [{
        result[i0, ..., in] = i_axis

    Semantics: StableHLO dynamic_iota.
    (C1) There is one size for each dynamic dimension of the result.
    (C2) `axis` is an axis of the result.

    ```mlir
    %columns = gen.iota sizes(%batch) axis 1 : tensor<?x10xi64>
    ```
  }];
  let arguments = (ins Variadic<Index>:$sizes, I64Attr:$axis);
  let results = (outs Gen_NumberTensor:$result);
  let assemblyFormat = "(`sizes` `(` $sizes^ `)`)? `axis` $axis attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Gen_ReshapeOp : Gen_MovementOp<"reshape"> {
  let summary = "the same elements in row-major order in another shape";
  let description = [{
    The element at row-major position p of the result is the one at position p of the input. Sizes that a run
    gives have to make the same number of elements.

    Semantics: StableHLO dynamic_reshape.
    (C1) There is one size for each dynamic dimension of the result.
    (C2) Input and result have the same element type.
    (C3) Static shapes have the same number of elements.

    ```mlir
    %rows = gen.reshape %images sizes(%batch) : tensor<?x28x28xf32> -> tensor<?x784xf32>
    ```
  }];
  let arguments = (ins Gen_Tensor:$input, Variadic<Index>:$sizes);
  let results = (outs Gen_Tensor:$result);
  let assemblyFormat =
      "$input (`sizes` `(` $sizes^ `)`)? attr-dict `:` type($input) `->` type($result)";
}

def Gen_TransposeOp : Gen_InferredMovementOp<"transpose"> {
  let summary = "axis i of the result is axis permutation[i] of the input";
  let description = [{
        result[i0, ..., in] = input[j0, ..., jn]  with  j_permutation[a] = i_a

    Semantics: StableHLO transpose, ONNX Transpose.
    (C1) `permutation` holds each axis of the input once.

    ```mlir
    %columns = gen.transpose %rows permutation [1, 0] : tensor<?x784xf32> -> tensor<784x?xf32>
    ```
  }];
  let arguments = (ins Gen_Tensor:$input, DenseI64ArrayAttr:$permutation);
  let results = (outs Gen_Tensor:$result);
  let assemblyFormat =
      "$input `permutation` $permutation attr-dict `:` type($input) `->` type($result)";
}

def Gen_BroadcastOp : Gen_MovementOp<"broadcast"> {
  let summary = "repeats the input along new axes and axes of size 1";
  let description = [{
    Axis a of the input becomes axis axes[a] of the result:

        result[i0, ..., in] = input[j0, ..., jm]  with  j_a = 0 if size a of the input is 1, else i_axes[a]

    Semantics: StableHLO dynamic_broadcast_in_dim.
    (C1) There is one size for each dynamic dimension of the result.
    (C2) Input and result have the same element type.
    (C3) `axes` holds one axis of the result for each axis of the input, ascending.
    (C4) A size of the input is 1 or the size of its axis of the result.

    ```mlir
    %rows = gen.broadcast %bias axes [1] sizes(%batch) : tensor<400xf32> -> tensor<?x400xf32>
    ```
  }];
  let arguments = (ins Gen_Tensor:$input, Variadic<Index>:$sizes, DenseI64ArrayAttr:$axes);
  let results = (outs Gen_Tensor:$result);
  let assemblyFormat = "$input `axes` $axes (`sizes` `(` $sizes^ `)`)? attr-dict `:` type($input) "
                       "`->` type($result)";
}

def Gen_SliceOp : Gen_InferredMovementOp<"slice"> {
  let summary = "every strides[a]-th element of axis a from starts[a] up to, without, limits[a]";
  let description = [{
        result[i0, ..., in] = input[starts[0] + strides[0] * i0, ..., starts[n] + strides[n] * in]

    A limit of 0 or less counts from the end of the axis: 0 is the end.

    Semantics: StableHLO slice.
    (C1) `starts`, `limits` and `strides` hold one number for each axis of the input.
    (C2) Strides are positive and starts not negative.
    (C3) Along a static axis, start <= limit <= size.
    (C4) Along a dynamic axis the limit counts from the end and the stride is 1.

    ```mlir
    %halves = gen.slice %x starts [0, 10] limits [0, 20] strides [1, 1] : tensor<?x20xf32> -> tensor<?x10xf32>
    ```
  }];
  let arguments = (ins Gen_Tensor:$input, DenseI64ArrayAttr:$starts, DenseI64ArrayAttr:$limits,
      DenseI64ArrayAttr:$strides);
  let results = (outs Gen_Tensor:$result);
  let assemblyFormat = "$input `starts` $starts `limits` $limits `strides` $strides attr-dict `:` "
                       "type($input) `->` type($result)";
}

def Gen_PadOp : Gen_InferredMovementOp<"pad"> {
  let summary =
      "adds `value` before (low), after (high) and between (interior) the elements of each axis";
  let description = [{
        result[k0, ..., kn] = input[i0, ..., in]  where  k_a = low[a] + i_a * (interior[a] + 1)  for all a, else value

    Semantics: StableHLO pad, without negative padding.
    (C1) `low`, `high` and `interior` hold one number for each axis of the input.
    (C2) None is negative.
    (C3) `value` has the element type of the input.
    (C4) Along a dynamic axis there is no interior padding.

    ```mlir
    %framed = gen.pad %x value 0.0 : f32 low [1, 1] high [1, 1] interior [0, 0] : tensor<28x28xf32> -> tensor<30x30xf32>
    ```
  }];
  let arguments = (ins Gen_Tensor:$input, TypedAttrInterface:$value, DenseI64ArrayAttr:$low,
      DenseI64ArrayAttr:$high, DenseI64ArrayAttr:$interior);
  let results = (outs Gen_Tensor:$result);
  let assemblyFormat = [{
    $input `value` $value `low` $low `high` $high `interior` $interior attr-dict `:` type($input) `->` type($result)
  }];
}

def Gen_ConcatOp : Gen_InferredMovementOp<"concat"> {
  let summary = "joins tensors along an axis";
  let description = [{
    The first elements of the result along `axis` are those of the first input, then those of the second, and so on.

    Semantics: StableHLO concatenate.
    (C1) There is at least one input.
    (C2) `axis` is an axis of the inputs.
    (C3) The inputs have one element type, and one shape but for `axis`.
    (C4) The sizes along `axis` are static.

    ```mlir
    %parameters = gen.concat %mean, %variance axis 1 : (tensor<?x20xf32>, tensor<?x20xf32>) -> tensor<?x40xf32>
    ```
  }];
  let arguments = (ins Variadic<Gen_Tensor>:$inputs, I64Attr:$axis);
  let results = (outs Gen_Tensor:$result);
  let assemblyFormat =
      "$inputs `axis` $axis attr-dict `:` `(` type($inputs) `)` `->` type($result)";
}

#endif // GEN_SHAPE_TD
