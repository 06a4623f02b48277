// RUN: gen-opt %s --resolve-ranked-shaped-type-result-dims --canonicalize --cse | FileCheck %s

// Sizes of results in terms of sizes of operands.

// CHECK-LABEL: @from_operands
// CHECK-SAME: (%[[X:.*]]: tensor<?x28x28xf32>, %[[N:.*]]: index)
func.func @from_operands(%x: tensor<?x28x28xf32>, %n: index) -> (index, index, index) {
  // CHECK-NEXT: return %[[N]], %[[N]], %[[N]]
  %c0 = arith.constant 0 : index
  %0 = gen.reshape %x sizes(%n) : tensor<?x28x28xf32> -> tensor<?x784xf32>
  %1 = gen.iota sizes(%n) axis 0 : tensor<?xi64>
  %k = gen.constant dense<0> : tensor<i64>
  %2 = gen.random_normal %k, %k stream 0 sizes(%n) : tensor<?x3xf32>
  %3 = tensor.dim %0, %c0 : tensor<?x784xf32>
  %4 = tensor.dim %1, %c0 : tensor<?xi64>
  %5 = tensor.dim %2, %c0 : tensor<?x3xf32>
  return %3, %4, %5 : index, index, index
}

// CHECK-LABEL: @through_transpose_and_concat
// CHECK-SAME: (%[[X:.*]]: tensor<?x4xf32>)
func.func @through_transpose_and_concat(%x: tensor<?x4xf32>) -> (index, index) {
  // CHECK: %[[N:.*]] = tensor.dim %[[X]], %{{.*}} : tensor<?x4xf32>
  // CHECK-NEXT: return %[[N]], %[[N]]
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %0 = gen.transpose %x permutation [1, 0] : tensor<?x4xf32> -> tensor<4x?xf32>
  %1 = gen.concat %0, %0 axis 0 : (tensor<4x?xf32>, tensor<4x?xf32>) -> tensor<8x?xf32>
  %2 = tensor.dim %0, %c1 : tensor<4x?xf32>
  %3 = tensor.dim %1, %c1 : tensor<8x?xf32>
  return %2, %3 : index, index
}

// CHECK-LABEL: @slice_and_pad
// CHECK-SAME: (%[[X:.*]]: tensor<?xf32>)
func.func @slice_and_pad(%x: tensor<?xf32>) -> (index, index) {
  // CHECK-DAG: %[[LESS:.*]] = arith.constant -3 : index
  // CHECK-DAG: %[[MORE:.*]] = arith.constant 7 : index
  // CHECK-DAG: %[[N:.*]] = tensor.dim %[[X]], %{{.*}} : tensor<?xf32>
  // CHECK-DAG: %[[SLICED:.*]] = arith.addi %[[N]], %[[LESS]] : index
  // CHECK-DAG: %[[PADDED:.*]] = arith.addi %[[N]], %[[MORE]] : index
  // CHECK: return %[[SLICED]], %[[PADDED]]
  %c0 = arith.constant 0 : index
  %0 = gen.slice %x starts [1] limits [-2] strides [1] : tensor<?xf32> -> tensor<?xf32>
  %1 = gen.pad %x value 0.0 : f32 low [3] high [4] interior [0] : tensor<?xf32> -> tensor<?xf32>
  %2 = tensor.dim %0, %c0 : tensor<?xf32>
  %3 = tensor.dim %1, %c0 : tensor<?xf32>
  return %2, %3 : index, index
}
