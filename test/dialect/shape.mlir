// RUN: gen-opt %s | gen-opt | FileCheck %s
// RUN: gen-opt %s --canonicalize | FileCheck %s --check-prefix=FOLD

// Text and folds of the ops that make and move elements.

// CHECK-LABEL: @constant
func.func @constant() -> tensor<2xf32> {
  // CHECK: gen.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
  %0 = gen.constant dense<[1.0, 2.0]> : tensor<2xf32>
  return %0 : tensor<2xf32>
}

// CHECK-LABEL: @iota
func.func @iota(%n: index) -> (tensor<3xi64>, tensor<?x2xf32>) {
  // CHECK: gen.iota axis 0 : tensor<3xi64>
  %0 = gen.iota axis 0 : tensor<3xi64>
  // CHECK: gen.iota sizes(%{{.*}}) axis 1 : tensor<?x2xf32>
  %1 = gen.iota sizes(%n) axis 1 : tensor<?x2xf32>
  return %0, %1 : tensor<3xi64>, tensor<?x2xf32>
}

// CHECK-LABEL: @reshape_of_reshape
// FOLD-LABEL: @reshape_of_reshape
// FOLD-SAME: (%[[X:.*]]: tensor<?x28x28xf32>, %[[N:.*]]: index)
func.func @reshape_of_reshape(%x: tensor<?x28x28xf32>, %n: index) -> tensor<?x14x56xf32> {
  // CHECK: gen.reshape %{{.*}} sizes(%{{.*}}) : tensor<?x28x28xf32> -> tensor<?x784xf32>
  // FOLD-NEXT: %[[Y:.*]] = gen.reshape %[[X]] sizes(%[[N]]) : tensor<?x28x28xf32> -> tensor<?x14x56xf32>
  // FOLD-NEXT: return %[[Y]]
  %0 = gen.reshape %x sizes(%n) : tensor<?x28x28xf32> -> tensor<?x784xf32>
  %1 = gen.reshape %0 sizes(%n) : tensor<?x784xf32> -> tensor<?x14x56xf32>
  return %1 : tensor<?x14x56xf32>
}

// FOLD-LABEL: @reshape_there_and_back
// FOLD-SAME: (%[[X:.*]]: tensor<4x6xf32>)
func.func @reshape_there_and_back(%x: tensor<4x6xf32>) -> tensor<4x6xf32> {
  // FOLD-NEXT: return %[[X]]
  %0 = gen.reshape %x : tensor<4x6xf32> -> tensor<24xf32>
  %1 = gen.reshape %0 : tensor<24xf32> -> tensor<4x6xf32>
  return %1 : tensor<4x6xf32>
}

// Two dynamic sizes may have changed places.
// FOLD-LABEL: @reshape_of_equal_type
func.func @reshape_of_equal_type(%x: tensor<?x?xf32>, %n: index, %m: index) -> tensor<?x?xf32> {
  // FOLD: gen.reshape
  %0 = gen.reshape %x sizes(%n, %m) : tensor<?x?xf32> -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// FOLD-LABEL: @reshape_of_constant
func.func @reshape_of_constant() -> tensor<2x2xi32> {
  // FOLD-NEXT: gen.constant dense<{{\[\[}}1, 2], [3, 4]]> : tensor<2x2xi32>
  %0 = gen.constant dense<[1, 2, 3, 4]> : tensor<4xi32>
  %1 = gen.reshape %0 : tensor<4xi32> -> tensor<2x2xi32>
  return %1 : tensor<2x2xi32>
}

// CHECK-LABEL: @transpose_of_transpose
// FOLD-LABEL: @transpose_of_transpose
// FOLD-SAME: (%[[X:.*]]: tensor<2x3x?xf32>)
func.func @transpose_of_transpose(%x: tensor<2x3x?xf32>) -> (tensor<2x3x?xf32>, tensor<2x?x3xf32>) {
  // CHECK: gen.transpose %{{.*}} permutation [1, 2, 0] : tensor<2x3x?xf32> -> tensor<3x?x2xf32>
  %0 = gen.transpose %x permutation [1, 2, 0] : tensor<2x3x?xf32> -> tensor<3x?x2xf32>
  %1 = gen.transpose %0 permutation [2, 0, 1] : tensor<3x?x2xf32> -> tensor<2x3x?xf32>
  // FOLD-NEXT: %[[Y:.*]] = gen.transpose %[[X]] permutation [0, 2, 1] : tensor<2x3x?xf32> -> tensor<2x?x3xf32>
  // FOLD-NEXT: return %[[X]], %[[Y]]
  %2 = gen.transpose %0 permutation [2, 1, 0] : tensor<3x?x2xf32> -> tensor<2x?x3xf32>
  return %1, %2 : tensor<2x3x?xf32>, tensor<2x?x3xf32>
}

// CHECK-LABEL: @broadcast_of_broadcast
// FOLD-LABEL: @broadcast_of_broadcast
// FOLD-SAME: (%[[X:.*]]: tensor<3xf32>, %[[N:.*]]: index)
func.func @broadcast_of_broadcast(%x: tensor<3xf32>, %n: index) -> tensor<?x3x4xf32> {
  // CHECK: gen.broadcast %{{.*}} axes [1] sizes(%{{.*}}) : tensor<3xf32> -> tensor<?x3xf32>
  // FOLD-NEXT: %[[Y:.*]] = gen.broadcast %[[X]] axes [1] sizes(%[[N]]) : tensor<3xf32> -> tensor<?x3x4xf32>
  // FOLD-NEXT: return %[[Y]]
  %0 = gen.broadcast %x axes [1] sizes(%n) : tensor<3xf32> -> tensor<?x3xf32>
  %1 = gen.broadcast %0 axes [0, 1] sizes(%n) : tensor<?x3xf32> -> tensor<?x3x4xf32>
  return %1 : tensor<?x3x4xf32>
}

// FOLD-LABEL: @moved_splats
func.func @moved_splats() -> (tensor<2x3xf32>, tensor<3x2xf32>, tensor<1x2xf32>) {
  // FOLD-DAG: gen.constant dense<2.000000e+00> : tensor<2x3xf32>
  // FOLD-DAG: gen.constant dense<2.000000e+00> : tensor<3x2xf32>
  // FOLD-DAG: gen.constant dense<2.000000e+00> : tensor<1x2xf32>
  // FOLD-NEXT: return
  %0 = gen.constant dense<2.0> : tensor<f32>
  %1 = gen.broadcast %0 axes [] : tensor<f32> -> tensor<2x3xf32>
  %2 = gen.transpose %1 permutation [1, 0] : tensor<2x3xf32> -> tensor<3x2xf32>
  %3 = gen.slice %2 starts [1, 0] limits [2, 0] strides [1, 1] : tensor<3x2xf32> -> tensor<1x2xf32>
  return %1, %2, %3 : tensor<2x3xf32>, tensor<3x2xf32>, tensor<1x2xf32>
}

// CHECK-LABEL: @whole
// FOLD-LABEL: @whole
// FOLD-SAME: (%[[X:.*]]: tensor<?x4xf32>)
func.func @whole(%x: tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) {
  // CHECK: gen.slice %{{.*}} starts [0, 0] limits [0, 4] strides [1, 1] : tensor<?x4xf32> -> tensor<?x4xf32>
  %0 = gen.slice %x starts [0, 0] limits [0, 4] strides [1, 1] : tensor<?x4xf32> -> tensor<?x4xf32>
  // CHECK: gen.pad %{{.*}} value 0.000000e+00 : f32 low [0, 0] high [0, 0] interior [0, 0] : tensor<?x4xf32> -> tensor<?x4xf32>
  %1 = gen.pad %x value 0.0 : f32 low [0, 0] high [0, 0] interior [0, 0] : tensor<?x4xf32> -> tensor<?x4xf32>
  // CHECK: gen.concat %{{.*}} axis 1 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %2 = gen.concat %x axis 1 : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %3 = gen.transpose %x permutation [0, 1] : tensor<?x4xf32> -> tensor<?x4xf32>
  // FOLD-NEXT: return %[[X]], %[[X]], %[[X]], %[[X]]
  return %0, %1, %2, %3 : tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
}

// CHECK-LABEL: @size
// CHECK: gen.size %{{.*}} : tensor<i64>
func.func @size(%x: tensor<?x784xf32>) -> tensor<i64> {
  %c0 = arith.constant 0 : index
  %batch = tensor.dim %x, %c0 : tensor<?x784xf32>
  %n = gen.size %batch : tensor<i64>
  return %n : tensor<i64>
}

// FOLD-LABEL: @size_known
// FOLD-NOT: gen.size
// FOLD: gen.constant dense<784> : tensor<i64>
func.func @size_known(%x: tensor<?x784xf32>) -> tensor<i64> {
  %c1 = arith.constant 1 : index
  %columns = tensor.dim %x, %c1 : tensor<?x784xf32>
  %n = gen.size %columns : tensor<i64>
  return %n : tensor<i64>
}

// FOLD-LABEL: @slice_of_slice
// FOLD-SAME: (%[[X:.*]]: tensor<?x20xf32>)
func.func @slice_of_slice(%x: tensor<?x20xf32>) -> tensor<?x2xf32> {
  // FOLD-NEXT: %[[Y:.*]] = gen.slice %[[X]] starts [3, 6] limits [-5, 15] strides [1, 6] : tensor<?x20xf32> -> tensor<?x2xf32>
  // FOLD-NEXT: return %[[Y]]
  %0 = gen.slice %x starts [1, 4] limits [-2, -1] strides [1, 2] : tensor<?x20xf32> -> tensor<?x8xf32>
  %1 = gen.slice %0 starts [2, 1] limits [-3, 6] strides [1, 3] : tensor<?x8xf32> -> tensor<?x2xf32>
  return %1 : tensor<?x2xf32>
}

// Two transposes are one where the reshape between them splits axes, or merges some.
// FOLD-LABEL: @transpose_of_parts
// FOLD-SAME: (%[[X:.*]]: tensor<6x4x5xf32>)
func.func @transpose_of_parts(%x: tensor<6x4x5xf32>) -> tensor<2x3x5x2x2xf32> {
  // FOLD-NEXT: %[[P:.*]] = gen.reshape %[[X]] : tensor<6x4x5xf32> -> tensor<3x2x2x2x5xf32>
  // FOLD-NEXT: %[[Y:.*]] = gen.transpose %[[P]] permutation [2, 0, 4, 3, 1] : tensor<3x2x2x2x5xf32> -> tensor<2x3x5x2x2xf32>
  // FOLD-NEXT: return %[[Y]]
  %0 = gen.transpose %x permutation [1, 2, 0] : tensor<6x4x5xf32> -> tensor<4x5x6xf32>
  %1 = gen.reshape %0 : tensor<4x5x6xf32> -> tensor<2x2x5x3x2xf32>
  %2 = gen.transpose %1 permutation [0, 3, 2, 1, 4] : tensor<2x2x5x3x2xf32> -> tensor<2x3x5x2x2xf32>
  return %2 : tensor<2x3x5x2x2xf32>
}

// FOLD-LABEL: @transpose_of_merged
// FOLD-SAME: (%[[X:.*]]: tensor<2x3x4x5xf32>)
func.func @transpose_of_merged(%x: tensor<2x3x4x5xf32>) -> tensor<10x12xf32> {
  // FOLD-NEXT: %[[T:.*]] = gen.transpose %[[X]] permutation [0, 3, 1, 2] : tensor<2x3x4x5xf32> -> tensor<2x5x3x4xf32>
  // FOLD-NEXT: %[[Y:.*]] = gen.reshape %[[T]] : tensor<2x5x3x4xf32> -> tensor<10x12xf32>
  // FOLD-NEXT: return %[[Y]]
  %0 = gen.transpose %x permutation [1, 2, 0, 3] : tensor<2x3x4x5xf32> -> tensor<3x4x2x5xf32>
  %1 = gen.reshape %0 : tensor<3x4x2x5xf32> -> tensor<12x10xf32>
  %2 = gen.transpose %1 permutation [1, 0] : tensor<12x10xf32> -> tensor<10x12xf32>
  return %2 : tensor<10x12xf32>
}

// Not where sizes are hidden.
// FOLD-LABEL: @transpose_of_hidden
// FOLD-COUNT-2: gen.transpose
func.func @transpose_of_hidden(%x: tensor<5x4xf32>, %n: index) -> tensor<5x?xf32> {
  %0 = gen.transpose %x permutation [1, 0] : tensor<5x4xf32> -> tensor<4x5xf32>
  %1 = gen.reshape %0 sizes(%n) : tensor<4x5xf32> -> tensor<?x5xf32>
  %2 = gen.transpose %1 permutation [1, 0] : tensor<?x5xf32> -> tensor<5x?xf32>
  return %2 : tensor<5x?xf32>
}
