// RUN: gen-opt %s --pass-pipeline='builtin.module(func.func(gen-channels-last),canonicalize,gen-order-variables,canonicalize,cse)' | FileCheck %s

gen.variable @w : tensor<64x128x3x3xf32>
gen.variable @m : tensor<64x128x3x3xf32>
gen.variable @small : tensor<64x4x3x3xf32>

// A weight and its momentum are read and assigned in the gradient's order; nothing is transposed but images.
// CHECK-LABEL: func.func @main
// CHECK: call @w.order() : () -> ()
// CHECK: call @m.order() : () -> ()
// CHECK-DAG: %[[W:.*]] = gen.read @w.ordered : tensor<3x3x128x64xf32>
// CHECK-DAG: %[[M:.*]] = gen.read @m.ordered : tensor<3x3x128x64xf32>
// CHECK: gen.convolution %{{.*}}, %[[W]] strides
// CHECK: %[[G:.*]] = gen.convolution_weight_gradient
// CHECK-NEXT: %[[N:.*]] = gen.add %[[M]], %[[G]] : {{.*}} -> tensor<3x3x128x64xf32>
// CHECK-NEXT: %[[D:.*]] = gen.mul %[[N]], %{{.*}} : (tensor<3x3x128x64xf32>, tensor<f32>)
// CHECK-NEXT: %[[V:.*]] = gen.sub %[[W]], %[[D]]
// CHECK: gen.assign @w.ordered, %[[V]]
// CHECK: gen.assign @m.ordered, %[[N]]
// CHECK: call @w.restore() : () -> ()
// CHECK: call @m.restore() : () -> ()
func.func @main(%x: tensor<8x128x8x8xf32>, %dy: tensor<8x64x6x6xf32>) -> tensor<8x64x6x6xf32> {
  %w = gen.read @w : tensor<64x128x3x3xf32>
  %m = gen.read @m : tensor<64x128x3x3xf32>
  %y = gen.convolution %x, %w strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1]
      : (tensor<8x128x8x8xf32>, tensor<64x128x3x3xf32>) -> tensor<8x64x6x6xf32>
  %g = gen.convolution_weight_gradient %x, %dy strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1]
      : (tensor<8x128x8x8xf32>, tensor<8x64x6x6xf32>) -> tensor<64x128x3x3xf32>
  %rate = gen.constant dense<0.1> : tensor<f32>
  %n = gen.add %m, %g : (tensor<64x128x3x3xf32>, tensor<64x128x3x3xf32>) -> tensor<64x128x3x3xf32>
  %d = gen.mul %n, %rate : (tensor<64x128x3x3xf32>, tensor<f32>) -> tensor<64x128x3x3xf32>
  %v = gen.sub %w, %d : (tensor<64x128x3x3xf32>, tensor<64x128x3x3xf32>) -> tensor<64x128x3x3xf32>
  gen.assign @w, %v : tensor<64x128x3x3xf32>
  gen.assign @m, %n : tensor<64x128x3x3xf32>
  return %y : tensor<8x64x6x6xf32>
}

// Signs of gradients are in that order, too, and who else reads them gets them in the model's.
// CHECK-LABEL: func.func @signs
// CHECK: %[[W:.*]] = gen.read @w.ordered
// CHECK: %[[G:.*]] = gen.convolution_weight_gradient
// CHECK-NEXT: %[[C:.*]] = gen.compare lt %[[G]], %{{.*}} -> tensor<3x3x128x64xi1>
// CHECK: gen.transpose %[[C]] permutation [3, 2, 0, 1] : tensor<3x3x128x64xi1> -> tensor<64x128x3x3xi1>
// CHECK: %[[V:.*]] = gen.select %[[C]], %[[W]], %[[G]]
// CHECK: gen.assign @w.ordered, %[[V]]
func.func @signs(%x: tensor<8x128x8x8xf32>, %dy: tensor<8x64x6x6xf32>) -> tensor<64x128x3x3xi1> {
  %w = gen.read @w : tensor<64x128x3x3xf32>
  %g = gen.convolution_weight_gradient %x, %dy strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1]
      : (tensor<8x128x8x8xf32>, tensor<8x64x6x6xf32>) -> tensor<64x128x3x3xf32>
  %zero = gen.constant dense<0.0> : tensor<f32>
  %c = gen.compare lt %g, %zero : (tensor<64x128x3x3xf32>, tensor<f32>) -> tensor<64x128x3x3xi1>
  %v = gen.select %c, %w, %g : (tensor<64x128x3x3xi1>, tensor<64x128x3x3xf32>, tensor<64x128x3x3xf32>) -> tensor<64x128x3x3xf32>
  gen.assign @w, %v : tensor<64x128x3x3xf32>
  return %c : tensor<64x128x3x3xi1>
}

// Who only reads reads the copy as well; the model's order comes from it.
// CHECK-LABEL: func.func @norm
// CHECK: call @w.order() : () -> ()
// CHECK: %[[W:.*]] = gen.read @w.ordered
// CHECK: gen.transpose %[[W]] permutation [3, 2, 0, 1]
func.func @norm() -> tensor<64xf32> {
  %w = gen.read @w : tensor<64x128x3x3xf32>
  %flat = gen.reshape %w : tensor<64x128x3x3xf32> -> tensor<64x1152xf32>
  %s = gen.reduce_sum %flat axes [1] : tensor<64x1152xf32> -> tensor<64xf32>
  return %s : tensor<64xf32>
}

// Another value is another value.
// CHECK-LABEL: func.func @init
// CHECK-NEXT: gen.assign @w, %arg0
// CHECK-NEXT: return
func.func @init(%x: tensor<64x128x3x3xf32>) {
  gen.assign @w, %x : tensor<64x128x3x3xf32>
  return
}

// A small gradient is not worth it.
// CHECK-LABEL: func.func @small_step
// CHECK: gen.read @small :
// CHECK: gen.assign @small,
func.func @small_step(%x: tensor<8x4x8x8xf32>, %dy: tensor<8x64x6x6xf32>) {
  %w = gen.read @small : tensor<64x4x3x3xf32>
  %g = gen.convolution_weight_gradient %x, %dy strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1]
      : (tensor<8x4x8x8xf32>, tensor<8x64x6x6xf32>) -> tensor<64x4x3x3xf32>
  %v = gen.sub %w, %g : (tensor<64x4x3x3xf32>, tensor<64x4x3x3xf32>) -> tensor<64x4x3x3xf32>
  gen.assign @small, %v : tensor<64x4x3x3xf32>
  return
}

// CHECK: gen.variable @w.ordered : tensor<3x3x128x64xf32>
// CHECK-LABEL: func.func private @w.order() attributes {gen.packs = @w}
// CHECK-NEXT: %[[W:.*]] = gen.read @w :
// CHECK-NEXT: %[[T:.*]] = gen.transpose %[[W]] permutation [2, 3, 1, 0]
// CHECK-NEXT: gen.assign @w.ordered, %[[T]]
// CHECK-LABEL: func.func private @w.restore() attributes {gen.unpacks = @w.order}
// CHECK-NEXT: %[[W:.*]] = gen.read @w.ordered
// CHECK-NEXT: %[[T:.*]] = gen.transpose %[[W]] permutation [3, 2, 0, 1]
// CHECK-NEXT: gen.assign @w, %[[T]]
