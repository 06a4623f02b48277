// RUN: gen-opt %s | FileCheck %s
// RUN: gen-opt %s --mlir-print-op-generic | gen-opt | FileCheck %s

// CHECK-LABEL: func.func @binary_cross_entropy
func.func @binary_cross_entropy(%x: tensor<?x784xf32>, %t: tensor<?x784xf32>) -> tensor<?x784xf32> {
  // CHECK: gen.bce_with_logits %{{.*}}, %{{.*}} : (tensor<?x784xf32>, tensor<?x784xf32>) -> tensor<?x784xf32>
  %0 = gen.bce_with_logits %x, %t : (tensor<?x784xf32>, tensor<?x784xf32>) -> tensor<?x784xf32>
  return %0 : tensor<?x784xf32>
}

// CHECK-LABEL: func.func @cross_entropy
func.func @cross_entropy(%x: tensor<?x8000xf32>, %labels: tensor<?xi64>) -> tensor<?xf32> {
  // CHECK: gen.cross_entropy %{{.*}}, %{{.*}} : (tensor<?x8000xf32>, tensor<?xi64>) -> tensor<?xf32>
  %0 = gen.cross_entropy %x, %labels : (tensor<?x8000xf32>, tensor<?xi64>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}
