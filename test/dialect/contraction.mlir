// RUN: gen-opt %s | FileCheck %s
// RUN: gen-opt %s --mlir-print-op-generic | gen-opt | FileCheck %s

// CHECK-LABEL: func.func @matrices
func.func @matrices(%x: tensor<?x784xf32>, %w: tensor<400x784xf32>, %v: tensor<784x400xf32>)
    -> (tensor<?x400xf32>, tensor<?x400xf32>) {
  // CHECK: gen.matmul %{{.*}}, %{{.*}} : (tensor<?x784xf32>, tensor<784x400xf32>) -> tensor<?x400xf32>
  %0 = gen.matmul %x, %v : (tensor<?x784xf32>, tensor<784x400xf32>) -> tensor<?x400xf32>
  // CHECK: gen.matmul %{{.*}}, %{{.*}} transposed : (tensor<?x784xf32>, tensor<400x784xf32>) -> tensor<?x400xf32>
  %1 = gen.matmul %x, %w transposed : (tensor<?x784xf32>, tensor<400x784xf32>) -> tensor<?x400xf32>
  return %0, %1 : tensor<?x400xf32>, tensor<?x400xf32>
}

// CHECK-LABEL: func.func @both_transposed
func.func @both_transposed(%x: tensor<7x3xf64>, %y: tensor<5x7xf64>) -> tensor<3x5xf64> {
  // CHECK: gen.matmul %{{.*}} transposed, %{{.*}} transposed : (tensor<7x3xf64>, tensor<5x7xf64>) -> tensor<3x5xf64>
  %0 = gen.matmul %x transposed, %y transposed : (tensor<7x3xf64>, tensor<5x7xf64>) -> tensor<3x5xf64>
  return %0 : tensor<3x5xf64>
}

// CHECK-LABEL: func.func @batches
func.func @batches(%x: tensor<?x2x3x4xf32>, %y: tensor<8x2x4x5xf32>) -> tensor<8x2x3x5xf32> {
  // CHECK: gen.matmul %{{.*}}, %{{.*}} : (tensor<?x2x3x4xf32>, tensor<8x2x4x5xf32>) -> tensor<8x2x3x5xf32>
  %0 = gen.matmul %x, %y : (tensor<?x2x3x4xf32>, tensor<8x2x4x5xf32>) -> tensor<8x2x3x5xf32>
  return %0 : tensor<8x2x3x5xf32>
}

// CHECK-LABEL: func.func @partial_sums
func.func @partial_sums(%x: tensor<?x10xf32>) -> tensor<8x?x10xf32> {
  // CHECK: gen.partial_sums %{{.*}} : tensor<?x10xf32> -> tensor<8x?x10xf32>
  %0 = gen.partial_sums %x : tensor<?x10xf32> -> tensor<8x?x10xf32>
  return %0 : tensor<8x?x10xf32>
}
