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

// -----

gen.variable @state : tensor<4x4xf32>

// What a loop carries stays in place where each step may write over it (the state, which is a
// variable; the collected sequence, which is the result); else it has two places that take turns.
// What is made for a slice is made there.
// CHECK-LABEL: func.func @loop
// CHECK: scf.for
// CHECK: gen.launch @{{.*}} {gen.places = [#gen.arena<{{[0-9]*}}>, #gen.in_slice, #gen.next<0>]}
// CHECK: gen.launch @matmul{{.*}} {gen.places = [#gen.next<1>]}
// CHECK: gen.copy_first = array<i1: false, true, false>, gen.copy_next = array<i1: false, false, false>
// CHECK-SAME: gen.places = {{\[\[}}#gen.in_variable<@state>], [#gen.arena<{{[0-9]*}}>, #gen.arena<{{[0-9]*}}>], [#gen.in_result<0>]]
func.func @loop(%x: tensor<4x4xf32>) -> tensor<8x4x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %state = gen.read @state : tensor<4x4xf32>
  %zeros = gen.constant dense<0.0> : tensor<8x4x4xf32>
  %0:3 = scf.for %i = %c0 to %c8 step %c1 iter_args(%s = %state, %t = %x, %all = %zeros)
      -> (tensor<4x4xf32>, tensor<4x4xf32>, tensor<8x4x4xf32>) {
    %p = gen.matmul %t, %x : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %e = gen.exp %p : tensor<4x4xf32>
    %e1 = gen.reshape %e : tensor<4x4xf32> -> tensor<1x4x4xf32>
    %all1 = gen.dynamic_update_slice %all with %e1 at %i axis 0 : tensor<8x4x4xf32>, tensor<1x4x4xf32>
    %q = gen.matmul %t, %p : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %s1 = gen.add %s, %p : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    scf.yield %s1, %q, %all1 : tensor<4x4xf32>, tensor<4x4xf32>, tensor<8x4x4xf32>
  }
  gen.assign @state, %0#0 : tensor<4x4xf32>
  return %0#2 : tensor<8x4x4xf32>
}

// -----

// Values that change places are copied in the step; a sequence that is still read is copied, not
// written over.
// CHECK-LABEL: func.func @copies
// CHECK: gen.dynamic_update_slice %{{.*}} {gen.places = [#gen.arena<{{[0-9]*}}>]}
// CHECK: gen.copy_next = array<i1: true, true>
func.func @copies(%x: tensor<4xf32>, %u: tensor<1xf32>, %i: index) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %e = gen.exp %x : tensor<4xf32>
  %v = gen.dynamic_update_slice %e with %u at %i axis 0 : tensor<4xf32>, tensor<1xf32>
  %0:2 = scf.for %j = %c0 to %c8 step %c1 iter_args(%s = %v, %t = %x) -> (tensor<4xf32>, tensor<4xf32>) {
    scf.yield %t, %s : tensor<4xf32>, tensor<4xf32>
  }
  return %e, %0#0, %0#1 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// Loops that hand a value on keep it in one place where all of them compute in place; a loop that
// takes turns has places of its own, and copies what it begins with.
// CHECK-LABEL: func.func @nested
// CHECK: gen.copy_first = array<i1: false>{{.*}}gen.places = {{\[\[}}#gen.in_result<0>]]
// CHECK: gen.copy_first = array<i1: false>, gen.copy_next = array<i1: false>, gen.places = {{\[\[}}#gen.in_result<0>]]
// CHECK: gen.copy_first = array<i1: true>{{.*}}gen.places = {{\[\[}}#gen.arena<[[A:[0-9]*]]>, #gen.arena<[[B:[0-9]*]]>]]
// CHECK: gen.copy_first = array<i1: {{true|false}}>, gen.copy_next = array<i1: true>, gen.places = {{\[\[}}#gen.arena<
// CHECK-NOT: #gen.arena<[[A]]>
// CHECK: return
func.func @nested(%x: tensor<4x4xf32>, %y: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %begin = gen.exp %x : tensor<4x4xf32>
  %0 = scf.for %i = %c0 to %c3 step %c1 iter_args(%s = %begin) -> tensor<4x4xf32> {
    %1 = scf.for %j = %c0 to %c3 step %c1 iter_args(%t = %s) -> tensor<4x4xf32> {
      %sum = gen.add %t, %y : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
      scf.yield %sum : tensor<4x4xf32>
    }
    scf.yield %1 : tensor<4x4xf32>
  }
  %first = gen.exp %y : tensor<4x4xf32>
  %2 = scf.for %i = %c0 to %c3 step %c1 iter_args(%s = %first) -> tensor<4x4xf32> {
    %3 = scf.for %j = %c0 to %c3 step %c1 iter_args(%t = %s) -> tensor<4x4xf32> {
      %product = gen.matmul %t, %x : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
      scf.yield %product : tensor<4x4xf32>
    }
    scf.yield %3 : tensor<4x4xf32>
  }
  return %0, %2 : tensor<4x4xf32>, tensor<4x4xf32>
}
