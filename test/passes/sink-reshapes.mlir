// RUN: gen-opt %s --gen-sink-reshapes --canonicalize | FileCheck %s

// Layer, residual, layer: the reshapes between the products are gone.
// CHECK-LABEL: func.func @residual_between_layers
func.func @residual_between_layers(%p: tensor<512x768xf32>, %x: tensor<8x64x768xf32>, %bias: tensor<768xf32>) -> tensor<512x768xf32> {
  // CHECK: %[[X:.*]] = gen.reshape %arg1
  // CHECK: %[[SUM:.*]] = gen.add %arg0, %[[X]] : (tensor<512x768xf32>, tensor<512x768xf32>) -> tensor<512x768xf32>
  // CHECK: %[[BIASED:.*]] = gen.add %[[SUM]], %arg2
  // CHECK: return %[[BIASED]] : tensor<512x768xf32>
  %r = gen.reshape %p : tensor<512x768xf32> -> tensor<8x64x768xf32>
  %sum = gen.add %r, %x : (tensor<8x64x768xf32>, tensor<8x64x768xf32>) -> tensor<8x64x768xf32>
  %biased = gen.add %sum, %bias : (tensor<8x64x768xf32>, tensor<768xf32>) -> tensor<8x64x768xf32>
  %rows = gen.reshape %biased : tensor<8x64x768xf32> -> tensor<512x768xf32>
  return %rows : tensor<512x768xf32>
}

// CHECK-LABEL: func.func @row_sums
func.func @row_sums(%p: tensor<512x768xf32>, %factors: tensor<8x64xf32>) -> tensor<8x64x768xf32> {
  // CHECK: %[[SUM:.*]] = gen.reduce_sum %arg0 axes [1] : tensor<512x768xf32> -> tensor<512xf32>
  // CHECK: %[[ROOT:.*]] = gen.sqrt %[[SUM]] : tensor<512xf32>
  // CHECK: %[[SCALED:.*]] = gen.mul %[[ROOT]], %{{.*}} : (tensor<512xf32>, tensor<512xf32>) -> tensor<512xf32>
  // CHECK: %[[REPEATED:.*]] = gen.broadcast %[[SCALED]] axes [0] : tensor<512xf32> -> tensor<512x768xf32>
  // CHECK: gen.sub %arg0, %[[REPEATED]] : (tensor<512x768xf32>, tensor<512x768xf32>) -> tensor<512x768xf32>
  %r = gen.reshape %p : tensor<512x768xf32> -> tensor<8x64x768xf32>
  %sum = gen.reduce_sum %r axes [2] : tensor<8x64x768xf32> -> tensor<8x64xf32>
  %root = gen.sqrt %sum : tensor<8x64xf32>
  %scaled = gen.mul %root, %factors : (tensor<8x64xf32>, tensor<8x64xf32>) -> tensor<8x64xf32>
  %repeated = gen.broadcast %scaled axes [0, 1] : tensor<8x64xf32> -> tensor<8x64x768xf32>
  %centered = gen.sub %r, %repeated : (tensor<8x64x768xf32>, tensor<8x64x768xf32>) -> tensor<8x64x768xf32>
  return %centered : tensor<8x64x768xf32>
}

// A bias's gradient sums over all rows, however they are numbered.
// CHECK-LABEL: func.func @column_sums
func.func @column_sums(%p: tensor<512x768xf32>) -> tensor<768xf32> {
  // CHECK: gen.reduce_sum %arg0 axes [0] : tensor<512x768xf32> -> tensor<768xf32>
  // CHECK-NOT: gen.reshape
  %r = gen.reshape %p : tensor<512x768xf32> -> tensor<8x64x768xf32>
  %sum = gen.reduce_sum %r axes [0, 1] : tensor<8x64x768xf32> -> tensor<768xf32>
  return %sum : tensor<768xf32>
}

// CHECK-LABEL: func.func @dynamic_batch
func.func @dynamic_batch(%p: tensor<?x768xf32>, %x: tensor<?x64x768xf32>, %n: index) -> tensor<?x64x768xf32> {
  // CHECK: gen.add %arg0, %{{.*}} : (tensor<?x768xf32>, tensor<?x768xf32>) -> tensor<?x768xf32>
  %r = gen.reshape %p sizes(%n) : tensor<?x768xf32> -> tensor<?x64x768xf32>
  %sum = gen.add %r, %x : (tensor<?x64x768xf32>, tensor<?x64x768xf32>) -> tensor<?x64x768xf32>
  return %sum : tensor<?x64x768xf32>
}

// What splits the last axis stays.
// CHECK-LABEL: func.func @heads
func.func @heads(%p: tensor<512x768xf32>) -> tensor<8x64x12x64xf32> {
  // CHECK: gen.tanh %{{.*}} : tensor<8x64x12x64xf32>
  %r = gen.reshape %p : tensor<512x768xf32> -> tensor<8x64x12x64xf32>
  %y = gen.tanh %r : tensor<8x64x12x64xf32>
  return %y : tensor<8x64x12x64xf32>
}

// Numbers of another shape than the rows keep the op where it is.
// CHECK-LABEL: func.func @one_number_a_position
func.func @one_number_a_position(%p: tensor<512x768xf32>, %x: tensor<64x768xf32>) -> tensor<8x64x768xf32> {
  // CHECK: gen.add %{{.*}}, %arg1 : (tensor<8x64x768xf32>, tensor<64x768xf32>) -> tensor<8x64x768xf32>
  %r = gen.reshape %p : tensor<512x768xf32> -> tensor<8x64x768xf32>
  %sum = gen.add %r, %x : (tensor<8x64x768xf32>, tensor<64x768xf32>) -> tensor<8x64x768xf32>
  return %sum : tensor<8x64x768xf32>
}

// A leading axis of size 1 that only the input of the reshape has.
// CHECK-LABEL: func.func @unit_axis
func.func @unit_axis(%p: tensor<1x4x17xf32>, %x: tensor<4x17xf32>) -> tensor<4x17xf32> {
  // CHECK: gen.sub %arg0, %arg1 : (tensor<1x4x17xf32>, tensor<4x17xf32>) -> tensor<1x4x17xf32>
  %r = gen.reshape %p : tensor<1x4x17xf32> -> tensor<4x17xf32>
  %y = gen.sub %r, %x : (tensor<4x17xf32>, tensor<4x17xf32>) -> tensor<4x17xf32>
  return %y : tensor<4x17xf32>
}

// With the batch last, its size is the broadcast's own operand: not the size of what is replaced.
// CHECK-LABEL: func.func @batch_last
// CHECK: %[[REPEATED:.*]] = gen.broadcast %arg0 axes [0, 1, 3] sizes(%arg1) : tensor<1x8x?xf32> -> tensor<1x8x6x?xf32>
// CHECK: gen.sqrt %[[REPEATED]] : tensor<1x8x6x?xf32>
func.func @batch_last(%p: tensor<1x8x?xf32>, %n: index) -> tensor<8x6x?xf32> {
  %r = gen.reshape %p sizes(%n) : tensor<1x8x?xf32> -> tensor<8x?xf32>
  %repeated = gen.broadcast %r axes [0, 2] sizes(%n) : tensor<8x?xf32> -> tensor<8x6x?xf32>
  %root = gen.sqrt %repeated : tensor<8x6x?xf32>
  return %root : tensor<8x6x?xf32>
}
