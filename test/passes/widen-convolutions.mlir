// RUN: gen-opt %s --gen-widen-convolutions --canonicalize | FileCheck %s
// RUN: gencc %s --emit=kernels -o - | FileCheck %s --check-prefix=KERNELS

// Two pixels of six channels as one of twelve; the bias is repeated, and the activation takes the wide pixels.
// CHECK-LABEL: func.func @convolution
// CHECK-SAME: %[[X:.*]]: tensor<?x32x32x1xf32>, %[[W:.*]]: tensor<5x5x1x6xf32>, %[[B:.*]]: tensor<6xf32>
// CHECK-DAG: %[[FIRST:.*]] = gen.pad %[[W]] {{.*}} low [0, 0, 0, 0] high [0, 1, 0, 0]
// CHECK-DAG: %[[SECOND:.*]] = gen.pad %[[W]] {{.*}} low [0, 1, 0, 0] high [0, 0, 0, 0]
// CHECK: %[[WIDE:.*]] = gen.concat %[[FIRST]], %[[SECOND]] axis 3 : (tensor<5x6x1x6xf32>, tensor<5x6x1x6xf32>) -> tensor<5x6x1x12xf32>
// CHECK: %[[P:.*]] = gen.convolution %[[X]], %[[WIDE]] strides [1, 2] {{.*}} -> tensor<?x28x14x12xf32>
// CHECK: %[[BIAS:.*]] = gen.concat %[[B]], %[[B]] axis 0
// CHECK: %[[SUM:.*]] = gen.add %[[P]], %[[BIAS]] : (tensor<?x28x14x12xf32>, tensor<12xf32>)
// CHECK: %[[Z:.*]] = gen.relu %[[SUM]] : tensor<?x28x14x12xf32>
// CHECK: gen.reshape %[[Z]] {{.*}} -> tensor<?x28x28x6xf32>

// What follows is computed at the end of the product's tiles.
// KERNELS-LABEL: func.func @convolution
// KERNELS: gen.launch @convolution_add_relu
// KERNELS-NEXT: gen.reshape
// KERNELS-NEXT: return
func.func @convolution(%x: tensor<?x32x32x1xf32>, %w: tensor<5x5x1x6xf32>, %b: tensor<6xf32>) -> tensor<?x28x28x6xf32> {
  %y = gen.convolution %x, %w strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<?x32x32x1xf32>, tensor<5x5x1x6xf32>) -> tensor<?x28x28x6xf32>
  %s = gen.add %y, %b : (tensor<?x28x28x6xf32>, tensor<6xf32>) -> tensor<?x28x28x6xf32>
  %z = gen.relu %s : tensor<?x28x28x6xf32>
  return %z : tensor<?x28x28x6xf32>
}

// The parts of the wide weight's gradient, which lie two taps apart here, are added.
// CHECK-LABEL: func.func @weight_gradient
// CHECK-SAME: %[[X:.*]]: tensor<8x35x35x1xf32>, %[[Y:.*]]: tensor<8x16x16x8xf32>
// CHECK: %[[WIDE:.*]] = gen.reshape %[[Y]] : tensor<8x16x16x8xf32> -> tensor<8x16x8x16xf32>
// CHECK: %[[G:.*]] = gen.convolution_weight_gradient %[[X]], %[[WIDE]] strides [2, 4] {{.*}} -> tensor<5x7x1x16xf32>
// CHECK-DAG: %[[FIRST:.*]] = gen.slice %[[G]] starts [0, 0, 0, 0] limits [5, 5, 1, 8]
// CHECK-DAG: %[[SECOND:.*]] = gen.slice %[[G]] starts [0, 2, 0, 8] limits [5, 7, 1, 16]
// CHECK: gen.add %[[FIRST]], %[[SECOND]] : (tensor<5x5x1x8xf32>, tensor<5x5x1x8xf32>)
func.func @weight_gradient(%x: tensor<8x35x35x1xf32>, %y: tensor<8x16x16x8xf32>) -> tensor<5x5x1x8xf32> {
  %g = gen.convolution_weight_gradient %x, %y strides [2, 2] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<8x35x35x1xf32>, tensor<8x16x16x8xf32>) -> tensor<5x5x1x8xf32>
  return %g : tensor<5x5x1x8xf32>
}

// Not an op with numbers of its own for each pixel.
// CHECK-LABEL: func.func @residual
// CHECK: %[[Y:.*]] = gen.reshape %{{.*}} : tensor<1x8x4x16xf32> -> tensor<1x8x8x8xf32>
// CHECK: gen.add %[[Y]], %{{.*}} : (tensor<1x8x8x8xf32>, tensor<1x8x8x8xf32>)
func.func @residual(%x: tensor<1x10x10x8xf32>, %w: tensor<3x3x8x8xf32>, %r: tensor<1x8x8x8xf32>) -> tensor<1x8x8x8xf32> {
  %y = gen.convolution %x, %w strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<1x10x10x8xf32>, tensor<3x3x8x8xf32>) -> tensor<1x8x8x8xf32>
  %z = gen.add %y, %r : (tensor<1x8x8x8xf32>, tensor<1x8x8x8xf32>) -> tensor<1x8x8x8xf32>
  return %z : tensor<1x8x8x8xf32>
}

// Neither many channels, nor few that are summed as vectors, nor a line of an odd number of pixels, nor one tap.
// CHECK-LABEL: func.func @unchanged
// CHECK-COUNT-4: gen.convolution {{.*}} strides [1, 1]
func.func @unchanged(%x: tensor<1x10x10x8xf32>, %c: tensor<1x10x10x16xf32>, %o: tensor<1x10x9x8xf32>,
                     %a: tensor<3x3x8x16xf32>, %b: tensor<3x3x16x6xf32>, %d: tensor<3x3x8x6xf32>, %e: tensor<1x1x8x6xf32>)
    -> (tensor<1x8x8x16xf32>, tensor<1x8x8x6xf32>, tensor<1x8x7x6xf32>, tensor<1x10x10x6xf32>) {
  %0 = gen.convolution %x, %a strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<1x10x10x8xf32>, tensor<3x3x8x16xf32>) -> tensor<1x8x8x16xf32>
  %1 = gen.convolution %c, %b strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<1x10x10x16xf32>, tensor<3x3x16x6xf32>) -> tensor<1x8x8x6xf32>
  %2 = gen.convolution %o, %d strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<1x10x9x8xf32>, tensor<3x3x8x6xf32>) -> tensor<1x8x7x6xf32>
  %3 = gen.convolution %x, %e strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<1x10x10x8xf32>, tensor<1x1x8x6xf32>) -> tensor<1x10x10x6xf32>
  return %0, %1, %2, %3 : tensor<1x8x8x16xf32>, tensor<1x8x8x6xf32>, tensor<1x8x7x6xf32>, tensor<1x10x10x6xf32>
}
