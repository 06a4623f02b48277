// RUN: gen-opt %s --gen-differentiate --canonicalize --cse | FileCheck %s
// RUN: gen-opt %s --gen-differentiate --mlir-print-debuginfo | FileCheck %s --check-prefix=LOC

// CHECK-LABEL: @square
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>)
func.func @square(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK-NEXT: %[[DX:.*]] = gen.add %[[X]], %[[X]]
  // CHECK-NEXT: return %[[DX]]
  %0 = gen.mul %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = gen.reduce_sum %0 axes [0] : tensor<4xf32> -> tensor<f32>
  %2 = gen.gradient %1 wrt %x : tensor<f32>, tensor<4xf32> -> tensor<4xf32>
  return %2 : tensor<4xf32>
}

// An output that does not depend on an input has gradient zero, also if the size is dynamic.
// CHECK-LABEL: @independent
// CHECK-SAME: (%{{.*}}: tensor<f32>, %{{.*}}: tensor<2xf32>, %[[Y:.*]]: tensor<?xf32>)
func.func @independent(%s: tensor<f32>, %x: tensor<2xf32>, %y: tensor<?xf32>) -> (tensor<2xf32>, tensor<?xf32>, tensor<f32>) {
  // CHECK-DAG: %[[ZERO:.*]] = gen.constant dense<0.000000e+00> : tensor<2xf32>
  // CHECK-DAG: %[[ONE:.*]] = gen.constant dense<1.000000e+00> : tensor<f32>
  // CHECK-DAG: %[[SIZE:.*]] = tensor.dim %[[Y]]
  // CHECK-DAG: %[[ZEROS:.*]] = gen.broadcast %{{.*}} axes [] sizes(%[[SIZE]]) : tensor<f32> -> tensor<?xf32>
  // CHECK: return %[[ZERO]], %[[ZEROS]], %[[ONE]]
  %0:3 = gen.gradient %s wrt %x, %y, %s : tensor<f32>, tensor<2xf32>, tensor<?xf32>, tensor<f32> -> tensor<2xf32>, tensor<?xf32>, tensor<f32>
  return %0#0, %0#1, %0#2 : tensor<2xf32>, tensor<?xf32>, tensor<f32>
}

// Of x * stop(x), only the first factor counts.
// CHECK-LABEL: @stopped
// CHECK-SAME: (%[[X:.*]]: tensor<f32>)
func.func @stopped(%x: tensor<f32>) -> tensor<f32> {
  // CHECK-NEXT: %[[STOP:.*]] = gen.stop_gradient %[[X]]
  // CHECK-NEXT: return %[[STOP]]
  %0 = gen.stop_gradient %x : tensor<f32>
  %1 = gen.mul %x, %0 : (tensor<f32>, tensor<f32>) -> tensor<f32>
  %2 = gen.gradient %1 wrt %x : tensor<f32>, tensor<f32> -> tensor<f32>
  return %2 : tensor<f32>
}

// The gradient with respect to an input includes the way through another input.
// CHECK-LABEL: @on_the_way
// CHECK-SAME: (%[[X:.*]]: tensor<f32>)
func.func @on_the_way(%x: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  // CHECK-DAG: %[[Y:.*]] = gen.exp %[[X]]
  // CHECK-DAG: %[[DY:.*]] = gen.add %[[Y]], %[[Y]]
  // CHECK-DAG: %[[DX:.*]] = gen.mul %[[DY]], %[[Y]]
  // CHECK: return %[[DX]], %[[DY]]
  %0 = gen.exp %x : tensor<f32>
  %1 = gen.mul %0, %0 : (tensor<f32>, tensor<f32>) -> tensor<f32>
  %2:2 = gen.gradient %1 wrt %x, %0 : tensor<f32>, tensor<f32>, tensor<f32> -> tensor<f32>, tensor<f32>
  return %2#0, %2#1 : tensor<f32>, tensor<f32>
}

// Second order: sin'' = -sin.
// CHECK-LABEL: @twice
// CHECK-SAME: (%[[X:.*]]: tensor<f32>)
func.func @twice(%x: tensor<f32>) -> tensor<f32> {
  // CHECK-NEXT: %[[SIN:.*]] = gen.sin %[[X]]
  // CHECK-NEXT: %[[NEG:.*]] = gen.neg %[[SIN]]
  // CHECK-NEXT: return %[[NEG]]
  %0 = gen.sin %x : tensor<f32>
  %1 = gen.gradient %0 wrt %x : tensor<f32>, tensor<f32> -> tensor<f32>
  %2 = gen.gradient %1 wrt %x : tensor<f32>, tensor<f32> -> tensor<f32>
  return %2 : tensor<f32>
}

// Integers, comparisons and sizes carry no gradient.
// CHECK-LABEL: @chosen
// CHECK-SAME: (%[[X:.*]]: tensor<?xf32>, %[[Y:.*]]: tensor<?xf32>)
func.func @chosen(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
  // CHECK: %[[LESS:.*]] = gen.compare lt %[[X]], %[[Y]]
  // CHECK: gen.select %[[LESS]]
  // CHECK-NOT: gen.gradient
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %0 = gen.compare lt %x, %y : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xi1>
  %1 = gen.select %0, %x, %y : (tensor<?xi1>, tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  %2 = gen.reshape %1 sizes(%n) : tensor<?xf32> -> tensor<?x1xf32>
  %3 = gen.reduce_sum %2 axes [0, 1] : tensor<?x1xf32> -> tensor<f32>
  %4 = gen.gradient %3 wrt %x : tensor<f32>, tensor<?xf32> -> tensor<?xf32>
  return %4 : tensor<?xf32>
}

// Moving back: a slice is padded, a padded tensor sliced, a joined one taken apart.
// CHECK-LABEL: @moved
// CHECK-SAME: (%[[X:.*]]: tensor<2x7xf32>, %[[Y:.*]]: tensor<?x3xf32>
func.func @moved(%x: tensor<2x7xf32>, %y: tensor<?x3xf32>, %u: tensor<1x3xf32>, %v: tensor<?x8xf32>) -> (tensor<2x7xf32>, tensor<?x3xf32>) {
  // CHECK-DAG: gen.pad %{{.*}} value 0.000000e+00 : f32 low [1, 1] high [0, 1] interior [0, 1] : tensor<1x3xf32> -> tensor<2x7xf32>
  // CHECK-DAG: gen.slice %{{.*}} starts [0, 1] limits [-2, 4] strides [1, 1] : tensor<?x8xf32> -> tensor<?x3xf32>
  // CHECK-DAG: gen.slice %{{.*}} starts [0, 4] limits [-2, 7] strides [1, 1] : tensor<?x8xf32> -> tensor<?x3xf32>
  %0 = gen.slice %x starts [1, 1] limits [2, 6] strides [1, 2] : tensor<2x7xf32> -> tensor<1x3xf32>
  %1 = gen.mul %0, %u : (tensor<1x3xf32>, tensor<1x3xf32>) -> tensor<1x3xf32>
  %2 = gen.reduce_sum %1 axes [0, 1] : tensor<1x3xf32> -> tensor<f32>
  %3 = gen.concat %y, %y axis 1 : (tensor<?x3xf32>, tensor<?x3xf32>) -> tensor<?x6xf32>
  %4 = gen.pad %3 value 1.0 : f32 low [0, 1] high [2, 1] interior [0, 0] : tensor<?x6xf32> -> tensor<?x8xf32>
  %5 = gen.mul %4, %v : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %6 = gen.reduce_sum %5 axes [0, 1] : tensor<?x8xf32> -> tensor<f32>
  %7 = gen.add %2, %6 : (tensor<f32>, tensor<f32>) -> tensor<f32>
  %8:2 = gen.gradient %7 wrt %x, %y : tensor<f32>, tensor<2x7xf32>, tensor<?x3xf32> -> tensor<2x7xf32>, tensor<?x3xf32>
  return %8#0, %8#1 : tensor<2x7xf32>, tensor<?x3xf32>
}

// Gradient ops have the location of the op that they are the gradient of.
// LOC-LABEL: @locations
func.func @locations(%x: tensor<f32>) -> tensor<f32> {
  // LOC: gen.tanh %{{.*}} : tensor<f32> loc(#[[TANH:.*]])
  // LOC: gen.mul %{{.*}} loc(#[[TANH]])
  // LOC: return
  // LOC: #[[TANH]] = loc("model.cpp":41:12)
  %0 = gen.tanh %x : tensor<f32> loc("model.cpp":41:12)
  %1 = gen.gradient %0 wrt %x : tensor<f32>, tensor<f32> -> tensor<f32> loc("model.cpp":50:1)
  return %1 : tensor<f32>
}

// A loop is gone back step by step. What derivatives use of a step is kept by the forward loop; the
// gradient of the sequence is what the steps give; that of the weight is one product after the loop.
// CHECK-LABEL: func.func @recurrence
// CHECK-SAME: (%[[X:.*]]: tensor<8x2x4xf32>, %[[H:.*]]: tensor<2x4xf32>, %[[W:.*]]: tensor<4x4xf32>)
// CHECK: %[[FORWARD:.*]]:3 = scf.for %{{.*}} iter_args(%[[S:.*]] = %[[H]], %[[STATES:.*]] = %{{.*}}, %[[RESULTS:.*]] = %{{.*}})
// CHECK: %[[T:.*]] = gen.tanh
// CHECK: gen.reshape %[[S]]
// CHECK: gen.dynamic_update_slice %[[STATES]]
// CHECK: gen.reshape %[[T]]
// CHECK: gen.dynamic_update_slice %[[RESULTS]]
// CHECK: %[[BACKWARD:.*]]:2 = scf.for %[[J:.*]] = {{.*}} iter_args(%{{.*}} = %{{.*}}, %[[ALL:.*]] = %{{.*}})
// CHECK: %[[K:.*]] = arith.subi %{{.*}}, %[[J]]
// CHECK: gen.dynamic_slice %[[FORWARD]]#2 at %[[K]]
// CHECK: gen.matmul %[[G:.*]], %[[W]] : (
// CHECK-NOT: gen.matmul
// CHECK: gen.dynamic_update_slice %[[ALL]] with %{{.*}} at %[[K]]
// CHECK: %[[GS:.*]] = gen.reshape %[[BACKWARD]]#1 : tensor<8x2x4xf32> -> tensor<16x4xf32>
// CHECK: %[[SS:.*]] = gen.reshape %[[FORWARD]]#1 : tensor<8x2x4xf32> -> tensor<16x4xf32>
// CHECK: %[[DW:.*]] = gen.matmul %[[GS]] transposed, %[[SS]]
// CHECK: return %[[BACKWARD]]#1, %[[BACKWARD]]#0, %[[DW]]
func.func @recurrence(%x: tensor<8x2x4xf32>, %h: tensor<2x4xf32>, %w: tensor<4x4xf32>)
    -> (tensor<8x2x4xf32>, tensor<2x4xf32>, tensor<4x4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %0 = scf.for %i = %c0 to %c8 step %c1 iter_args(%s = %h) -> tensor<2x4xf32> {
    %p = gen.matmul %s, %w transposed : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
    %x1 = gen.dynamic_slice %x at %i axis 0 length 1 : tensor<8x2x4xf32> -> tensor<1x2x4xf32>
    %xi = gen.reshape %x1 : tensor<1x2x4xf32> -> tensor<2x4xf32>
    %a = gen.add %p, %xi : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
    %t = gen.tanh %a : tensor<2x4xf32>
    scf.yield %t : tensor<2x4xf32>
  }
  %loss = gen.reduce_sum %0 axes [0, 1] : tensor<2x4xf32> -> tensor<f32>
  %dx, %dh, %dw = gen.gradient %loss wrt %x, %h, %w : tensor<f32>, tensor<8x2x4xf32>, tensor<2x4xf32>, tensor<4x4xf32>
      -> tensor<8x2x4xf32>, tensor<2x4xf32>, tensor<4x4xf32>
  return %dx, %dh, %dw : tensor<8x2x4xf32>, tensor<2x4xf32>, tensor<4x4xf32>
}
