// RUN: gen-opt %s | FileCheck %s
// RUN: gen-opt %s --mlir-print-op-generic | gen-opt | FileCheck %s

// CHECK-LABEL: func.func @embedding
func.func @embedding(%weight: tensor<8000x512xf32>, %ids: tensor<?x64xi64>) -> tensor<?x64x512xf32> {
  // CHECK: gen.gather %{{.*}}, %{{.*}} : (tensor<8000x512xf32>, tensor<?x64xi64>) -> tensor<?x64x512xf32>
  %0 = gen.gather %weight, %ids : (tensor<8000x512xf32>, tensor<?x64xi64>) -> tensor<?x64x512xf32>
  return %0 : tensor<?x64x512xf32>
}

// CHECK-LABEL: func.func @gradient_of_embedding
func.func @gradient_of_embedding(%ids: tensor<8xi32>, %dx: tensor<8x?xf32>, %n: index) -> tensor<100x?xf32> {
  // CHECK: gen.scatter_add %{{.*}}, %{{.*}} sizes(%{{.*}}) : (tensor<8xi32>, tensor<8x?xf32>) -> tensor<100x?xf32>
  %0 = gen.scatter_add %ids, %dx sizes(%n) : (tensor<8xi32>, tensor<8x?xf32>) -> tensor<100x?xf32>
  return %0 : tensor<100x?xf32>
}
