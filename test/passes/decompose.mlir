// RUN: gen-opt %s --gen-decompose | FileCheck %s

// CHECK-LABEL: @opened
// CHECK-SAME: (%[[X:.*]]: tensor<4x8xf32>, %[[T:.*]]: tensor<4x8xf32>)
func.func @opened(%x: tensor<4x8xf32>, %t: tensor<4x8xf32>) -> (tensor<4xf32>, tensor<4x8xf32>) {
  // CHECK-NOT: gen.bce_with_logits
  // CHECK-NOT: gen.reduce_mean
  // CHECK-NOT: gen.stop_gradient
  // CHECK: gen.reduce_sum %{{.*}} axes [1] : tensor<4x8xf32> -> tensor<4xf32>
  // CHECK: return %{{.*}}, %[[X]]
  %0 = gen.bce_with_logits %x, %t : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = gen.reduce_mean %0 axes [1] : tensor<4x8xf32> -> tensor<4xf32>
  %2 = gen.stop_gradient %x : tensor<4x8xf32>
  return %1, %2 : tensor<4xf32>, tensor<4x8xf32>
}

// Regions are opened too.
// CHECK-LABEL: @in_a_loop
func.func @in_a_loop(%x: tensor<8xf32>, %start: tensor<f32>, %n: index) -> tensor<f32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK: scf.for
  // CHECK-NOT: gen.reduce_mean
  // CHECK: gen.reduce_sum
  %0 = scf.for %i = %c0 to %n step %c1 iter_args(%s = %start) -> tensor<f32> {
    %1 = gen.reduce_mean %x axes [0] : tensor<8xf32> -> tensor<f32>
    %2 = gen.add %s, %1 : (tensor<f32>, tensor<f32>) -> tensor<f32>
    scf.yield %2 : tensor<f32>
  }
  return %0 : tensor<f32>
}
