// RUN: gen-opt %s --split-input-file --gen-fuse-kernels --verify-diagnostics

func.func @loss(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'gen.bce_with_logits' op belongs to no kernel; hint: run --gen-differentiate and --gen-decompose before --gen-fuse-kernels}}
  %0 = gen.bce_with_logits %x, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @channels_first(%x: tensor<4x3x8x8xf32>, %w: tensor<5x3x1x1xf32>) -> tensor<4x5x8x8xf32> {
  // expected-error @+1 {{'gen.convolution' op is made a kernel with channels last and padded input only; hint: run --gen-channels-last before --gen-fuse-kernels}}
  %0 = gen.convolution %x, %w strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] : (tensor<4x3x8x8xf32>, tensor<5x3x1x1xf32>) -> tensor<4x5x8x8xf32>
  return %0 : tensor<4x5x8x8xf32>
}
