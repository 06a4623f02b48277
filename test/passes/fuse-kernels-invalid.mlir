// RUN: gen-opt %s --gen-fuse-kernels --verify-diagnostics

func.func @loss(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'gen.bce_with_logits' op belongs to no kernel; hint: run --gen-differentiate and --gen-decompose before --gen-fuse-kernels}}
  %0 = gen.bce_with_logits %x, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
