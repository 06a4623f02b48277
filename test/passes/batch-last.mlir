// RUN: gen-opt %s --gen-batch-last --canonicalize | FileCheck %s
// RUN: gencc %s --emit=kernels -o - | FileCheck %s --check-prefix=KERNELS

// The batch is one more spatial axis. What follows is computed so, too, and pooling is; the transpose is where images are flattened.
// CHECK-LABEL: func.func @convolution
// CHECK-SAME: %[[X:.*]]: tensor<32x1x28x28xf32>, %[[W:.*]]: tensor<6x1x5x5xf32>
// CHECK: %[[T:.*]] = gen.transpose %[[X]] permutation [1, 2, 3, 0] : tensor<32x1x28x28xf32> -> tensor<1x28x28x32xf32>
// CHECK: %[[P:.*]] = gen.pad %[[T]] {{.*}} low [0, 2, 2, 0] high [0, 2, 2, 0]
// CHECK: %[[I:.*]] = gen.reshape %[[P]] : tensor<1x32x32x32xf32> -> tensor<1x1x32x32x32xf32>
// CHECK: %[[V:.*]] = gen.reshape %[[W]] : tensor<6x1x5x5xf32> -> tensor<6x1x5x5x1xf32>
// CHECK: gen.convolution %[[I]], %[[V]] strides [1, 1, 1] low [0, 0, 0] high [0, 0, 0] dilations [1, 1, 1] {gen.batch_last} {{.*}} -> tensor<1x6x28x28x32xf32>
// CHECK: gen.relu {{.*}} : tensor<6x28x28x32xf32>
// CHECK: gen.max_pool {{.*}} window [2, 2, 1] strides [2, 2, 1] {{.*}} -> tensor<1x6x14x14x32xf32>
// CHECK: gen.transpose {{.*}} permutation [1, 0] : tensor<1176x32xf32> -> tensor<32x1176xf32>

// No transpose but those two; the bias and the activation are at the end of the product's tiles.
// KERNELS-LABEL: func.func @convolution
// KERNELS: gen.launch @transpose
// KERNELS-NEXT: gen.launch @pad
// KERNELS: gen.launch @convolution_add_relu
// KERNELS-NEXT: gen.launch @max_pool
// KERNELS-NEXT: gen.launch @transpose
// KERNELS-NEXT: return
func.func @convolution(%x: tensor<32x1x28x28xf32>, %w: tensor<6x1x5x5xf32>, %b: tensor<6x1x1xf32>) -> tensor<32x1176xf32> {
  %y = gen.convolution %x, %w strides [1, 1] low [2, 2] high [2, 2] dilations [1, 1]
      : (tensor<32x1x28x28xf32>, tensor<6x1x5x5xf32>) -> tensor<32x6x28x28xf32>
  %s = gen.add %y, %b : (tensor<32x6x28x28xf32>, tensor<6x1x1xf32>) -> tensor<32x6x28x28xf32>
  %z = gen.relu %s : tensor<32x6x28x28xf32>
  %p = gen.max_pool %z window [2, 2] strides [2, 2] low [0, 0] high [0, 0] : tensor<32x6x28x28xf32> -> tensor<32x6x14x14xf32>
  %f = gen.reshape %p : tensor<32x6x14x14xf32> -> tensor<32x1176xf32>
  return %f : tensor<32x1176xf32>
}

// The result's padding stays: taps that meet nothing are left out.
// CHECK-LABEL: func.func @input_gradient
// CHECK: gen.convolution_transpose {{.*}} strides [1, 1, 1] low [1, 1, 0] high [1, 1, 0] {{.*}} {gen.batch_last} {{.*}} -> tensor<1x6x12x12x16xf32>
// KERNELS-LABEL: func.func @input_gradient
// KERNELS-NOT: gen.launch @pad
// KERNELS: return
func.func @input_gradient(%y: tensor<16x16x10x10xf32>, %w: tensor<16x6x5x5xf32>) -> tensor<16x6x12x12xf32> {
  %x = gen.convolution_transpose %y, %w strides [1, 1] low [1, 1] high [1, 1] dilations [1, 1]
      : (tensor<16x16x10x10xf32>, tensor<16x6x5x5xf32>) -> tensor<16x6x12x12xf32>
  return %x : tensor<16x6x12x12xf32>
}

// Of images whose number is not known. Sums run along memory, and the result has the weight's order.
// CHECK-LABEL: func.func @weight_gradient
// CHECK: gen.convolution_weight_gradient {{.*}} {gen.batch_last} : (tensor<1x6x14x14x?xf32>, tensor<1x16x10x10x?xf32>) -> tensor<16x6x5x5x1xf32>
// KERNELS: gen.kernel @convolution_weight_gradient({{.*}} schedule {along = true
func.func @weight_gradient(%x: tensor<?x6x14x14xf32>, %y: tensor<?x16x10x10xf32>) -> tensor<16x6x5x5xf32> {
  %w = gen.convolution_weight_gradient %x, %y strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1]
      : (tensor<?x6x14x14xf32>, tensor<?x16x10x10xf32>) -> tensor<16x6x5x5xf32>
  return %w : tensor<16x6x5x5xf32>
}

// Neither a batch that does not fill the lanes, nor one of unknown size without training, nor more channels than lanes, nor as many on
// both sides, nor sums of whole vectors, nor a single tap.
// CHECK-LABEL: func.func @unchanged
// CHECK-NOT: gen.batch_last
// CHECK-COUNT-6: gen.convolution {{.*}} strides [1, 1]
// CHECK-NOT: gen.batch_last
func.func @unchanged(%x: tensor<17x6x8x8xf32>, %d: tensor<?x6x8x8xf32>, %c: tensor<16x6x8x8xf32>, %m: tensor<16x16x8x8xf32>,
                     %few: tensor<9x6x3x3xf32>, %many: tensor<17x6x3x3xf32>, %full: tensor<16x16x3x3xf32>, %sum: tensor<6x16x3x3xf32>, %tap: tensor<9x6x1x1xf32>)
    -> (tensor<16x9x8x8xf32>, tensor<17x9x6x6xf32>, tensor<?x9x6x6xf32>, tensor<16x17x6x6xf32>, tensor<16x16x6x6xf32>, tensor<16x6x6x6xf32>) {
  %0 = gen.convolution %x, %few strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1]
      : (tensor<17x6x8x8xf32>, tensor<9x6x3x3xf32>) -> tensor<17x9x6x6xf32>
  %1 = gen.convolution %d, %few strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1]
      : (tensor<?x6x8x8xf32>, tensor<9x6x3x3xf32>) -> tensor<?x9x6x6xf32>
  %2 = gen.convolution %c, %many strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1]
      : (tensor<16x6x8x8xf32>, tensor<17x6x3x3xf32>) -> tensor<16x17x6x6xf32>
  %3 = gen.convolution %m, %full strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1]
      : (tensor<16x16x8x8xf32>, tensor<16x16x3x3xf32>) -> tensor<16x16x6x6xf32>
  %4 = gen.convolution %m, %sum strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1]
      : (tensor<16x16x8x8xf32>, tensor<6x16x3x3xf32>) -> tensor<16x6x6x6xf32>
  %5 = gen.convolution %c, %tap strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1]
      : (tensor<16x6x8x8xf32>, tensor<9x6x1x1xf32>) -> tensor<16x9x8x8xf32>
  return %5, %0, %1, %2, %3, %4 : tensor<16x9x8x8xf32>, tensor<17x9x6x6xf32>, tensor<?x9x6x6xf32>, tensor<16x17x6x6xf32>, tensor<16x16x6x6xf32>, tensor<16x6x6x6xf32>
}
