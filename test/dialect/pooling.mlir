// RUN: gen-opt %s | FileCheck %s
// RUN: gen-opt %s --mlir-print-op-generic | gen-opt | FileCheck %s

// CHECK-LABEL: func.func @maximum
func.func @maximum(%x: tensor<?x6x28x28xf32>, %dy: tensor<?x6x14x14xf32>)
    -> (tensor<?x6x14x14xf32>, tensor<?x6x28x28xf32>, tensor<?x6x14x14xf32>) {
  // CHECK: gen.max_pool %{{.*}} window [2, 2] strides [2, 2] low [0, 0] high [0, 0] : tensor<?x6x28x28xf32> -> tensor<?x6x14x14xf32>
  %0 = gen.max_pool %x window [2, 2] strides [2, 2] low [0, 0] high [0, 0] : tensor<?x6x28x28xf32> -> tensor<?x6x14x14xf32>
  // CHECK: gen.max_pool_gradient %{{.*}}, %{{.*}} window [2, 2] strides [2, 2] low [0, 0] high [0, 0] : tensor<?x6x28x28xf32>, tensor<?x6x14x14xf32>
  %1 = gen.max_pool_gradient %x, %dy window [2, 2] strides [2, 2] low [0, 0] high [0, 0] : tensor<?x6x28x28xf32>, tensor<?x6x14x14xf32>
  // CHECK: gen.max_pool_select %{{.*}}, %{{.*}} window [2, 2] strides [2, 2] low [0, 0] high [0, 0] : tensor<?x6x28x28xf32> -> tensor<?x6x14x14xf32>
  %2 = gen.max_pool_select %x, %1 window [2, 2] strides [2, 2] low [0, 0] high [0, 0] : tensor<?x6x28x28xf32> -> tensor<?x6x14x14xf32>
  return %0, %1, %2 : tensor<?x6x14x14xf32>, tensor<?x6x28x28xf32>, tensor<?x6x14x14xf32>
}

// CHECK-LABEL: func.func @sum
func.func @sum(%x: tensor<4x9x?x3xf64>, %columns: index) -> tensor<4x9x?x3xf64> {
  // CHECK: gen.sum_pool %{{.*}} window [3, 2] strides [2, 1] low [1, 0] high [1, 1] channels_last : tensor<4x9x?x3xf64> -> tensor<4x5x?x3xf64>
  %0 = gen.sum_pool %x window [3, 2] strides [2, 1] low [1, 0] high [1, 1] channels_last : tensor<4x9x?x3xf64> -> tensor<4x5x?x3xf64>
  // CHECK: gen.sum_pool_transpose %{{.*}} sizes(%{{.*}}) window [3, 2] strides [2, 1] low [1, 0] high [1, 1] channels_last : tensor<4x5x?x3xf64> -> tensor<4x9x?x3xf64>
  %1 = gen.sum_pool_transpose %0 sizes(%columns) window [3, 2] strides [2, 1] low [1, 0] high [1, 1] channels_last : tensor<4x5x?x3xf64> -> tensor<4x9x?x3xf64>
  return %1 : tensor<4x9x?x3xf64>
}
