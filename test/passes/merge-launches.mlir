// RUN: gen-opt %s --gen-merge-launches --split-input-file | FileCheck %s
// RUN: gen-opt %s --gen-merge-launches --gen-emit-device-kernels --split-input-file | FileCheck %s --check-prefix=CODE
// RUN: gen-opt %s --pass-pipeline='builtin.module(gen-merge-launches,func.func(gen-plan-memory))' --split-input-file | FileCheck %s --check-prefix=PLAN

// The updates of all variables are one launch. What both read is one argument. The dynamic size of one comes last.
// CHECK-LABEL: func.func @step
// CHECK: %[[W:.*]] = gen.read @w
// CHECK: %[[V:.*]] = gen.read @v
// CHECK: %[[ALL:.*]]:3 = gen.launch @group(%arg0, %arg3, %[[W]], %arg1, %[[V]], %arg2, %arg4) : ({{.*}}) -> (tensor<8xf32>, tensor<6xf32>, tensor<?xf32>)
// CHECK-DAG: gen.assign @w, %[[ALL]]#0
// CHECK-DAG: gen.assign @v, %[[ALL]]#1
// CHECK: return %[[ALL]]#2
// CHECK: gen.kernel @group(%[[A:.*]]: tensor<8xf32>, %[[RATE:.*]]: tensor<f32>, %[[B:.*]]: tensor<8xf32>, %[[C:.*]]: tensor<6xf32>, %[[D:.*]]: tensor<6xf32>, %[[E:.*]]: tensor<?xf32>, %[[N:.*]]: index) -> (tensor<8xf32>, tensor<6xf32>, tensor<?xf32>) family "group"
// CHECK-SAME: gen.sizes = [array<i64: -1>, array<i64>, array<i64: -1>, array<i64: -1>, array<i64: -1>, array<i64: 6>, array<i64: -1>, array<i64: -1>, array<i64: 6>]
// CHECK-NEXT: %[[X:.*]] = gen.launch @update(%[[A]], %[[RATE]], %[[B]])
// CHECK-NEXT: %[[Y:.*]] = gen.launch @smaller(%[[C]], %[[RATE]], %[[D]])
// CHECK-NEXT: %[[Z:.*]] = gen.launch @dynamic(%[[E]], %[[N]])
// CHECK-NEXT: gen.yield %[[X]], %[[Y]], %[[Z]]

// Each variable's new value is written over the old one.
// PLAN-LABEL: func.func @step
// PLAN: gen.launch @group({{.*}}) {gen.places = [#gen.in_variable<@w>, #gen.in_variable<@v>, #gen.in_result<0>]}

// One function: the kernels are parts of it. Blocks are those of all.
// CODE-NOT: gen_update
// CODE: llvm.func ptx_kernelcc @gen_group(
// CODE: llvm.func internal @group.tasks
gen.variable @w : tensor<8xf32>
gen.variable @v : tensor<6xf32>
gen.kernel @update(%g: tensor<8xf32>, %rate: tensor<f32>, %w: tensor<8xf32>) -> (tensor<8xf32>) family "pointwise" attributes {gen.sizes = [array<i64: -1>, array<i64>, array<i64: -1>, array<i64: -1>]} {
  %0 = gen.mul %g, %rate : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %1 = gen.sub %w, %0 : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  gen.yield %1 : tensor<8xf32>
}
gen.kernel @smaller(%g: tensor<6xf32>, %rate: tensor<f32>, %w: tensor<6xf32>) -> (tensor<6xf32>) family "pointwise" attributes {gen.sizes = [array<i64: -1>, array<i64>, array<i64: -1>, array<i64: -1>]} {
  %0 = gen.mul %g, %rate : (tensor<6xf32>, tensor<f32>) -> tensor<6xf32>
  %1 = gen.sub %w, %0 : (tensor<6xf32>, tensor<6xf32>) -> tensor<6xf32>
  gen.yield %1 : tensor<6xf32>
}
gen.kernel @dynamic(%x: tensor<?xf32>, %n: index) -> (tensor<?xf32>) family "pointwise" attributes {gen.sizes = [array<i64: 1>, array<i64: 1>]} {
  %0 = gen.relu %x : tensor<?xf32>
  gen.yield %0 : tensor<?xf32>
}
func.func @step(%g: tensor<8xf32>, %h: tensor<6xf32>, %x: tensor<?xf32>, %rate: tensor<f32>, %n: index) -> tensor<?xf32> {
  %w = gen.read @w : tensor<8xf32>
  %v = gen.read @v : tensor<6xf32>
  %0 = gen.launch @update(%g, %rate, %w) : (tensor<8xf32>, tensor<f32>, tensor<8xf32>) -> tensor<8xf32>
  %1 = gen.launch @smaller(%h, %rate, %v) : (tensor<6xf32>, tensor<f32>, tensor<6xf32>) -> tensor<6xf32>
  %2 = gen.launch @dynamic(%x, %n) : (tensor<?xf32>, index) -> tensor<?xf32>
  gen.assign @w, %0 : tensor<8xf32>
  gen.assign @v, %1 : tensor<6xf32>
  return %2 : tensor<?xf32>
}

// -----

// What depends on a launch is not merged with it, neither itself nor through a view. A view that nobody needs before follows.
// CHECK-LABEL: func.func @chain
// CHECK: %[[FIRST:.*]]:2 = gen.launch @group(%arg0, %arg1)
// CHECK: %[[VIEW:.*]] = gen.reshape %[[FIRST]]#0
// CHECK: gen.launch @relu(%[[FIRST]]#1)
// CHECK: return %[[VIEW]]
gen.kernel @relu(%x: tensor<8xf32>) -> (tensor<8xf32>) family "pointwise" attributes {gen.sizes = [array<i64: -1>, array<i64: -1>]} {
  %0 = gen.relu %x : tensor<8xf32>
  gen.yield %0 : tensor<8xf32>
}
func.func @chain(%x: tensor<8xf32>, %y: tensor<8xf32>) -> (tensor<2x4xf32>, tensor<8xf32>) {
  %0 = gen.launch @relu(%x) : (tensor<8xf32>) -> tensor<8xf32>
  %1 = gen.reshape %0 : tensor<8xf32> -> tensor<2x4xf32>
  %2 = gen.launch @relu(%y) : (tensor<8xf32>) -> tensor<8xf32>
  %3 = gen.launch @relu(%2) : (tensor<8xf32>) -> tensor<8xf32>
  return %1, %3 : tensor<2x4xf32>, tensor<8xf32>
}

// -----

// Nobody overwrites what another one of its group reads: blocks come in any order.
// CHECK-LABEL: func.func @hazard
// CHECK-NOT: @group
// CHECK: return
// CHECK-LABEL: func.func @other_order
// CHECK-NOT: @group
// CHECK: return
gen.variable @w : tensor<8xf32>
gen.kernel @relu(%x: tensor<8xf32>) -> (tensor<8xf32>) family "pointwise" attributes {gen.sizes = [array<i64: -1>, array<i64: -1>]} {
  %0 = gen.relu %x : tensor<8xf32>
  gen.yield %0 : tensor<8xf32>
}
func.func @hazard(%x: tensor<8xf32>) -> tensor<8xf32> {
  %w = gen.read @w : tensor<8xf32>
  %0 = gen.launch @relu(%w) : (tensor<8xf32>) -> tensor<8xf32>
  %1 = gen.launch @relu(%x) : (tensor<8xf32>) -> tensor<8xf32>
  gen.assign @w, %1 : tensor<8xf32>
  return %0 : tensor<8xf32>
}
func.func @other_order(%x: tensor<2x4xf32>) -> tensor<8xf32> {
  %w = gen.read @w : tensor<8xf32>
  %y = gen.reshape %x : tensor<2x4xf32> -> tensor<8xf32>
  %0 = gen.launch @relu(%y) : (tensor<8xf32>) -> tensor<8xf32>
  %1 = gen.launch @relu(%w) : (tensor<8xf32>) -> tensor<8xf32>
  gen.assign @w, %0 : tensor<8xf32>
  return %1 : tensor<8xf32>
}

// -----

// What two blocks of threads of one size do not have in common: 256 threads here, 32 there. Products with those of one kernel only.
// CHECK-LABEL: func.func @unlike
// CHECK: %[[PRODUCTS:.*]]:2 = gen.launch @group(%arg0, %arg1)
// CHECK-NOT: @group
// CHECK: return
gen.kernel @relu(%x: tensor<8x8xf32>) -> (tensor<8x8xf32>) family "pointwise" attributes {gen.sizes = [array<i64: -1, -1>, array<i64: -1, -1>]} {
  %0 = gen.relu %x : tensor<8x8xf32>
  gen.yield %0 : tensor<8x8xf32>
}
gen.kernel @sum(%x: tensor<8x8xf32>) -> (tensor<8xf32>) family "reduction" attributes {gen.sizes = [array<i64: -1, -1>, array<i64: -1>]} {
  %0 = gen.reduce_sum %x axes [1] : tensor<8x8xf32> -> tensor<8xf32>
  gen.yield %0 : tensor<8xf32>
}
gen.kernel @product(%x: tensor<8x8xf32>) -> (tensor<8x8xf32>) family "contraction" attributes {gen.sizes = [array<i64: -1, -1>, array<i64: -1, -1>]} {
  %0 = gen.matmul %x, %x : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %1 = gen.relu %0 : tensor<8x8xf32>
  gen.yield %1 : tensor<8x8xf32>
}
gen.kernel @other(%x: tensor<8x8xf32>) -> (tensor<8x8xf32>) family "contraction" attributes {gen.sizes = [array<i64: -1, -1>, array<i64: -1, -1>]} {
  %0 = gen.matmul %x, %x : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %1 = gen.tanh %0 : tensor<8x8xf32>
  gen.yield %1 : tensor<8x8xf32>
}
func.func @unlike(%x: tensor<8x8xf32>, %y: tensor<8x8xf32>) -> (tensor<8x8xf32>, tensor<8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>) {
  %0 = gen.launch @relu(%x) : (tensor<8x8xf32>) -> tensor<8x8xf32>
  %1 = gen.launch @sum(%x) : (tensor<8x8xf32>) -> tensor<8xf32>
  %2 = gen.launch @product(%x) : (tensor<8x8xf32>) -> tensor<8x8xf32>
  %3 = gen.launch @other(%x) : (tensor<8x8xf32>) -> tensor<8x8xf32>
  %4 = gen.launch @product(%y) : (tensor<8x8xf32>) -> tensor<8x8xf32>
  return %0, %1, %2, %3, %4 : tensor<8x8xf32>, tensor<8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>
}

// -----

// What two of them read, neither overwrites: the new value is copied into the variable.
// PLAN-LABEL: func.func @both
// PLAN: gen.launch @group({{.*}}) {gen.places = [#gen.arena<0>, #gen.in_result<0>]}
gen.variable @w : tensor<8xf32>
gen.kernel @relu(%x: tensor<8xf32>) -> (tensor<8xf32>) family "pointwise" attributes {gen.sizes = [array<i64: -1>, array<i64: -1>]} {
  %0 = gen.relu %x : tensor<8xf32>
  gen.yield %0 : tensor<8xf32>
}
gen.kernel @group(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) family "group" attributes {gen.sizes = [array<i64: -1>, array<i64: -1>, array<i64: -1>]} {
  %0 = gen.launch @relu(%x) : (tensor<8xf32>) -> tensor<8xf32>
  %1 = gen.launch @relu(%x) : (tensor<8xf32>) -> tensor<8xf32>
  gen.yield %0, %1 : tensor<8xf32>, tensor<8xf32>
}
func.func @both() -> tensor<8xf32> {
  %w = gen.read @w : tensor<8xf32>
  %0, %1 = gen.launch @group(%w) : (tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>)
  gen.assign @w, %0 : tensor<8xf32>
  return %1 : tensor<8xf32>
}
