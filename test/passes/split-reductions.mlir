// RUN: gen-opt %s --pass-pipeline='builtin.module(func.func(gen-split-reductions))' | FileCheck %s

// CHECK-LABEL: @to_scalar
// CHECK-SAME: (%[[X:.*]]: tensor<128x784xf32>)
// CHECK: %[[ROWS:.*]] = gen.reduce_sum %[[X]] axes [1] : tensor<128x784xf32> -> tensor<128xf32>
// CHECK: gen.reduce_sum %[[ROWS]] axes [0] : tensor<128xf32> -> tensor<f32>
func.func @to_scalar(%x: tensor<128x784xf32>) -> tensor<f32> {
  %s = gen.reduce_sum %x axes [0, 1] : tensor<128x784xf32> -> tensor<f32>
  return %s : tensor<f32>
}

// CHECK-LABEL: @dynamic
// CHECK: gen.reduce_max %{{.*}} axes [2] : tensor<?x3x?xf64> -> tensor<?x3xf64>
// CHECK: gen.reduce_max %{{.*}} axes [0, 1] : tensor<?x3xf64> -> tensor<f64>
func.func @dynamic(%x: tensor<?x3x?xf64>) -> tensor<f64> {
  %s = gen.reduce_max %x axes [0, 1, 2] : tensor<?x3x?xf64> -> tensor<f64>
  return %s : tensor<f64>
}

// What leaves an axis is parallel already.
// CHECK-LABEL: @rows
// CHECK: gen.reduce_sum %{{.*}} axes [1] : tensor<128x784xf32> -> tensor<128xf32>
// CHECK-NEXT: return
func.func @rows(%x: tensor<128x784xf32>) -> tensor<128xf32> {
  %s = gen.reduce_sum %x axes [1] : tensor<128x784xf32> -> tensor<128xf32>
  return %s : tensor<128xf32>
}

// A few columns of many rows: each index of the first axis is a task of its own.
// CHECK-LABEL: @columns
// CHECK: %[[EACH:.*]] = gen.reduce_sum %{{.*}} axes [1, 2] : tensor<?x32x32x128xf32> -> tensor<?x128xf32>
// CHECK: gen.reduce_sum %[[EACH]] axes [0] : tensor<?x128xf32> -> tensor<128xf32>
func.func @columns(%x: tensor<?x32x32x128xf32>) -> tensor<128xf32> {
  %s = gen.reduce_sum %x axes [0, 1, 2] : tensor<?x32x32x128xf32> -> tensor<128xf32>
  return %s : tensor<128xf32>
}

// Many columns are parallel already.
// CHECK-LABEL: @many_columns
// CHECK: gen.reduce_sum %{{.*}} axes [0, 1] : tensor<16x128x3072xf32> -> tensor<3072xf32>
// CHECK-NEXT: return
func.func @many_columns(%x: tensor<16x128x3072xf32>) -> tensor<3072xf32> {
  %s = gen.reduce_sum %x axes [0, 1] : tensor<16x128x3072xf32> -> tensor<3072xf32>
  return %s : tensor<3072xf32>
}
