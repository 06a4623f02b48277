// RUN: gen-opt %s --gen-forward-variables | FileCheck %s

gen.variable @w : tensor<4xf32>
gen.variable @v : tensor<4xf32>

// A read after an assignment is the assigned value; only the last assignment counts.
// CHECK-LABEL: @read_after_assign
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>)
// CHECK-NOT: gen.read
// CHECK: %[[Y:.*]] = gen.add %[[X]], %[[X]]
// CHECK-NEXT: gen.assign @w, %[[Y]]
// CHECK-NOT: gen.assign
// CHECK: return %[[X]]
func.func @read_after_assign(%x: tensor<4xf32>) -> tensor<4xf32> {
  gen.assign @w, %x : tensor<4xf32>
  %w = gen.read @w : tensor<4xf32>
  %y = gen.add %w, %w : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  gen.assign @w, %y : tensor<4xf32>
  return %w : tensor<4xf32>
}

// CHECK-LABEL: @reads_first_assigns_last
// CHECK-NEXT: gen.read @w
// CHECK: gen.neg
// CHECK-NEXT: gen.abs
// CHECK-NEXT: gen.assign @v
// CHECK-NEXT: gen.assign @w
func.func @reads_first_assigns_last() {
  %w = gen.read @w : tensor<4xf32>
  %a = gen.neg %w : tensor<4xf32>
  gen.assign @v, %a : tensor<4xf32>
  %b = gen.abs %a : tensor<4xf32>
  gen.assign @w, %b : tensor<4xf32>
  return
}

// The old value, read before, stays the old value.
// CHECK-LABEL: @read_before_assign
// CHECK: %[[W:.*]] = gen.read @w
// CHECK: gen.assign @w
// CHECK: return %[[W]]
func.func @read_before_assign(%x: tensor<4xf32>) -> tensor<4xf32> {
  %w = gen.read @w : tensor<4xf32>
  gen.assign @w, %x : tensor<4xf32>
  return %w : tensor<4xf32>
}

// A loop carries what it assigns; what it only reads is read before it.
// CHECK-LABEL: @loop
// CHECK-DAG: %[[W:.*]] = gen.read @w
// CHECK-DAG: %[[V:.*]] = gen.read @v
// CHECK: %[[LAST:.*]] = scf.for {{.*}} iter_args(%[[NOW:.*]] = %[[W]])
// CHECK-NEXT: %[[NEXT:.*]] = gen.add %[[NOW]], %[[V]]
// CHECK-NEXT: scf.yield %[[NEXT]]
// CHECK: gen.assign @w, %[[LAST]]
// CHECK-NEXT: return %[[LAST]]
func.func @loop(%n: index) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    %w = gen.read @w : tensor<4xf32>
    %v = gen.read @v : tensor<4xf32>
    %next = gen.add %w, %v : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    gen.assign @w, %next : tensor<4xf32>
  }
  %after = gen.read @w : tensor<4xf32>
  return %after : tensor<4xf32>
}

// An inner loop's assignment is carried by the outer one, too.
// CHECK-LABEL: @nested
// CHECK: scf.for {{.*}} iter_args(%[[OUTER:.*]] = %{{.*}})
// CHECK-NEXT: %[[INNER:.*]] = scf.for {{.*}} iter_args(%[[NOW:.*]] = %[[OUTER]])
// CHECK-NEXT: gen.add %[[NOW]], %[[NOW]]
// CHECK: scf.yield %[[INNER]]
func.func @nested(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    scf.for %j = %c0 to %i step %c1 {
      %w = gen.read @w : tensor<4xf32>
      %next = gen.add %w, %w : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
      gen.assign @w, %next : tensor<4xf32>
    }
  }
  return
}
