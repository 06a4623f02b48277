// RUN: gen-opt %s --gen-prepare-convolutions | FileCheck %s

// Two of four taps along an axis meet a position; one reaches beyond the operand at each end.
// CHECK-LABEL: func.func @halves
// CHECK: %[[P:.*]] = gen.pad %arg0 value 0.000000e+00 : f32 low [0, 1, 1, 0] high [0, 1, 1, 0] interior [0, 0, 0, 0] : tensor<?x8x8x32xf32> -> tensor<?x10x10x32xf32>
// CHECK: gen.convolution_transpose %[[P]], %arg1 sizes(%arg2) strides [2, 2] low [3, 3] high [3, 3] dilations [1, 1] channels_last {gen.margins = array<i64: 1, 1, 1, 1>}
func.func @halves(%y: tensor<?x8x8x32xf32>, %w: tensor<4x4x16x32xf32>, %n: index) -> tensor<?x16x16x16xf32> {
  %x = gen.convolution_transpose %y, %w sizes(%n) strides [2, 2] low [1, 1] high [1, 1] dilations [1, 1] channels_last
      : (tensor<?x8x8x32xf32>, tensor<4x4x16x32xf32>) -> tensor<?x16x16x16xf32>
  return %x : tensor<?x16x16x16xf32>
}

// The result's padding cuts off more than the taps reach, and of three positions a line the last is met by none.
// CHECK-LABEL: func.func @inside
// CHECK-NOT: gen.pad
// CHECK: gen.convolution_transpose %arg0, %arg1 strides [1, 3] low [1, 0] high [1, 2]
func.func @inside(%y: tensor<2x7x3x5xf32>, %w: tensor<1x1x4x5xf32>) -> tensor<2x5x7x4xf32> {
  %x = gen.convolution_transpose %y, %w strides [1, 3] low [1, 0] high [1, 2] dilations [1, 1] channels_last
      : (tensor<2x7x3x5xf32>, tensor<1x1x4x5xf32>) -> tensor<2x5x7x4xf32>
  return %x : tensor<2x5x7x4xf32>
}

// With a size that is known in a run only, phases may be as long as the next multiple of the stride.
// CHECK-LABEL: func.func @unknown
// CHECK: gen.pad %arg0 value 0.000000e+00 : f32 low [0, 1, 0] high [0, 2, 0] interior [0, 0, 0]
// CHECK: gen.convolution_transpose %{{.*}}, %arg1 sizes(%arg2) strides [2] low [3] high [5]
func.func @unknown(%y: tensor<2x?x5xf32>, %w: tensor<4x6x5xf32>, %n: index) -> tensor<2x?x6xf32> {
  %x = gen.convolution_transpose %y, %w sizes(%n) strides [2] low [1] high [1] dilations [1] channels_last
      : (tensor<2x?x5xf32>, tensor<4x6x5xf32>) -> tensor<2x?x6xf32>
  return %x : tensor<2x?x6xf32>
}

// CHECK-LABEL: func.func @one_position
// CHECK: %[[Y:.*]] = gen.reshape %arg0 sizes(%{{.*}}) : tensor<?x1x1x100xf32> -> tensor<?x100xf32>
// CHECK: %[[W:.*]] = gen.reshape %arg1 : tensor<4x4x64x100xf32> -> tensor<1024x100xf32>
// CHECK: %[[P:.*]] = gen.matmul %[[Y]], %[[W]] transposed
// CHECK: gen.reshape %[[P]] sizes(%arg2) : tensor<?x1024xf32> -> tensor<?x4x4x64xf32>
func.func @one_position(%y: tensor<?x1x1x100xf32>, %w: tensor<4x4x64x100xf32>, %n: index) -> tensor<?x4x4x64xf32> {
  %x = gen.convolution_transpose %y, %w sizes(%n) strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<?x1x1x100xf32>, tensor<4x4x64x100xf32>) -> tensor<?x4x4x64xf32>
  return %x : tensor<?x4x4x64xf32>
}
