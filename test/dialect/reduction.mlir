// RUN: gen-opt %s | FileCheck %s
// RUN: gen-opt %s --mlir-print-op-generic | gen-opt | FileCheck %s
// RUN: gen-opt %s --canonicalize | FileCheck %s --check-prefix=FOLD

// CHECK-LABEL: func.func @axes_are_dropped
func.func @axes_are_dropped(%x: tensor<4x?x8xf32>, %i: tensor<4x8xi64>)
    -> (tensor<?xf32>, tensor<4x8xf32>, tensor<f32>, tensor<4xi64>) {
  // CHECK: gen.reduce_sum %{{.*}} axes [0, 2] : tensor<4x?x8xf32> -> tensor<?xf32>
  %0 = gen.reduce_sum %x axes [0, 2] : tensor<4x?x8xf32> -> tensor<?xf32>
  // CHECK: gen.reduce_max %{{.*}} axes [1] : tensor<4x?x8xf32> -> tensor<4x8xf32>
  %1 = gen.reduce_max %x axes [1] : tensor<4x?x8xf32> -> tensor<4x8xf32>
  // CHECK: gen.reduce_mean %{{.*}} axes [0, 1, 2] : tensor<4x?x8xf32> -> tensor<f32>
  %2 = gen.reduce_mean %x axes [0, 1, 2] : tensor<4x?x8xf32> -> tensor<f32>
  // CHECK: gen.reduce_min %{{.*}} axes [1] : tensor<4x8xi64> -> tensor<4xi64>
  %3 = gen.reduce_min %i axes [1] : tensor<4x8xi64> -> tensor<4xi64>
  return %0, %1, %2, %3 : tensor<?xf32>, tensor<4x8xf32>, tensor<f32>, tensor<4xi64>
}

// FOLD-LABEL: func.func @over_no_axes
// FOLD-SAME: (%[[X:.*]]: tensor<4xf32>)
// FOLD-NEXT: return %[[X]], %[[X]]
func.func @over_no_axes(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0 = gen.reduce_sum %x axes [] : tensor<4xf32> -> tensor<4xf32>
  %1 = gen.reduce_mean %x axes [] : tensor<4xf32> -> tensor<4xf32>
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// FOLD-LABEL: func.func @of_constants
// FOLD-DAG: gen.constant dense<[6.000000e+00, 1.500000e+01]> : tensor<2xf32>
// FOLD-DAG: gen.constant dense<3.500000e+00> : tensor<f32>
// FOLD-DAG: gen.constant dense<[4, 5, 6]> : tensor<3xi32>
func.func @of_constants() -> (tensor<2xf32>, tensor<f32>, tensor<3xi32>) {
  %x = gen.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %i = gen.constant dense<[[1, 2, 6], [4, 5, 3]]> : tensor<2x3xi32>
  %0 = gen.reduce_sum %x axes [1] : tensor<2x3xf32> -> tensor<2xf32>
  %1 = gen.reduce_mean %x axes [0, 1] : tensor<2x3xf32> -> tensor<f32>
  %2 = gen.reduce_max %i axes [0] : tensor<2x3xi32> -> tensor<3xi32>
  return %0, %1, %2 : tensor<2xf32>, tensor<f32>, tensor<3xi32>
}

// The axes of the second reduction are counted without those of the first.
// FOLD-LABEL: func.func @one_after_the_other
// FOLD-SAME: (%[[X:.*]]: tensor<2x3x4x5xf32>)
// FOLD-NEXT: %[[Z:.*]] = gen.reduce_sum %[[X]] axes [1, 2, 3] : tensor<2x3x4x5xf32> -> tensor<2xf32>
// FOLD-NEXT: return %[[Z]]
func.func @one_after_the_other(%x: tensor<2x3x4x5xf32>) -> tensor<2xf32> {
  %0 = gen.reduce_sum %x axes [1, 3] : tensor<2x3x4x5xf32> -> tensor<2x4xf32>
  %1 = gen.reduce_sum %0 axes [1] : tensor<2x4xf32> -> tensor<2xf32>
  return %1 : tensor<2xf32>
}

// Merging would compute the first one twice.
// FOLD-LABEL: func.func @both_used
// FOLD-COUNT-2: gen.reduce_sum
func.func @both_used(%x: tensor<2x3xf32>) -> (tensor<2xf32>, tensor<f32>) {
  %0 = gen.reduce_sum %x axes [1] : tensor<2x3xf32> -> tensor<2xf32>
  %1 = gen.reduce_sum %0 axes [0] : tensor<2xf32> -> tensor<f32>
  return %0, %1 : tensor<2xf32>, tensor<f32>
}
