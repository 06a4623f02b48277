// RUN: gen-opt %s --gen-transform-convolutions --canonicalize | FileCheck %s
// RUN: gencc %s --emit=kernels -o - | FileCheck %s --check-prefix=KERNELS

gen.variable @w : tensor<96x64x3x3xf32>

// Tiles of 6 x 6 pixels every 4, one product for each of their elements, tiles of 4 x 4 pixels.
// CHECK-LABEL: func.func @convolution
// CHECK-SAME: %[[X:.*]]: tensor<1x18x18x64xf32>
// CHECK: %[[W:.*]] = gen.read @w
// CHECK-DAG: %[[T:.*]] = gen.winograd_split %[[X]] matrix {{.*}} rows 6 step 4 : tensor<1x18x18x64xf32> -> tensor<36x1x4x4x64xf32>
// CHECK-DAG: %[[WT:.*]] = gen.transpose %[[W]] permutation [1, 2, 3, 0] : tensor<96x64x3x3xf32> -> tensor<64x3x3x96xf32>
// CHECK-DAG: %[[U:.*]] = gen.winograd_split %[[WT]] matrix {{.*}} rows 6 step 1 : tensor<64x3x3x96xf32> -> tensor<36x64x1x1x96xf32>
// CHECK-DAG: %[[TT:.*]] = gen.reshape %[[T]] : tensor<36x1x4x4x64xf32> -> tensor<36x16x64xf32>
// CHECK-DAG: %[[UU:.*]] = gen.reshape %[[U]] : tensor<36x64x1x1x96xf32> -> tensor<36x64x96xf32>
// CHECK: %[[P:.*]] = gen.matmul %[[TT]], %[[UU]] {chain = 64 : i64} : (tensor<36x16x64xf32>, tensor<36x64x96xf32>) -> tensor<36x16x96xf32>
// CHECK: %[[PP:.*]] = gen.reshape %[[P]] : tensor<36x16x96xf32> -> tensor<36x1x4x4x96xf32>
// CHECK: gen.winograd_join %[[PP]] matrix {{.*}} rows 4 step 4 : tensor<36x1x4x4x96xf32> -> tensor<1x16x16x96xf32>

// The weight is transformed once, what follows is computed as the tiles are joined.
// KERNELS-LABEL: func.func @convolution
// KERNELS: call @w.reduce()
// KERNELS: %[[U:.*]] = gen.read @w.reduced : tensor<36x64x1x1x96xf32>
// KERNELS: gen.launch @winograd_split(%arg0)
// KERNELS: gen.launch @matmul
// KERNELS: gen.launch @winograd_join_relu
// KERNELS-NEXT: return
func.func @convolution(%x: tensor<1x18x18x64xf32>) -> tensor<1x16x16x96xf32> {
  %w = gen.read @w : tensor<96x64x3x3xf32>
  %t = gen.transpose %w permutation [2, 3, 1, 0] : tensor<96x64x3x3xf32> -> tensor<3x3x64x96xf32>
  %y = gen.convolution %x, %t strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<1x18x18x64xf32>, tensor<3x3x64x96xf32>) -> tensor<1x16x16x96xf32>
  %z = gen.relu %y : tensor<1x16x16x96xf32>
  return %z : tensor<1x16x16x96xf32>
}

// The gradient of the input, of fewer large tiles, so of small ones: that of the output with a frame of zeros, and the taps in reverse.
// CHECK-LABEL: func.func @transpose
// CHECK: %[[P:.*]] = gen.pad %{{.*}} low [0, 1, 1, 0] high [0, 1, 1, 0]
// CHECK-DAG: gen.winograd_split %[[P]] {{.*}} tensor<1x14x22x96xf32> -> tensor<16x1x6x10x96xf32>
// CHECK-DAG: %[[WT:.*]] = gen.transpose %{{.*}} permutation [0, 2, 3, 1] : tensor<96x64x3x3xf32> -> tensor<96x3x3x64xf32>
// CHECK-DAG: gen.winograd_split %[[WT]] matrix [0.000000e+00, 0.000000e+00, 1.000000e+00, 5.000000e-01,
// CHECK: gen.winograd_join {{.*}} -> tensor<1x12x20x64xf32>
func.func @transpose(%y: tensor<1x12x20x96xf32>, %new: tensor<96x64x3x3xf32>) -> tensor<1x12x20x64xf32> {
  %w = gen.read @w : tensor<96x64x3x3xf32>
  %t = gen.transpose %w permutation [2, 3, 1, 0] : tensor<96x64x3x3xf32> -> tensor<3x3x64x96xf32>
  %x = gen.convolution_transpose %y, %t strides [1, 1] low [1, 1] high [1, 1] dilations [1, 1] channels_last
      : (tensor<1x12x20x96xf32>, tensor<3x3x64x96xf32>) -> tensor<1x12x20x64xf32>
  gen.assign @w, %new : tensor<96x64x3x3xf32>
  return %x : tensor<1x12x20x64xf32>
}

// The gradient of the weight: products of tiles of the image and of the output's gradient, summed over tiles. The
// convolution has the transformed image in common.
// CHECK-LABEL: func.func @weight_gradient
// CHECK-SAME: %[[X:.*]]: tensor<1x14x22x64xf32>, %[[Y:.*]]: tensor<1x12x20x96xf32>
// CHECK: %[[T:.*]] = gen.winograd_split %[[X]] {{.*}} -> tensor<16x1x6x10x64xf32>
// CHECK: %[[S:.*]] = gen.winograd_split %[[Y]] matrix [1.000000e+00, 0.000000e+00, 1.000000e+00, 1.000000e+00, 1.000000e+00, -1.000000e+00, 0.000000e+00, 1.000000e+00] rows 4 step 2 : tensor<1x12x20x96xf32> -> tensor<16x1x6x10x96xf32>
// CHECK-DAG: %[[TT:.*]] = gen.reshape %[[T]] : tensor<16x1x6x10x64xf32> -> tensor<16x60x64xf32>
// CHECK-DAG: %[[SS:.*]] = gen.reshape %[[S]] : tensor<16x1x6x10x96xf32> -> tensor<16x60x96xf32>
// CHECK: %[[P:.*]] = gen.matmul %[[TT]] transposed, %[[SS]] : {{.*}} -> tensor<16x64x96xf32>
// CHECK: %[[PP:.*]] = gen.reshape %[[P]] : tensor<16x64x96xf32> -> tensor<16x64x1x1x96xf32>
// CHECK: %[[W:.*]] = gen.winograd_join %[[PP]] matrix {{.*}} rows 3 step 3 : tensor<16x64x1x1x96xf32> -> tensor<64x3x3x96xf32>
// CHECK: gen.transpose %[[W]] permutation [1, 2, 0, 3] : tensor<64x3x3x96xf32> -> tensor<3x3x64x96xf32>
func.func @weight_gradient(%x: tensor<1x14x22x64xf32>, %y: tensor<1x12x20x96xf32>) -> tensor<3x3x64x96xf32> {
  %w = gen.convolution_weight_gradient %x, %y strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<1x14x22x64xf32>, tensor<1x12x20x96xf32>) -> tensor<3x3x64x96xf32>
  return %w : tensor<3x3x64x96xf32>
}

// A transposed convolution that doubles images: two convolutions along each axis, 5 products each for 4 pixels, of tiles
// that begin one pixel apart.
// CHECK-LABEL: func.func @doubling
// CHECK: %[[P:.*]] = gen.pad %arg0 {{.*}} -> tensor<2x18x18x128xf32>
// CHECK-DAG: %[[T:.*]] = gen.winograd_split %[[P]] {{.*}} rows 10 step 4 : tensor<2x18x18x128xf32> -> tensor<100x2x4x4x128xf32>
// CHECK-DAG: %[[U:.*]] = gen.winograd_split {{.*}} rows 10 step 1 : tensor<128x4x4x64xf32> -> tensor<100x128x1x1x64xf32>
// CHECK: gen.matmul {{.*}} : (tensor<100x32x128xf32>, tensor<100x128x64xf32>) -> tensor<100x32x64xf32>
// CHECK: gen.winograd_join {{.*}} rows 8 step 8 : tensor<100x2x4x4x64xf32> -> tensor<2x32x32x64xf32>
func.func @doubling(%y: tensor<2x16x16x128xf32>, %w: tensor<4x4x64x128xf32>) -> tensor<2x32x32x64xf32> {
  %x = gen.convolution_transpose %y, %w strides [2, 2] low [1, 1] high [1, 1] dilations [1, 1] channels_last
      : (tensor<2x16x16x128xf32>, tensor<4x4x64x128xf32>) -> tensor<2x32x32x64xf32>
  return %x : tensor<2x32x32x64xf32>
}

// Any number of images.
// CHECK-LABEL: func.func @images
// CHECK-SAME: %[[X:.*]]: tensor<?x10x10x64xf32>
// CHECK-DAG: %[[N:.*]] = tensor.dim %[[X]]
// CHECK-DAG: %[[TILES:.*]] = arith.muli %[[N]], %c16
// CHECK-DAG: %[[T:.*]] = gen.winograd_split %[[X]] {{.*}} -> tensor<16x?x4x4x64xf32>
// CHECK-DAG: gen.reshape %[[T]] sizes(%[[TILES]]) : tensor<16x?x4x4x64xf32> -> tensor<16x?x64xf32>
// CHECK: %[[P:.*]] = gen.matmul
// CHECK: gen.reshape %[[P]] sizes(%[[N]]) : tensor<16x?x64xf32> -> tensor<16x?x4x4x64xf32>
// CHECK: gen.winograd_join {{.*}} -> tensor<?x8x8x64xf32>
func.func @images(%x: tensor<?x10x10x64xf32>, %w: tensor<3x3x64x64xf32>) -> tensor<?x8x8x64xf32> {
  %y = gen.convolution %x, %w strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<?x10x10x64xf32>, tensor<3x3x64x64xf32>) -> tensor<?x8x8x64xf32>
  return %y : tensor<?x8x8x64xf32>
}

// Few pixels, few channels, steps, other windows: as they are.
// CHECK-LABEL: func.func @others
// CHECK-NOT: winograd
// CHECK: return
func.func @others(%few: tensor<1x8x8x64xf32>, %x: tensor<1x18x18x64xf32>, %w: tensor<3x3x64x64xf32>,
                  %narrow: tensor<3x3x64x32xf32>, %point: tensor<1x1x64x64xf32>, %few_y: tensor<1x6x6x64xf32>,
                  %y: tensor<1x8x8x64xf32>, %four: tensor<4x4x64x64xf32>)
    -> (tensor<1x6x6x64xf32>, tensor<1x16x16x32xf32>, tensor<1x8x8x64xf32>, tensor<1x18x18x64xf32>, tensor<3x3x64x64xf32>,
        tensor<1x18x18x64xf32>, tensor<1x14x14x64xf32>) {
  %0 = gen.convolution %few, %w strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<1x8x8x64xf32>, tensor<3x3x64x64xf32>) -> tensor<1x6x6x64xf32>
  %1 = gen.convolution %x, %narrow strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<1x18x18x64xf32>, tensor<3x3x64x32xf32>) -> tensor<1x16x16x32xf32>
  %2 = gen.convolution %x, %w strides [2, 2] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<1x18x18x64xf32>, tensor<3x3x64x64xf32>) -> tensor<1x8x8x64xf32>
  %3 = gen.convolution %x, %point strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<1x18x18x64xf32>, tensor<1x1x64x64xf32>) -> tensor<1x18x18x64xf32>
  %4 = gen.convolution_weight_gradient %few, %few_y strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<1x8x8x64xf32>, tensor<1x6x6x64xf32>) -> tensor<3x3x64x64xf32>
  %5 = gen.convolution_transpose %y, %four strides [2, 2] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<1x8x8x64xf32>, tensor<4x4x64x64xf32>) -> tensor<1x18x18x64xf32>
  %6 = gen.convolution_transpose %y, %four strides [2, 2] low [2, 2] high [2, 2] dilations [1, 1] channels_last
      : (tensor<1x8x8x64xf32>, tensor<4x4x64x64xf32>) -> tensor<1x14x14x64xf32>
  return %0, %1, %2, %3, %4, %5, %6
      : tensor<1x6x6x64xf32>, tensor<1x16x16x32xf32>, tensor<1x8x8x64xf32>, tensor<1x18x18x64xf32>, tensor<3x3x64x64xf32>,
        tensor<1x18x18x64xf32>, tensor<1x14x14x64xf32>
}
