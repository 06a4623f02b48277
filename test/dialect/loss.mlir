// RUN: gen-opt %s | FileCheck %s
// RUN: gen-opt %s --mlir-print-op-generic | gen-opt | FileCheck %s

// CHECK-LABEL: func.func @binary_cross_entropy
func.func @binary_cross_entropy(%x: tensor<?x784xf32>, %t: tensor<?x784xf32>) -> tensor<?x784xf32> {
  // CHECK: gen.bce_with_logits %{{.*}}, %{{.*}} : (tensor<?x784xf32>, tensor<?x784xf32>) -> tensor<?x784xf32>
  %0 = gen.bce_with_logits %x, %t : (tensor<?x784xf32>, tensor<?x784xf32>) -> tensor<?x784xf32>
  return %0 : tensor<?x784xf32>
}
