// RUN: gen-opt %s --gen-channels-last --canonicalize --cse | FileCheck %s

// Transposes meet their inverse between two convolutions; padding is explicit.
// CHECK-LABEL: func.func @two_layers
// CHECK-SAME: (%[[X:.*]]: tensor<8x3x32x32xf32>, %[[V:.*]]: tensor<16x3x3x3xf32>, %[[BIAS:.*]]: tensor<16xf32>, %[[W:.*]]: tensor<4x16x2x2xf32>)
func.func @two_layers(%x: tensor<8x3x32x32xf32>, %v: tensor<16x3x3x3xf32>, %bias: tensor<16xf32>,
                      %w: tensor<4x16x2x2xf32>) -> tensor<8x4x8x8xf32> {
  // CHECK-DAG: %[[XT:.*]] = gen.transpose %[[X]] permutation [0, 2, 3, 1]
  // CHECK-DAG: %[[VT:.*]] = gen.transpose %[[V]] permutation [2, 3, 1, 0]
  // CHECK: %[[XP:.*]] = gen.pad %[[XT]] value 0.0{{.*}} low [0, 1, 1, 0] high [0, 1, 1, 0]
  // CHECK: %[[Y:.*]] = gen.convolution %[[XP]], %[[VT]] strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last : {{.*}} -> tensor<8x32x32x16xf32>
  %y = gen.convolution %x, %v strides [1, 1] low [1, 1] high [1, 1] dilations [1, 1]
      : (tensor<8x3x32x32xf32>, tensor<16x3x3x3xf32>) -> tensor<8x16x32x32xf32>
  // CHECK: %[[BT:.*]] = gen.reshape %[[BIAS]] : tensor<16xf32> -> tensor<1x1x1x16xf32>
  %b = gen.reshape %bias : tensor<16xf32> -> tensor<16x1x1xf32>
  // CHECK: %[[S:.*]] = gen.add %[[Y]], %[[BT]]
  %s = gen.add %y, %b : (tensor<8x16x32x32xf32>, tensor<16x1x1xf32>) -> tensor<8x16x32x32xf32>
  // CHECK: %[[R:.*]] = gen.relu %[[S]] : tensor<8x32x32x16xf32>
  %r = gen.relu %s : tensor<8x16x32x32xf32>
  // CHECK: %[[P:.*]] = gen.max_pool %[[R]] window [2, 2] strides [2, 2] low [0, 0] high [0, 0] channels_last : tensor<8x32x32x16xf32> -> tensor<8x16x16x16xf32>
  %p = gen.max_pool %r window [2, 2] strides [2, 2] low [0, 0] high [0, 0] : tensor<8x16x32x32xf32> -> tensor<8x16x16x16xf32>
  // CHECK: %[[Z:.*]] = gen.convolution %[[P]], %{{.*}} channels_last
  %z = gen.convolution %p, %w strides [2, 2] low [0, 0] high [0, 0] dilations [1, 1]
      : (tensor<8x16x16x16xf32>, tensor<4x16x2x2xf32>) -> tensor<8x4x8x8xf32>
  // CHECK: %[[BACK:.*]] = gen.transpose %[[Z]] permutation [0, 3, 1, 2]
  // CHECK: return %[[BACK]]
  return %z : tensor<8x4x8x8xf32>
}

// A mean over the image needs no transpose of its result, and its gradient none either.
// CHECK-LABEL: func.func @mean
// CHECK: gen.convolution {{.*}} channels_last : {{.*}} -> tensor<?x8x8x4xf32>
// CHECK-NEXT: gen.reduce_sum %{{.*}} axes [1, 2] : tensor<?x8x8x4xf32> -> tensor<?x4xf32>
// CHECK-NEXT: return
func.func @mean(%x: tensor<?x3x8x8xf32>, %w: tensor<4x3x1x1xf32>) -> tensor<?x4xf32> {
  %y = gen.convolution %x, %w strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1]
      : (tensor<?x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<?x4x8x8xf32>
  %s = gen.reduce_sum %y axes [2, 3] : tensor<?x4x8x8xf32> -> tensor<?x4xf32>
  return %s : tensor<?x4xf32>
}

// The gradient of a weight comes back at once; a transposed convolution keeps its padding, and its
// sizes follow their axes.
// CHECK-LABEL: func.func @gradients
// CHECK-SAME: %[[N:[a-z0-9]+]]: index, %[[H:[a-z0-9]+]]: index
// CHECK-DAG: %[[DW:.*]] = gen.convolution_weight_gradient %{{.*}}, %{{.*}} strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last : {{.*}} -> tensor<3x3x2x5xf32>
// CHECK-DAG: gen.transpose %[[DW]] permutation [3, 2, 0, 1]
// CHECK-DAG: gen.convolution_transpose %{{.*}}, %{{.*}} sizes(%[[N]], %[[H]]) strides [1, 1] low [1, 1] high [1, 1] dilations [1, 1] channels_last : (tensor<?x?x8x5xf32>, tensor<3x3x2x5xf32>) -> tensor<?x?x8x2xf32>
func.func @gradients(%x: tensor<?x2x?x8xf32>, %w: tensor<5x2x3x3xf32>, %dy: tensor<?x5x?x8xf32>, %n: index, %h: index)
    -> (tensor<5x2x3x3xf32>, tensor<?x2x?x8xf32>) {
  %dw = gen.convolution_weight_gradient %x, %dy strides [1, 1] low [1, 1] high [1, 1] dilations [1, 1]
      : (tensor<?x2x?x8xf32>, tensor<?x5x?x8xf32>) -> tensor<5x2x3x3xf32>
  %scaled = gen.neg %dw : tensor<5x2x3x3xf32>
  %dx = gen.convolution_transpose %dy, %w sizes(%n, %h) strides [1, 1] low [1, 1] high [1, 1] dilations [1, 1]
      : (tensor<?x5x?x8xf32>, tensor<5x2x3x3xf32>) -> tensor<?x2x?x8xf32>
  return %scaled, %dx : tensor<5x2x3x3xf32>, tensor<?x2x?x8xf32>
}

// Upsampling between convolutions: the repeated axes stay behind the ones they repeat.
// CHECK-LABEL: func.func @upsample
// CHECK: %[[Y:.*]] = gen.convolution {{.*}} -> tensor<2x4x4x6xf32>
// CHECK: %[[B:.*]] = gen.broadcast %{{.*}} -> tensor<2x4x2x4x2x6xf32>
// CHECK: %[[R:.*]] = gen.reshape %[[B]] : tensor<2x4x2x4x2x6xf32> -> tensor<2x8x8x6xf32>
// CHECK: gen.convolution %[[R]]
func.func @upsample(%x: tensor<2x3x4x4xf32>, %v: tensor<6x3x1x1xf32>, %w: tensor<1x6x1x1xf32>) -> tensor<2x1x8x8xf32> {
  %y = gen.convolution %x, %v strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1]
      : (tensor<2x3x4x4xf32>, tensor<6x3x1x1xf32>) -> tensor<2x6x4x4xf32>
  %s = gen.reshape %y : tensor<2x6x4x4xf32> -> tensor<2x6x4x1x4x1xf32>
  %b = gen.broadcast %s axes [0, 1, 2, 3, 4, 5] : tensor<2x6x4x1x4x1xf32> -> tensor<2x6x4x2x4x2xf32>
  %u = gen.reshape %b : tensor<2x6x4x2x4x2xf32> -> tensor<2x6x8x8xf32>
  %z = gen.convolution %u, %w strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1]
      : (tensor<2x6x8x8xf32>, tensor<1x6x1x1xf32>) -> tensor<2x1x8x8xf32>
  return %z : tensor<2x1x8x8xf32>
}

// Where axes that are joined are no neighbors any more, the transpose stays.
// CHECK-LABEL: func.func @flatten
// CHECK: %[[Y:.*]] = gen.convolution {{.*}} -> tensor<2x4x4x6xf32>
// CHECK: %[[T:.*]] = gen.transpose %[[Y]] permutation [0, 3, 1, 2]
// CHECK: gen.reshape %[[T]] : tensor<2x6x4x4xf32> -> tensor<2x96xf32>
func.func @flatten(%x: tensor<2x3x4x4xf32>, %w: tensor<6x3x1x1xf32>) -> tensor<2x96xf32> {
  %y = gen.convolution %x, %w strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1]
      : (tensor<2x3x4x4xf32>, tensor<6x3x1x1xf32>) -> tensor<2x6x4x4xf32>
  %f = gen.reshape %y : tensor<2x6x4x4xf32> -> tensor<2x96xf32>
  return %f : tensor<2x96xf32>
}

// What is broadcast is broadcast along other axes; two numbers of an axis change places.
// CHECK-LABEL: func.func @broadcast
// CHECK-SAME: %[[SCALE:[a-z0-9]+]]: tensor<6xf32>, %[[MASK:[a-z0-9]+]]: tensor<2x6x4xf32>
// CHECK: %[[Y:.*]] = gen.convolution {{.*}} -> tensor<2x4x4x6xf32>
// CHECK: gen.mul %[[Y]], %[[SCALE]] : (tensor<2x4x4x6xf32>, tensor<6xf32>) -> tensor<2x4x4x6xf32>
// CHECK: %[[T:.*]] = gen.transpose %[[MASK]] permutation [0, 2, 1]
// CHECK: gen.broadcast %[[T]] axes [0, 1, 3] : tensor<2x4x6xf32> -> tensor<2x4x4x6xf32>
func.func @broadcast(%x: tensor<2x3x4x4xf32>, %w: tensor<6x3x1x1xf32>, %scale: tensor<6xf32>, %mask: tensor<2x6x4xf32>) -> tensor<2x6x4x4xf32> {
  %y = gen.convolution %x, %w strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1]
      : (tensor<2x3x4x4xf32>, tensor<6x3x1x1xf32>) -> tensor<2x6x4x4xf32>
  %b = gen.broadcast %scale axes [1] : tensor<6xf32> -> tensor<2x6x4x4xf32>
  %s = gen.mul %y, %b : (tensor<2x6x4x4xf32>, tensor<2x6x4x4xf32>) -> tensor<2x6x4x4xf32>
  %m = gen.broadcast %mask axes [0, 1, 2] : tensor<2x6x4xf32> -> tensor<2x6x4x4xf32>
  %z = gen.mul %s, %m : (tensor<2x6x4x4xf32>, tensor<2x6x4x4xf32>) -> tensor<2x6x4x4xf32>
  return %z : tensor<2x6x4x4xf32>
}

// Of one image, too: its batch is a pair of axes of size 1.
// CHECK-LABEL: func.func @one_image
// CHECK: %[[Y:.*]] = gen.convolution {{.*}} -> tensor<1x4x4x6xf32>
// CHECK: %[[P:.*]] = gen.reshape %[[Y]] : tensor<1x4x4x6xf32> -> tensor<1x16x6xf32>
// CHECK: gen.reduce_sum %[[P]] axes [1] : tensor<1x16x6xf32> -> tensor<1x6xf32>
func.func @one_image(%x: tensor<1x3x4x4xf32>, %w: tensor<6x3x1x1xf32>) -> tensor<1x6xf32> {
  %y = gen.convolution %x, %w strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1]
      : (tensor<1x3x4x4xf32>, tensor<6x3x1x1xf32>) -> tensor<1x6x4x4xf32>
  %p = gen.reshape %y : tensor<1x6x4x4xf32> -> tensor<1x6x16xf32>
  %s = gen.reduce_sum %p axes [2] : tensor<1x6x16xf32> -> tensor<1x6xf32>
  return %s : tensor<1x6xf32>
}
