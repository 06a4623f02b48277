// RUN: gen-opt %s | FileCheck %s
// RUN: gen-opt %s --mlir-print-op-generic | gen-opt | FileCheck %s

// CHECK-LABEL: func.func @image
// CHECK: gen.convolution %{{.*}}, %{{.*}} strides [2, 2] low [1, 1] high [1, 1] dilations [1, 1] : (tensor<?x3x32x32xf32>, tensor<64x3x4x4xf32>) -> tensor<?x64x16x16xf32>
func.func @image(%x: tensor<?x3x32x32xf32>, %w: tensor<64x3x4x4xf32>) -> tensor<?x64x16x16xf32> {
  %0 = gen.convolution %x, %w strides [2, 2] low [1, 1] high [1, 1] dilations [1, 1]
      : (tensor<?x3x32x32xf32>, tensor<64x3x4x4xf32>) -> tensor<?x64x16x16xf32>
  return %0 : tensor<?x64x16x16xf32>
}

// CHECK-LABEL: func.func @depthwise_channels_last
// CHECK: dilations [2, 1] groups 8 channels_last : (tensor<2x9x?x8xf64>, tensor<3x3x1x8xf64>) -> tensor<2x5x?x8xf64>
func.func @depthwise_channels_last(%x: tensor<2x9x?x8xf64>, %w: tensor<3x3x1x8xf64>) -> tensor<2x5x?x8xf64> {
  %0 = gen.convolution %x, %w strides [1, 1] low [0, 1] high [0, 1] dilations [2, 1] groups 8 channels_last
      : (tensor<2x9x?x8xf64>, tensor<3x3x1x8xf64>) -> tensor<2x5x?x8xf64>
  return %0 : tensor<2x5x?x8xf64>
}

// CHECK-LABEL: func.func @transpose
// CHECK: gen.convolution_transpose %{{.*}}, %{{.*}} sizes(%{{.*}}) strides [2, 2] low [1, 1] high [0, 0] dilations [1, 1] : (tensor<?x64x16x16xf32>, tensor<64x3x3x3xf32>) -> tensor<?x3x32x32xf32>
func.func @transpose(%y: tensor<?x64x16x16xf32>, %w: tensor<64x3x3x3xf32>) -> tensor<?x3x32x32xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %y, %c0 : tensor<?x64x16x16xf32>
  %0 = gen.convolution_transpose %y, %w sizes(%n) strides [2, 2] low [1, 1] high [0, 0] dilations [1, 1]
      : (tensor<?x64x16x16xf32>, tensor<64x3x3x3xf32>) -> tensor<?x3x32x32xf32>
  return %0 : tensor<?x3x32x32xf32>
}

// CHECK-LABEL: func.func @weight_gradient
// CHECK: gen.convolution_weight_gradient %{{.*}}, %{{.*}} strides [1] low [2] high [2] dilations [1] : (tensor<?x2x?xf32>, tensor<?x3x?xf32>) -> tensor<3x2x5xf32>
func.func @weight_gradient(%x: tensor<?x2x?xf32>, %y: tensor<?x3x?xf32>) -> tensor<3x2x5xf32> {
  %0 = gen.convolution_weight_gradient %x, %y strides [1] low [2] high [2] dilations [1]
      : (tensor<?x2x?xf32>, tensor<?x3x?xf32>) -> tensor<3x2x5xf32>
  return %0 : tensor<3x2x5xf32>
}
