// RUN: gen-opt %s --gen-fuse-kernels | FileCheck %s

// Queries, keys and values are views of the projection: nothing is copied.
// CHECK-LABEL: func.func @attention_of_a_projection
func.func @attention_of_a_projection(%x: tensor<2x8x24xf32>) -> tensor<2x8x2x4xf32> {
  // CHECK-COUNT-1: gen.launch
  // CHECK-NOT: gen.launch
  %q0 = gen.slice %x starts [0, 0, 0] limits [0, 0, 8] strides [1, 1, 1] : tensor<2x8x24xf32> -> tensor<2x8x8xf32>
  %k0 = gen.slice %x starts [0, 0, 8] limits [0, 0, 16] strides [1, 1, 1] : tensor<2x8x24xf32> -> tensor<2x8x8xf32>
  %v0 = gen.slice %x starts [0, 0, 16] limits [0, 0, 24] strides [1, 1, 1] : tensor<2x8x24xf32> -> tensor<2x8x8xf32>
  %q = gen.reshape %q0 : tensor<2x8x8xf32> -> tensor<2x8x2x4xf32>
  %k = gen.reshape %k0 : tensor<2x8x8xf32> -> tensor<2x8x2x4xf32>
  %v = gen.reshape %v0 : tensor<2x8x8xf32> -> tensor<2x8x2x4xf32>
  %o, %s = gen.attention %q, %k, %v causal scale 0.5
      : (tensor<2x8x2x4xf32>, tensor<2x8x2x4xf32>, tensor<2x8x2x4xf32>) -> (tensor<2x8x2x4xf32>, tensor<2x2x8xf32>)
  return %o : tensor<2x8x2x4xf32>
}

// The reshapes between slices and attention are fixed to the program, and part of its kernel, too.
// CHECK-LABEL: func.func @attention_of_unknown_sizes
func.func @attention_of_unknown_sizes(%r: tensor<?x24xf32> {gen.dims = ["rows", ""]}, %ids: tensor<?x?xi64> {gen.dims = ["batch", "length"]}) -> tensor<?x?x2x4xf32> {
  // CHECK: gen.launch @exp
  // CHECK: gen.launch @slice
  // CHECK: gen.launch @attention
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %b = tensor.dim %ids, %c0 : tensor<?x?xi64>
  %l = tensor.dim %ids, %c1 : tensor<?x?xi64>
  %e = gen.exp %r : tensor<?x24xf32>
  %x = gen.reshape %e sizes(%b, %l) : tensor<?x24xf32> -> tensor<?x?x24xf32>
  %0 = gen.slice %x starts [0, 0, 0] limits [0, 0, 8] strides [1, 1, 1] : tensor<?x?x24xf32> -> tensor<?x?x8xf32>
  %1 = gen.slice %x starts [0, 0, 8] limits [0, 0, 16] strides [1, 1, 1] : tensor<?x?x24xf32> -> tensor<?x?x8xf32>
  %2 = gen.slice %x starts [0, 0, 16] limits [0, 0, 24] strides [1, 1, 1] : tensor<?x?x24xf32> -> tensor<?x?x8xf32>
  %q = gen.reshape %0 sizes(%b, %l) : tensor<?x?x8xf32> -> tensor<?x?x2x4xf32>
  %k = gen.reshape %1 sizes(%b, %l) : tensor<?x?x8xf32> -> tensor<?x?x2x4xf32>
  %v = gen.reshape %2 sizes(%b, %l) : tensor<?x?x8xf32> -> tensor<?x?x2x4xf32>
  %o, %s = gen.attention %q, %k, %v scale 0.5
      : (tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>) -> (tensor<?x?x2x4xf32>, tensor<?x2x?xf32>)
  return %o : tensor<?x?x2x4xf32>
}

// Keys of a cache and the latest are read where they are.
// CHECK-LABEL: func.func @attention_with_a_cache
func.func @attention_with_a_cache(%q: tensor<1x1x2x4xf32>, %past: tensor<1x2x16x4xf32>, %new: tensor<1x1x2x4xf32>) -> tensor<1x1x2x4xf32> {
  // CHECK-COUNT-1: gen.launch
  // CHECK-NOT: gen.launch
  %turned = gen.transpose %past permutation [0, 2, 1, 3] : tensor<1x2x16x4xf32> -> tensor<1x16x2x4xf32>
  %k = gen.concat %turned, %new axis 1 : (tensor<1x16x2x4xf32>, tensor<1x1x2x4xf32>) -> tensor<1x17x2x4xf32>
  %v = gen.concat %turned, %new axis 1 : (tensor<1x16x2x4xf32>, tensor<1x1x2x4xf32>) -> tensor<1x17x2x4xf32>
  %o, %s = gen.attention %q, %k, %v scale 0.5
      : (tensor<1x1x2x4xf32>, tensor<1x17x2x4xf32>, tensor<1x17x2x4xf32>) -> (tensor<1x1x2x4xf32>, tensor<1x2x1xf32>)
  return %o : tensor<1x1x2x4xf32>
}

// The gradient of a table is not stored: its update is computed row by row.
// CHECK-LABEL: func.func @update_of_a_table
func.func @update_of_a_table(%w: tensor<10x8xf32>, %i: tensor<4xi64>, %dx: tensor<4x8xf32>) -> tensor<10x8xf32> {
  // CHECK-COUNT-1: gen.launch
  // CHECK-NOT: gen.launch
  %dw = gen.scatter_add %i, %dx : (tensor<4xi64>, tensor<4x8xf32>) -> tensor<10x8xf32>
  %new = gen.sub %w, %dw : (tensor<10x8xf32>, tensor<10x8xf32>) -> tensor<10x8xf32>
  return %new : tensor<10x8xf32>
}

// Matrices of a batch are read where they lie.
// CHECK-LABEL: func.func @product_of_views
func.func @product_of_views(%q: tensor<2x8x3x4xf32>, %k: tensor<2x8x3x4xf32>) -> tensor<2x3x8x8xf32> {
  // CHECK-COUNT-1: gen.launch
  // CHECK-NOT: gen.launch
  %0 = gen.transpose %q permutation [0, 2, 1, 3] : tensor<2x8x3x4xf32> -> tensor<2x3x8x4xf32>
  %1 = gen.transpose %k permutation [0, 2, 1, 3] : tensor<2x8x3x4xf32> -> tensor<2x3x8x4xf32>
  %2 = gen.matmul %0, %1 transposed : (tensor<2x3x8x4xf32>, tensor<2x3x8x4xf32>) -> tensor<2x3x8x8xf32>
  return %2 : tensor<2x3x8x8xf32>
}

// The gradients of queries, keys and values are stored as parts of the projection's gradient.
// CHECK-LABEL: func.func @gradient_of_a_projection
func.func @gradient_of_a_projection(%q: tensor<2x8x2x4xf32>, %l: tensor<2x2x8xf32>) -> tensor<2x8x24xf32> {
  // CHECK-COUNT-1: gen.launch
  // CHECK-NOT: gen.launch
  %dq, %dk, %dv = gen.attention_gradient %q, %q, %q, %q, %l, %q causal scale 0.5
      : (tensor<2x8x2x4xf32>, tensor<2x8x2x4xf32>, tensor<2x8x2x4xf32>, tensor<2x8x2x4xf32>, tensor<2x2x8xf32>, tensor<2x8x2x4xf32>)
      -> (tensor<2x8x2x4xf32>, tensor<2x8x2x4xf32>, tensor<2x8x2x4xf32>)
  %a = gen.reshape %dq : tensor<2x8x2x4xf32> -> tensor<2x8x8xf32>
  %b = gen.reshape %dk : tensor<2x8x2x4xf32> -> tensor<2x8x8xf32>
  %c = gen.reshape %dv : tensor<2x8x2x4xf32> -> tensor<2x8x8xf32>
  %0 = gen.concat %a, %b, %c axis 2 : (tensor<2x8x8xf32>, tensor<2x8x8xf32>, tensor<2x8x8xf32>) -> tensor<2x8x24xf32>
  return %0 : tensor<2x8x24xf32>
}

// Nothing else follows on them in the kernel.
// CHECK-LABEL: func.func @sum_of_gradients
func.func @sum_of_gradients(%q: tensor<2x8x2x4xf32>, %l: tensor<2x2x8xf32>) -> tensor<2x8x2x4xf32> {
  // CHECK-COUNT-2: gen.launch
  // CHECK-NOT: gen.launch
  %dq, %dk, %dv = gen.attention_gradient %q, %q, %q, %q, %l, %q causal scale 0.5
      : (tensor<2x8x2x4xf32>, tensor<2x8x2x4xf32>, tensor<2x8x2x4xf32>, tensor<2x8x2x4xf32>, tensor<2x2x8xf32>, tensor<2x8x2x4xf32>)
      -> (tensor<2x8x2x4xf32>, tensor<2x8x2x4xf32>, tensor<2x8x2x4xf32>)
  %0 = gen.add %dq, %dk : (tensor<2x8x2x4xf32>, tensor<2x8x2x4xf32>) -> tensor<2x8x2x4xf32>
  return %0 : tensor<2x8x2x4xf32>
}

// CHECK: gen.kernel @{{.*}} family "attention"
// CHECK: gen.kernel @{{.*}} family "attention"
// CHECK: gen.kernel @{{.*}} family "scatter"
// CHECK: gen.kernel @{{.*}} family "contraction"
// CHECK: gen.kernel @{{.*}} family "attention"
// CHECK: gen.kernel @{{.*}} family "attention"
// CHECK: gen.kernel @{{.*}} family "pointwise"
