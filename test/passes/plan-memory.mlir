// RUN: gen-opt %s --split-input-file --pass-pipeline='builtin.module(gen-fuse-kernels,func.func(gen-plan-memory))' | FileCheck %s

// Values that do not live at the same time share memory: one arena, as small as what lives at once.
// CHECK-LABEL: func.func @chain
// CHECK-SAME: gen.arena_bytes = 131072 : i64, gen.arena_lower_bound = 131072 : i64
// CHECK: gen.places = [#gen.arena<[[A:.*]]>]
// CHECK: gen.places = [#gen.arena<[[B:.*]]>]
// CHECK: gen.places = [#gen.arena<[[A]]>]
// CHECK: gen.places = [#gen.in_result<0>]
func.func @chain(%x: tensor<128x128xf32>) -> tensor<128x128xf32> {
  %0 = gen.matmul %x, %x : (tensor<128x128xf32>, tensor<128x128xf32>) -> tensor<128x128xf32>
  %1 = gen.matmul %0, %x : (tensor<128x128xf32>, tensor<128x128xf32>) -> tensor<128x128xf32>
  %2 = gen.matmul %1, %x : (tensor<128x128xf32>, tensor<128x128xf32>) -> tensor<128x128xf32>
  %3 = gen.matmul %2, %x : (tensor<128x128xf32>, tensor<128x128xf32>) -> tensor<128x128xf32>
  return %3 : tensor<128x128xf32>
}

// -----

gen.variable @w : tensor<4x4xf32>

// Updated in place: every element is read where it is written.
// CHECK-LABEL: func.func @in_place
// CHECK: gen.places = [#gen.in_variable<@w>]
func.func @in_place() {
  %w = gen.read @w : tensor<4x4xf32>
  %0 = gen.add %w, %w : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  gen.assign @w, %0 : tensor<4x4xf32>
  return
}

// -----

gen.variable @w : tensor<4x4xf32>

// A matmul reads elsewhere than it writes.
// CHECK-LABEL: func.func @not_in_place
// CHECK: gen.launch @matmul
// CHECK-SAME: gen.places = [#gen.arena<0>]
func.func @not_in_place() {
  %w = gen.read @w : tensor<4x4xf32>
  %0 = gen.matmul %w, %w : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  gen.assign @w, %0 : tensor<4x4xf32>
  return
}

// -----

gen.variable @w : tensor<4x4xf32>

// The caller gets the old value: it may not be overwritten.
// CHECK-LABEL: func.func @old_value_returned
// CHECK: gen.launch @add
// CHECK-SAME: gen.places = [#gen.arena<0>]
func.func @old_value_returned() -> tensor<4x4xf32> {
  %w = gen.read @w : tensor<4x4xf32>
  %0 = gen.add %w, %w : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  gen.assign @w, %0 : tensor<4x4xf32>
  return %w : tensor<4x4xf32>
}

// -----

// With dynamic sizes values share slots, laid out when called.
// CHECK-LABEL: func.func @dynamic
// CHECK-NOT: gen.arena_bytes
// CHECK: gen.places = [#gen.slot<0>]
// CHECK: gen.places = [#gen.slot<1>]
// CHECK: gen.places = [#gen.slot<0>]
// CHECK: gen.places = [#gen.in_result<0>]
func.func @dynamic(%x: tensor<?x8xf32> {gen.dims = ["batch", ""]}, %w: tensor<8x8xf32>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x8xf32>
  %0 = gen.matmul %x, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %1 = gen.matmul %0, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %2 = gen.matmul %1, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %3 = gen.matmul %2, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  return %3 : tensor<?x8xf32>
}
