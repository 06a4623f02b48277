// RUN: gen-opt %s | FileCheck %s
// RUN: gen-opt %s --mlir-print-op-generic | gen-opt | FileCheck %s

// CHECK-LABEL: func.func @self_attention
func.func @self_attention(%q: tensor<?x64x8x32xf32>) -> tensor<?x64x8x32xf32> {
  // CHECK: gen.attention %{{.*}}, %{{.*}}, %{{.*}} causal scale 2.500000e-01 : (tensor<?x64x8x32xf32>, tensor<?x64x8x32xf32>, tensor<?x64x8x32xf32>) -> (tensor<?x64x8x32xf32>, tensor<?x8x64xf32>)
  %0, %1 = gen.attention %q, %q, %q causal scale 0.25
      : (tensor<?x64x8x32xf32>, tensor<?x64x8x32xf32>, tensor<?x64x8x32xf32>) -> (tensor<?x64x8x32xf32>, tensor<?x8x64xf32>)
  return %0 : tensor<?x64x8x32xf32>
}

// CHECK-LABEL: func.func @masked_cross_attention
func.func @masked_cross_attention(%q: tensor<2x4x8x32xf32>, %k: tensor<2x6x8x32xf32>, %v: tensor<2x6x8x16xf32>,
                                  %mask: tensor<1x1x4x6xf32>) -> tensor<2x4x8x16xf32> {
  // CHECK: gen.attention %{{.*}}, %{{.*}}, %{{.*}} mask %{{.*}} scale 2.500000e-01
  %0, %1 = gen.attention %q, %k, %v mask %mask scale 0.25
      : (tensor<2x4x8x32xf32>, tensor<2x6x8x32xf32>, tensor<2x6x8x16xf32>, tensor<1x1x4x6xf32>) -> (tensor<2x4x8x16xf32>, tensor<2x8x4xf32>)
  return %0 : tensor<2x4x8x16xf32>
}

// CHECK-LABEL: func.func @gradient
func.func @gradient(%q: tensor<2x4x8x32xf32>, %k: tensor<2x6x8x32xf32>, %l: tensor<2x8x4xf32>, %mask: tensor<1x1x4x6xf32>) -> tensor<2x4x8x32xf32> {
  // CHECK: gen.attention_gradient %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} mask %{{.*}} causal scale 2.500000e-01
  %0, %1, %2 = gen.attention_gradient %q, %k, %k, %q, %l, %q mask %mask causal scale 0.25
      : (tensor<2x4x8x32xf32>, tensor<2x6x8x32xf32>, tensor<2x6x8x32xf32>, tensor<2x4x8x32xf32>, tensor<2x8x4xf32>, tensor<2x4x8x32xf32>, tensor<1x1x4x6xf32>) -> (tensor<2x4x8x32xf32>, tensor<2x6x8x32xf32>, tensor<2x6x8x32xf32>)
  return %0 : tensor<2x4x8x32xf32>
}
