//===- Convolution.td - convolutions and their derivatives ----------------===//
//
// Three ops share one sum of products over an input x, a weight w and an output y. Channels first, with c' = c / groups
// and o' = o / groups, for each group g:
//
//     y[n, g o' + o, p] += x[n, g c' + c, p * strides + k * dilations - low] * w[g o' + o, c, k]
//
// x is 0 out of its bounds. A convolution makes y of x and w, its transpose x of y and w, the third op w of x and y. The
// sum is linear in each, so the derivatives of one are the other two, to any order. `input`, `weight` and `output` are
// those of the convolution in all three.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_CONVOLUTION_TD
#define GEN_CONVOLUTION_TD

include "dialect/Gen.td"

/// What the verifier of the three ops checks; part of each one's description.
defvar Gen_ConvolutionConstraints = [{
    Input and output are [n, channels, spatial...], the weight is [o, c / groups, spatial...]; with `channels_last` they are
    [n, spatial..., channels] and [spatial..., c / groups, o]. Depthwise is groups = c.

    (C1) Input, weight and output have one rank, 3 to 5, and one element type.
    (C2) `strides`, `low`, `high` and `dilations` hold one number for each spatial axis; strides and dilations are positive,
    paddings not negative.
    (C3) The weight has a static shape, without axes of size 0.
    (C4) `groups` divides o, and the input has `groups` times as many channels as the weight.
    (C5) The padded input is at least as long as the dilated weight along each spatial axis.
    (C6) The output has the input's batch size, o channels, and along each spatial axis
    (input + low + high - (weight - 1) * dilation - 1) / stride + 1 positions, rounded down.
}];

class Gen_ConvolutionalOp<string mnemonic, list<Trait> traits = []>
    : Gen_TensorOp<mnemonic, !listconcat([DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>,
                                          Gen_ContractionOpInterface, Gen_ConvolutionOpInterface,
                                          DeclareOpInterfaceMethods<Gen_ProductsOpInterface>], traits)> {
  dag window = (ins DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$high,
                    DenseI64ArrayAttr:$dilations, DefaultValuedAttr<I64Attr, "1">:$groups, UnitAttr:$channels_last);
  string windowFormat = [{
    `strides` $strides `low` $low `high` $high `dilations` $dilations (`groups` $groups^)?
    (`channels_last` $channels_last^)? attr-dict `:`
  }];
  let hasVerifier = 1;
}

def Gen_ConvolutionOp : Gen_ConvolutionalOp<"convolution",
    [DeclareOpInterfaceMethods<InferTypeOpInterface, ["refineReturnTypes"]>]> {
  let summary = "convolution (cross-correlation) over one to three spatial axes";
  let description = !strconcat([{
    Channels first, for each group g of c' input and o' output channels:

        output[n, g o' + o, p] = sum over c, k of
            input[n, g c' + c, p * strides + k * dilations - low] * weight[g o' + o, c, k]

    The input is 0 out of its bounds. Where the padded input is shorter than the dilated weight, which can happen with dynamic
    sizes, the output is empty.
    Semantics: PyTorch conv1d, conv2d, conv3d; StableHLO convolution without lhs_dilation; ONNX Conv.

  }], Gen_ConvolutionConstraints, [{

    ```mlir
    %y = gen.convolution %x, %w strides [2, 2] low [1, 1] high [1, 1] dilations [1, 1]
        : (tensor<?x3x32x32xf32>, tensor<64x3x4x4xf32>) -> tensor<?x64x16x16xf32>
    ```
  }]);
  let arguments = !con((ins Gen_FloatTensor:$input, Gen_FloatTensor:$weight), window);
  let results = (outs Gen_FloatTensor:$output);
  let assemblyFormat = "$input `,` $weight " # windowFormat # "`(` type($input) `,` type($weight) `)` `->` type($output)";
}

def Gen_ConvolutionTransposeOp : Gen_ConvolutionalOp<"convolution_transpose"> {
  let summary = "transposed convolution: the gradient of a convolution with respect to its input";
  let description = !strconcat([{
    Channels first, for each group g of c' input and o' output channels:

        input[n, g c' + c, s] = sum over o, k, and p with s = p * strides + k * dilations - low, of
            output[n, g o' + o, p] * weight[g o' + o, c, k]

    `output` and `input` are named as in the convolution: this op's operand and its result. The result's sizes are given, since
    a convolution with strides makes outputs of one size of inputs of several.
    Semantics: PyTorch conv_transpose1d, 2d, 3d; ONNX ConvTranspose.

  }], Gen_ConvolutionConstraints, [{
    (C7) There is one size for each dynamic dimension of the result.

    ```mlir
    %x = gen.convolution_transpose %y, %w sizes(%n) strides [2, 2] low [1, 1] high [1, 1] dilations [1, 1]
        : (tensor<?x64x16x16xf32>, tensor<64x3x4x4xf32>) -> tensor<?x3x32x32xf32>
    ```
  }]);
  let arguments = !con((ins Gen_FloatTensor:$output, Gen_FloatTensor:$weight, Variadic<Index>:$sizes), window);
  let results = (outs Gen_FloatTensor:$input);
  let assemblyFormat = "$output `,` $weight (`sizes` `(` $sizes^ `)`)? " # windowFormat
                       # "`(` type($output) `,` type($weight) `)` `->` type($input)";
}

def Gen_ConvolutionWeightGradientOp : Gen_ConvolutionalOp<"convolution_weight_gradient"> {
  let summary = "the gradient of a convolution with respect to its weight";
  let description = !strconcat([{
    Channels first, for each group g of c' input and o' output channels:

        weight[g o' + o, c, k] = sum over n, p of
            input[n, g c' + c, p * strides + k * dilations - low] * output[n, g o' + o, p]

    `output` is the gradient of a convolution's output, or any tensor of its shape. The result's shape is given, since a
    convolution with strides makes outputs of one size with weights of several.
    Semantics: PyTorch torch.nn.grad.conv2d_weight.

  }], Gen_ConvolutionConstraints, [{

    ```mlir
    %dw = gen.convolution_weight_gradient %x, %dy strides [2, 2] low [1, 1] high [1, 1] dilations [1, 1]
        : (tensor<?x3x32x32xf32>, tensor<?x64x16x16xf32>) -> tensor<64x3x4x4xf32>
    ```
  }]);
  let arguments = !con((ins Gen_FloatTensor:$input, Gen_FloatTensor:$output), window);
  let results = (outs Gen_FloatTensor:$weight);
  let assemblyFormat = "$input `,` $output " # windowFormat # "`(` type($input) `,` type($output) `)` `->` type($weight)";
}

#endif // GEN_CONVOLUTION_TD
