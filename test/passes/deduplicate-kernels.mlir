// RUN: gen-opt %s --gen-fuse-kernels --gen-deduplicate-kernels | FileCheck %s

// CHECK-LABEL: func.func @two_layers
// CHECK: gen.launch @[[K:.*]](%arg0
// CHECK: gen.launch @[[K]](
// CHECK: gen.kernel @[[K]]
// CHECK-NOT: gen.kernel
func.func @two_layers(%x: tensor<8x8xf32>, %v: tensor<8x8xf32>, %w: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %0 = gen.matmul %x, %v : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %1 = gen.tanh %0 : tensor<8x8xf32>
  %2 = gen.matmul %1, %w : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %3 = gen.tanh %2 : tensor<8x8xf32>
  return %3 : tensor<8x8xf32>
}
