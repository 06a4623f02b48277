// RUN: gen-opt %s --split-input-file --pass-pipeline='builtin.module(gen-differentiate,gen-decompose,canonicalize,cse,func.func(gen-resolve-dimensions),canonicalize,cse,func.func(gen-split-reductions),gen-fuse-kernels)' | FileCheck %s

// One kernel: the largest element, the sum of exponentials, the result.
// CHECK-LABEL: func.func @softmax
// CHECK-NEXT: %[[Y:.*]] = gen.launch @[[K:.*]](%arg0)
// CHECK-NEXT: return %[[Y]]
// CHECK: gen.kernel @[[K]](
// CHECK-SAME: family "reduction"
// CHECK: gen.reduce_max
// CHECK: gen.exp
// CHECK: gen.reduce_sum
// CHECK: gen.mul
// CHECK-NEXT: gen.yield
func.func @softmax(%x: tensor<1536x128xf32>) -> tensor<1536x128xf32> {
  %0 = gen.softmax %x axis 1 : tensor<1536x128xf32>
  return %0 : tensor<1536x128xf32>
}

// -----

// Along an axis in the middle, sizes unknown: what is kept is unknown too, but rows are still rows.
// CHECK-LABEL: func.func @dynamic_rows
// CHECK: gen.launch
// CHECK-NOT: gen.launch
// CHECK: return
func.func @dynamic_rows(%x: tensor<?x?xf32> {gen.dims = ["batch", "length"]}) -> tensor<?x?xf32> {
  %0 = gen.log_softmax %x axis 1 : tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

// A block of columns stays in the cache where it is known to be small.
// CHECK-LABEL: func.func @columns
// CHECK-NEXT: gen.launch
// CHECK-NEXT: return
func.func @columns(%x: tensor<8x10x784xf32>) -> tensor<8x10x784xf32> {
  %0 = gen.softmax %x axis 1 : tensor<8x10x784xf32>
  return %0 : tensor<8x10x784xf32>
}

// -----

// CHECK-LABEL: func.func @columns_too_long
// CHECK-COUNT-4: gen.launch
// CHECK-NEXT: return
func.func @columns_too_long(%x: tensor<100000x8xf32>) -> tensor<100000x8xf32> {
  %0 = gen.softmax %x axis 0 : tensor<100000x8xf32>
  return %0 : tensor<100000x8xf32>
}

// -----

// The activation joins; the backward pass finds mean and deviation of each row, not the normalized
// rows: these are cheap to make of the input.
// CHECK-LABEL: func.func @layer_norm_training
// CHECK: %[[F:.*]]:3 = gen.launch @[[FORWARD:.*]](%arg0, %arg1, %arg2) : ({{.*}}) -> (tensor<128xf32>, tensor<128xf32>, tensor<128x768xf32>)
// CHECK: gen.launch @{{.*}}(%arg0, %[[F]]#0, %[[F]]#1, %[[DY:.*]], %arg1) : ({{.*}}) -> tensor<128x768xf32>
// CHECK: gen.launch @{{.*}}(%arg0, %[[F]]#0, %[[F]]#1, %[[DY]]) : ({{.*}}) -> (tensor<768xf32>, tensor<768xf32>)
// CHECK-NEXT: return
func.func @layer_norm_training(%x: tensor<128x768xf32>, %s: tensor<768xf32>, %b: tensor<768xf32>, %w: tensor<768x768xf32>) -> (tensor<128x768xf32>, tensor<768xf32>, tensor<768xf32>) {
  %y = gen.layer_norm %x, %s, %b epsilon 1.0e-05 : tensor<128x768xf32>, tensor<768xf32>
  %z = gen.matmul %y, %w : (tensor<128x768xf32>, tensor<768x768xf32>) -> tensor<128x768xf32>
  %q = gen.mul %z, %z : (tensor<128x768xf32>, tensor<128x768xf32>) -> tensor<128x768xf32>
  %l = gen.reduce_sum %q axes [0, 1] : tensor<128x768xf32> -> tensor<f32>
  %g:3 = gen.gradient %l wrt %x, %s, %b : tensor<f32>, tensor<128x768xf32>, tensor<768xf32>, tensor<768xf32> -> tensor<128x768xf32>, tensor<768xf32>, tensor<768xf32>
  return %g#0, %g#1, %g#2 : tensor<128x768xf32>, tensor<768xf32>, tensor<768xf32>
}

// -----

// Statistics of the batch: pixels of each example, then examples; the sums of the gradient share a pass.
// CHECK-LABEL: func.func @batch_norm
// CHECK: %[[E:.*]]:2 = gen.launch @{{.*}}(%arg0) : (tensor<32x8x8x128xf32>) -> (tensor<32x128xf32>, tensor<32x128xf32>)
// CHECK: gen.launch @{{.*}}(%[[E]]#0, %[[E]]#1, %arg1)
// CHECK: %[[D:.*]]:2 = gen.launch @{{.*}} -> (tensor<32x128xf32>, tensor<32x128xf32>)
// CHECK: gen.launch @{{.*}}(%[[D]]#0, %[[D]]#1,
// CHECK: gen.launch @{{.*}} -> tensor<32x8x8x128xf32>
// CHECK-NEXT: return
func.func @batch_norm(%x: tensor<32x8x8x128xf32>, %s: tensor<128xf32>, %b: tensor<128xf32>, %dy: tensor<32x8x8x128xf32>) -> (tensor<32x8x8x128xf32>, tensor<128xf32>, tensor<128xf32>) {
  %y, %m, %v = gen.batch_norm %x, %s, %b axis 3 epsilon 1.0e-05 : tensor<32x8x8x128xf32>, tensor<128xf32>
  %p = gen.mul %y, %dy : (tensor<32x8x8x128xf32>, tensor<32x8x8x128xf32>) -> tensor<32x8x8x128xf32>
  %l = gen.reduce_sum %p axes [0, 1, 2, 3] : tensor<32x8x8x128xf32> -> tensor<f32>
  %g:3 = gen.gradient %l wrt %x, %s, %b : tensor<f32>, tensor<32x8x8x128xf32>, tensor<128xf32>, tensor<128xf32> -> tensor<32x8x8x128xf32>, tensor<128xf32>, tensor<128xf32>
  return %g#0, %g#1, %g#2 : tensor<32x8x8x128xf32>, tensor<128xf32>, tensor<128xf32>
}

// -----

// What has more axes than the rows that it reads from is no row: it keeps its own kernel.
// CHECK-LABEL: func.func @more_axes
// CHECK: %[[S:.*]] = gen.launch @{{.*}}(%arg0) : (tensor<8x16xf32>) -> tensor<8xf32>
// CHECK: gen.launch @{{.*}}(%arg1, %[[S]]) : (tensor<8x16x4xf32>, tensor<8xf32>) -> tensor<8x16x4xf32>
// CHECK-NEXT: return
func.func @more_axes(%x: tensor<8x16xf32>, %y: tensor<8x16x4xf32>) -> tensor<8x16x4xf32> {
  %0 = gen.reduce_sum %x axes [1] : tensor<8x16xf32> -> tensor<8xf32>
  %1 = gen.broadcast %0 axes [0] : tensor<8xf32> -> tensor<8x16x4xf32>
  %2 = gen.mul %y, %1 : (tensor<8x16x4xf32>, tensor<8x16x4xf32>) -> tensor<8x16x4xf32>
  return %2 : tensor<8x16x4xf32>
}
