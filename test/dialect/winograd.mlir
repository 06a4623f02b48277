// RUN: gen-opt %s | gen-opt | FileCheck %s
// RUN: gen-opt %s --interpret=square | FileCheck %s --check-prefix=NUMBERS

// CHECK-LABEL: func.func @split
// CHECK: gen.winograd_split %{{.*}} matrix [1.000000e+00, 0.000000e+00, -1.000000e+00, 5.000000e-01, 5.000000e-01, 5.000000e-01] rows 2 step 1 : tensor<2x6x5x4xf32> -> tensor<4x2x4x3x4xf32>
func.func @split(%x: tensor<2x6x5x4xf32>) -> tensor<4x2x4x3x4xf32> {
  %0 = gen.winograd_split %x matrix [1.0, 0.0, -1.0, 0.5, 0.5, 0.5] rows 2 step 1 : tensor<2x6x5x4xf32> -> tensor<4x2x4x3x4xf32>
  return %0 : tensor<4x2x4x3x4xf32>
}

// CHECK-LABEL: func.func @join
// CHECK: gen.winograd_join %{{.*}} matrix [1.000000e+00, 1.000000e+00, 1.000000e+00, 0.000000e+00, 0.000000e+00, 1.000000e+00, -1.000000e+00, -1.000000e+00] rows 2 step 2 : tensor<16x1x2x3x4xf32> -> tensor<1x4x6x4xf32>
func.func @join(%x: tensor<16x1x2x3x4xf32>) -> tensor<1x4x6x4xf32> {
  %0 = gen.winograd_join %x matrix [1.0, 1.0, 1.0, 0.0, 0.0, 1.0, -1.0, -1.0] rows 2 step 2 : tensor<16x1x2x3x4xf32> -> tensor<1x4x6x4xf32>
  return %0 : tensor<1x4x6x4xf32>
}

// Sums and differences of the pixels 1, 2, 3, 4 of a square along both axes, and back: four times the square.
// NUMBERS: 0: tensor<4x1x1x1x1xf32> {{.*}}10{{.*}}-2{{.*}}-4{{.*}}0
// NUMBERS: 1: tensor<1x2x2x1xf32> {{.*}}4{{.*}}8{{.*}}12{{.*}}16
func.func @square() -> (tensor<4x1x1x1x1xf32>, tensor<1x2x2x1xf32>) {
  %x = gen.constant dense<[[[[1.0], [2.0]], [[3.0], [4.0]]]]> : tensor<1x2x2x1xf32>
  %0 = gen.winograd_split %x matrix [1.0, 1.0, 1.0, -1.0] rows 2 step 2 : tensor<1x2x2x1xf32> -> tensor<4x1x1x1x1xf32>
  %1 = gen.winograd_join %0 matrix [1.0, 1.0, 1.0, -1.0] rows 2 step 2 : tensor<4x1x1x1x1xf32> -> tensor<1x2x2x1xf32>
  return %0, %1 : tensor<4x1x1x1x1xf32>, tensor<1x2x2x1xf32>
}
