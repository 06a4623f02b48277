//===- Normalization.td - softmax and normalization by statistics ---------===//
//
// All of these are compositions, with derivatives of their own. Kernels of rows keep what a composition computes in between
// in the cache.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_NORMALIZATION_TD
#define GEN_NORMALIZATION_TD

include "dialect/Gen.td"

class Gen_NormalizationOp<string mnemonic, list<Trait> traits = []>
    : Gen_TensorOp<mnemonic, !listconcat([DeclareOpInterfaceMethods<Gen_DifferentiableOpInterface>,
                                          DeclareOpInterfaceMethods<Gen_DecomposableOpInterface>], traits)> {
  let hasVerifier = 1;
}

class Gen_SoftmaxLikeOp<string mnemonic> : Gen_NormalizationOp<mnemonic, [AllTypesMatch<["input", "result"]>]> {
  let arguments = (ins Gen_FloatTensor:$input, I64Attr:$axis);
  let results = (outs Gen_FloatTensor:$result);
  let assemblyFormat = "$input `axis` $axis attr-dict `:` type($input)";
}

def Gen_SoftmaxOp : Gen_SoftmaxLikeOp<"softmax"> {
  let summary = "exponentials along an axis, scaled to sum 1";
  let description = [{
        result = exp(x - m) / sum(exp(x - m))        m = max(x), sum and max along `axis`

    NaN where an element is NaN or infinity, or all are -infinity.
    Semantics: PyTorch softmax; ONNX Softmax, opset 13.

    (C1) `axis` is an axis of the input.

    ```mlir
    %p = gen.softmax %x axis 1 : tensor<8x10xf32>
    ```
  }];
}

def Gen_LogSoftmaxOp : Gen_SoftmaxLikeOp<"log_softmax"> {
  let summary = "logarithm of softmax, without overflow";
  let description = [{
        result = x - m - log(sum(exp(x - m)))        m = max(x), sum and max along `axis`

    Semantics: PyTorch log_softmax; ONNX LogSoftmax, opset 13.

    (C1) `axis` is an axis of the input.

    ```mlir
    %p = gen.log_softmax %x axis 1 : tensor<8x10xf32>
    ```
  }];
}

def Gen_LayerNormOp : Gen_NormalizationOp<"layer_norm",
    [AllTypesMatch<["input", "result"]>, AllTypesMatch<["scale", "bias"]>]> {
  let summary = "normalizes the trailing axes to mean 0 and variance 1, then scales and adds a bias";
  let description = [{
    Over the last `rank(scale)` axes of `input`:

        result = (input - mean) / sqrt(variance + epsilon) * scale + bias

    The variance is the biased one.
    Semantics: PyTorch layer_norm; ONNX LayerNormalization, opset 17.

    (C1) `scale` and `bias` have the shape of those axes, at least one.
    (C2) The operands have one element type.
    (C3) `epsilon` is not negative.

    ```mlir
    %y = gen.layer_norm %x, %scale, %bias epsilon 1.0e-05 : tensor<8x128x768xf32>, tensor<768xf32>
    ```
  }];
  let arguments = (ins Gen_FloatTensor:$input, Gen_FloatTensor:$scale, Gen_FloatTensor:$bias, F64Attr:$epsilon);
  let results = (outs Gen_FloatTensor:$result);
  let assemblyFormat = [{
    $input `,` $scale `,` $bias `epsilon` $epsilon attr-dict `:` type($input) `,` type($scale)
  }];
}

def Gen_RmsNormOp : Gen_NormalizationOp<"rms_norm", [AllTypesMatch<["input", "result"]>]> {
  let summary = "divides the trailing axes by their root mean square, then scales";
  let description = [{
    Over the last `rank(scale)` axes of `input`:

        result = input / sqrt(mean(input * input) + epsilon) * scale

    Semantics: PyTorch rms_norm; ONNX RMSNormalization, opset 23.

    (C1) `scale` has the shape of those axes, at least one.
    (C2) The operands have one element type.
    (C3) `epsilon` is not negative.

    ```mlir
    %y = gen.rms_norm %x, %scale epsilon 1.0e-05 : tensor<8x128x768xf32>, tensor<768xf32>
    ```
  }];
  let arguments = (ins Gen_FloatTensor:$input, Gen_FloatTensor:$scale, F64Attr:$epsilon);
  let results = (outs Gen_FloatTensor:$result);
  let assemblyFormat = "$input `,` $scale `epsilon` $epsilon attr-dict `:` type($input) `,` type($scale)";
}

def Gen_GroupNormOp : Gen_NormalizationOp<"group_norm",
    [AllTypesMatch<["input", "result"]>, AllTypesMatch<["scale", "bias"]>]> {
  let summary = "normalizes each group of channels of each example, then scales and adds a bias";
  let description = [{
    Axis 0 counts examples, `axis` channels. Over all other axes and `channels / groups` channels side by side:

        result = (input - mean) / sqrt(variance + epsilon) * scale[channel] + bias[channel]

    The variance is the biased one. As many groups as channels: instance normalization.
    Semantics: PyTorch group_norm, instance_norm; ONNX GroupNormalization, opset 21.

    (C1) `axis` is an axis of the input, but not the first.
    (C2) The number of channels is static and a multiple of `groups`, which is positive.
    (C3) `scale` and `bias` hold one number a channel.
    (C4) The operands have one element type.
    (C5) `epsilon` is not negative.

    ```mlir
    %y = gen.group_norm %x, %scale, %bias groups 4 axis 1 epsilon 1.0e-05 : tensor<8x32x16x16xf32>, tensor<32xf32>
    ```
  }];
  let arguments = (ins Gen_FloatTensor:$input, Gen_FloatTensor:$scale, Gen_FloatTensor:$bias, I64Attr:$groups,
                       I64Attr:$axis, F64Attr:$epsilon);
  let results = (outs Gen_FloatTensor:$result);
  let assemblyFormat = [{
    $input `,` $scale `,` $bias `groups` $groups `axis` $axis `epsilon` $epsilon attr-dict `:` type($input) `,`
    type($scale)
  }];
}

def Gen_BatchNormOp : Gen_NormalizationOp<"batch_norm",
    [AllTypesMatch<["input", "result"]>, AllTypesMatch<["scale", "bias", "mean", "variance"]>]> {
  let summary = "normalizes each channel by its statistics over the batch, then scales and adds a bias";
  let description = [{
    The form for training. Along all axes but `axis`, which counts channels:

        result = (input - mean) / sqrt(variance + epsilon) * scale + bias

    The mean and the (biased) variance are results too, for running statistics. With those the form for inference is plain
    arithmetic.
    Semantics: PyTorch batch_norm with training=True; ONNX BatchNormalization, opset 15, training_mode=1.

    (C1) `axis` is an axis of the input, but not the first.
    (C2) `scale` and `bias` hold one number a channel.
    (C3) The operands have one element type.
    (C4) `epsilon` is not negative.

    ```mlir
    %y, %mean, %variance = gen.batch_norm %x, %scale, %bias axis 1 epsilon 1.0e-05 : tensor<8x32x16x16xf32>, tensor<32xf32>
    ```
  }];
  let arguments = (ins Gen_FloatTensor:$input, Gen_FloatTensor:$scale, Gen_FloatTensor:$bias, I64Attr:$axis,
                       F64Attr:$epsilon);
  let results = (outs Gen_FloatTensor:$result, Gen_FloatTensor:$mean, Gen_FloatTensor:$variance);
  let assemblyFormat = [{
    $input `,` $scale `,` $bias `axis` $axis `epsilon` $epsilon attr-dict `:` type($input) `,` type($scale)
  }];
}

#endif // GEN_NORMALIZATION_TD
