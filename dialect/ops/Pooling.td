//===- Pooling.td - windows that slide over spatial axes ------------------===//
//
// A pooling window moves over the spatial axes of an image, over each channel alone. Two families: the maximum, with the
// two linear ops that its derivatives need (which element a window chose is a constant to them), and the sum, whose
// transpose is its derivative. An average is a sum divided by a number.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_POOLING_TD
#define GEN_POOLING_TD

include "dialect/Gen.td"

/// What the verifier of these ops checks; part of each one's description.
defvar Gen_PoolingConstraints = [{
    Images are [n, c, spatial...], with `channels_last` [n, spatial..., c].

    (C1) The image has rank 3 to 5.
    (C2) `window`, `strides`, `low` and `high` hold one number for each spatial axis; window and strides are positive,
    paddings not negative and less than the window.
    (C3) The padded image is at least as long as the window along each spatial axis.
    (C4) Along each spatial axis there are (image + low + high - window) / stride + 1 windows, rounded down; other sizes and
    the element type are the image's.
}];

class Gen_PoolingOp<string mnemonic, list<Trait> traits = []>
    : Gen_PointwiseOp<mnemonic, !listconcat([
        DeclareOpInterfaceMethods<Gen_PointwiseOpInterface, ["isElementwise", "elementCost"]>,
        DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>,
        DeclareOpInterfaceMethods<Gen_PermutableOpInterface>], traits)> {
  dag attributes = (ins DenseI64ArrayAttr:$window, DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$low,
                        DenseI64ArrayAttr:$high, UnitAttr:$channels_last);
  string attributesFormat = [{
    `window` $window `strides` $strides `low` $low `high` $high (`channels_last` $channels_last^)? attr-dict `:`
  }];
  code permutability = [{
    ::mlir::Value $cppClass::emitPermuted(GenBuilder &b, ::llvm::ArrayRef<int64_t> permutation,
                                          ::llvm::SmallVectorImpl<int64_t> &order) {
      return permutedImages(*this, getChannelsLast(), b, permutation, order);
    }
  }];
  let extraClassDefinition = permutability;
  let hasVerifier = 1;
}

/// The result has one element a window.
class Gen_WindowOp<string mnemonic, list<Trait> traits = []>
    : Gen_PoolingOp<mnemonic, !listconcat([
        DeclareOpInterfaceMethods<InferTypeOpInterface, ["refineReturnTypes"]>], traits)> {
  let extraClassDefinition = permutability # [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *, ::std::optional<::mlir::Location> location, ::mlir::ValueRange operands,
        ::mlir::DictionaryAttr attributes, ::mlir::OpaqueProperties properties, ::mlir::RegionRange regions,
        ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      Adaptor adaptor(operands, attributes, properties, regions);
      return inferWindows(getOperationName(), location, adaptor, types);
    }
    // The verifier compares the types, with a better message.
    ::llvm::LogicalResult $cppClass::refineReturnTypes(
        ::mlir::MLIRContext *, ::std::optional<::mlir::Location>, ::mlir::ValueRange, ::mlir::DictionaryAttr,
        ::mlir::OpaqueProperties, ::mlir::RegionRange, ::llvm::SmallVectorImpl<::mlir::Type> &) {
      return ::mlir::success();
    }
    ::llvm::LogicalResult $cppClass::verify() {
      return verifyPooling(*this, windowsOf(*this), getInput().getType(), getType());
    }
    ::llvm::LogicalResult $cppClass::reifyResultShapes(::mlir::OpBuilder &b,
                                                       ::mlir::ReifiedRankedShapedTypeDims &shapes) {
      return reifyWindows(*this, windowsOf(*this), b, shapes);
    }
    bool $cppClass::isElementwise() { return false; }
    int64_t $cppClass::elementCost() { return windowsOf(*this).elements(); }
  }];
}

def Gen_MaxPoolOp : Gen_WindowOp<"max_pool"> {
  let summary = "largest element of each window";
  let description = !strconcat([{
        result[n, c, p] = max over k of input[n, c, p * strides + k - low], k running over the positions of the window

    Positions out of the input's bounds are left out. NaN if one element is NaN. The gradient goes to the first maximum.
    Semantics: PyTorch max_pool1d, 2d, 3d; ONNX MaxPool.

  }], Gen_PoolingConstraints, [{

    ```mlir
    %y = gen.max_pool %x window [2, 2] strides [2, 2] low [0, 0] high [0, 0]
        : tensor<?x6x28x28xf32> -> tensor<?x6x14x14xf32>
    ```
  }]);
  let arguments = !con((ins Gen_FloatTensor:$input), attributes);
  let results = (outs Gen_FloatTensor:$result);
  let assemblyFormat = "$input " # attributesFormat # "type($input) `->` type($result)";
}

def Gen_MaxPoolSelectOp : Gen_WindowOp<"max_pool_select", [AllTypesMatch<["input", "values"]>]> {
  let summary = "the element of `values` where a window of `input` has its first maximum";
  let description = !strconcat([{
        result[n, c, p] = values[n, c, p * strides + k - low] for the first k in row-major order where
                          input[n, c, p * strides + k - low] is largest

    The first NaN counts as largest. `values` has the input's type. Linear in `values`; the
    derivative of gen.max_pool_gradient.
    Semantics: PyTorch max_pool2d with return_indices, then gather.

  }], Gen_PoolingConstraints, [{
    ```mlir
    %y = gen.max_pool_select %x, %v window [2, 2] strides [2, 2] low [0, 0] high [0, 0]
        : tensor<?x6x28x28xf32> -> tensor<?x6x14x14xf32>
    ```
  }]);
  let arguments = !con((ins Gen_FloatTensor:$input, Gen_FloatTensor:$values), attributes);
  let results = (outs Gen_FloatTensor:$result);
  let assemblyFormat = "$input `,` $values " # attributesFormat # "type($input) `->` type($result)";
}

def Gen_MaxPoolGradientOp : Gen_PoolingOp<"max_pool_gradient", [
    AllTypesMatch<["input", "result"]>, DeclareOpInterfaceMethods<Gen_TileOpInterface>]> {
  let summary = "what each element of the input gets of the gradient of gen.max_pool";
  let description = !strconcat([{
        result[n, c, s] = sum of gradient[n, c, p] over the windows p of which s is the first maximum

    The first NaN counts as largest. The result has the input's type. Linear in `gradient`.
    Semantics: StableHLO select_and_scatter; PyTorch max_unpool2d where windows do not overlap.

  }], Gen_PoolingConstraints, [{
    ```mlir
    %dx = gen.max_pool_gradient %x, %dy window [2, 2] strides [2, 2] low [0, 0] high [0, 0]
        : tensor<?x6x28x28xf32>, tensor<?x6x14x14xf32>
    ```
  }]);
  let arguments = !con((ins Gen_FloatTensor:$input, Gen_FloatTensor:$gradient), attributes);
  let results = (outs Gen_FloatTensor:$result);
  let assemblyFormat = "$input `,` $gradient " # attributesFormat # "type($input) `,` type($gradient)";
}

def Gen_SumPoolOp : Gen_WindowOp<"sum_pool"> {
  let summary = "sum of each window";
  let description = !strconcat([{
        result[n, c, p] = sum over k of input[n, c, p * strides + k - low], k running over the positions of the window

    The input is 0 out of its bounds. An average is this, divided.
    Semantics: StableHLO reduce_window with add; PyTorch avg_pool2d with divisor_override 1.

  }], Gen_PoolingConstraints, [{

    ```mlir
    %y = gen.sum_pool %x window [2, 2] strides [2, 2] low [0, 0] high [0, 0]
        : tensor<?x6x28x28xf32> -> tensor<?x6x14x14xf32>
    ```
  }]);
  let arguments = !con((ins Gen_FloatTensor:$input), attributes);
  let results = (outs Gen_FloatTensor:$result);
  let assemblyFormat = "$input " # attributesFormat # "type($input) `->` type($result)";
}

def Gen_SumPoolTransposeOp : Gen_PoolingOp<"sum_pool_transpose"> {
  let summary = "transpose of gen.sum_pool: each element is the sum of the windows over it";
  let description = !strconcat([{
        result[n, c, s] = sum of input[n, c, p] over the windows p that s is in

    The result's sizes are given, since images of several sizes have the same windows.
    Semantics: the gradient of PyTorch avg_pool2d with divisor_override 1.

  }], Gen_PoolingConstraints, [{
    (C5) There is one size for each dynamic dimension of the result.

    ```mlir
    %dx = gen.sum_pool_transpose %dy sizes(%n) window [2, 2] strides [2, 2] low [0, 0] high [0, 0]
        : tensor<?x6x14x14xf32> -> tensor<?x6x28x28xf32>
    ```
  }]);
  let arguments = !con((ins Gen_FloatTensor:$input, Variadic<Index>:$sizes), attributes);
  let results = (outs Gen_FloatTensor:$result);
  let assemblyFormat = [{
    $input (`sizes` `(` $sizes^ `)`)?
  }] # attributesFormat # "type($input) `->` type($result)";
}

#endif // GEN_POOLING_TD
