// RUN: gen-opt %s --gen-fold-strides --canonicalize | FileCheck %s
// RUN: gen-opt %s --gen-fold-strides --gen-transform-convolutions --canonicalize | FileCheck %s --check-prefix=TILES

// Squares of 2 x 2 pixels are one pixel of four times as many channels; so are squares of taps.
// CHECK-LABEL: func.func @convolution
// CHECK-DAG: %[[P:.*]] = gen.pad %arg0 {{.*}} low [0, 1, 1, 0] high [0, 1, 1, 0] {{.*}} -> tensor<2x18x18x64xf32>
// CHECK-DAG: %[[X:.*]] = gen.reshape %[[P]] : tensor<2x18x18x64xf32> -> tensor<2x9x2x9x2x64xf32>
// CHECK-DAG: %[[XX:.*]] = gen.transpose %[[X]] permutation [0, 1, 3, 2, 4, 5]
// CHECK-DAG: %[[S:.*]] = gen.reshape %[[XX]] {{.*}} -> tensor<2x9x9x256xf32>
// CHECK-DAG: %[[W:.*]] = gen.reshape %arg1 : tensor<4x4x64x128xf32> -> tensor<2x2x2x2x64x128xf32>
// CHECK-DAG: %[[WW:.*]] = gen.transpose %[[W]] permutation [0, 2, 1, 3, 4, 5]
// CHECK-DAG: %[[T:.*]] = gen.reshape %[[WW]] {{.*}} -> tensor<2x2x256x128xf32>
// CHECK: gen.convolution %[[S]], %[[T]] strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last
// TILES-LABEL: func.func @convolution
// TILES: gen.winograd_split {{.*}} rows 3 step 2 : tensor<2x9x9x256xf32> -> tensor<9x2x4x4x256xf32>
// TILES: gen.matmul {{.*}} (tensor<9x32x256xf32>, tensor<9x256x128xf32>) -> tensor<9x32x128xf32>
// TILES: gen.winograd_join {{.*}} rows 2 step 2 : tensor<9x2x4x4x128xf32> -> tensor<2x8x8x128xf32>
func.func @convolution(%x: tensor<2x16x16x64xf32>, %w: tensor<4x4x64x128xf32>) -> tensor<2x8x8x128xf32> {
  %y = gen.convolution %x, %w strides [2, 2] low [1, 1] high [1, 1] dilations [1, 1] channels_last
      : (tensor<2x16x16x64xf32>, tensor<4x4x64x128xf32>) -> tensor<2x8x8x128xf32>
  return %y : tensor<2x8x8x128xf32>
}

// The weight's gradient, of any number of images: its taps go back to where they were.
// CHECK-LABEL: func.func @gradient
// CHECK: %[[G:.*]] = gen.convolution_weight_gradient {{.*}} -> tensor<2x2x256x128xf32>
// CHECK: gen.reshape %[[G]] : tensor<2x2x256x128xf32> -> tensor<2x2x2x2x64x128xf32>
// CHECK: gen.transpose {{.*}} permutation [5, 4, 0, 2, 1, 3]
// CHECK: gen.reshape {{.*}} -> tensor<128x64x4x4xf32>
// TILES-LABEL: func.func @gradient
// TILES-DAG: gen.winograd_split {{.*}} rows 3 step 2 : tensor<?x9x9x256xf32> -> tensor<9x?x4x4x256xf32>
// TILES-DAG: gen.winograd_split {{.*}} rows 3 step 2 : tensor<?x8x8x128xf32> -> tensor<9x?x4x4x128xf32>
// TILES: gen.winograd_join {{.*}} rows 2 step 2 : tensor<9x256x1x1x128xf32> -> tensor<256x2x2x128xf32>
// One transposition.
// TILES: gen.transpose
// TILES-NOT: gen.transpose
// TILES: return
func.func @gradient(%x: tensor<?x16x16x64xf32>, %y: tensor<?x8x8x128xf32>) -> tensor<128x64x4x4xf32> {
  %w = gen.convolution_weight_gradient %x, %y strides [2, 2] low [1, 1] high [1, 1] dilations [1, 1] channels_last
      : (tensor<?x16x16x64xf32>, tensor<?x8x8x128xf32>) -> tensor<4x4x64x128xf32>
  %t = gen.transpose %w permutation [3, 2, 0, 1] : tensor<4x4x64x128xf32> -> tensor<128x64x4x4xf32>
  return %t : tensor<128x64x4x4xf32>
}

// The transposed convolution (see transform-convolutions.mlir), few channels, few pixels, other windows: as they are.
// CHECK-LABEL: func.func @others
// CHECK-NOT: gen.reshape
// CHECK: return
func.func @others(%x: tensor<2x16x16x64xf32>, %y: tensor<2x8x8x128xf32>, %w: tensor<4x4x64x128xf32>,
                  %narrow: tensor<4x4x64x32xf32>, %three: tensor<3x3x64x128xf32>, %small: tensor<2x8x8x64xf32>)
    -> (tensor<2x16x16x64xf32>, tensor<2x8x8x32xf32>, tensor<2x8x8x128xf32>, tensor<2x4x4x128xf32>) {
  %0 = gen.convolution_transpose %y, %w strides [2, 2] low [1, 1] high [1, 1] dilations [1, 1] channels_last
      : (tensor<2x8x8x128xf32>, tensor<4x4x64x128xf32>) -> tensor<2x16x16x64xf32>
  %1 = gen.convolution %x, %narrow strides [2, 2] low [1, 1] high [1, 1] dilations [1, 1] channels_last
      : (tensor<2x16x16x64xf32>, tensor<4x4x64x32xf32>) -> tensor<2x8x8x32xf32>
  %2 = gen.convolution %x, %three strides [2, 2] low [1, 1] high [1, 1] dilations [1, 1] channels_last
      : (tensor<2x16x16x64xf32>, tensor<3x3x64x128xf32>) -> tensor<2x8x8x128xf32>
  %3 = gen.convolution %small, %w strides [2, 2] low [1, 1] high [1, 1] dilations [1, 1] channels_last
      : (tensor<2x8x8x64xf32>, tensor<4x4x64x128xf32>) -> tensor<2x4x4x128xf32>
  return %0, %1, %2, %3 : tensor<2x16x16x64xf32>, tensor<2x8x8x32xf32>, tensor<2x8x8x128xf32>, tensor<2x4x4x128xf32>
}
