// RUN: gen-opt %s --split-input-file | FileCheck %s
// RUN: gen-opt %s --split-input-file --mlir-print-op-generic | gen-opt --split-input-file | FileCheck %s
// RUN: gen-opt %s --split-input-file --canonicalize | FileCheck %s --check-prefix=FOLD

// CHECK-LABEL: func.func @unary_ops
func.func @unary_ops(%x: tensor<4x?xf32>) -> tensor<4x?xf32> {
  // CHECK: gen.neg %{{.*}} : tensor<4x?xf32>
  %0 = gen.neg %x : tensor<4x?xf32>
  // CHECK: gen.abs %{{.*}} : tensor<4x?xf32>
  %1 = gen.abs %0 : tensor<4x?xf32>
  // CHECK: gen.sign
  %2 = gen.sign %1 : tensor<4x?xf32>
  // CHECK: gen.exp
  %3 = gen.exp %2 : tensor<4x?xf32>
  // CHECK: gen.log
  %4 = gen.log %3 : tensor<4x?xf32>
  // CHECK: gen.log1p
  %5 = gen.log1p %4 : tensor<4x?xf32>
  // CHECK: gen.sqrt
  %6 = gen.sqrt %5 : tensor<4x?xf32>
  // CHECK: gen.rsqrt
  %7 = gen.rsqrt %6 : tensor<4x?xf32>
  // CHECK: gen.tanh
  %8 = gen.tanh %7 : tensor<4x?xf32>
  // CHECK: gen.sigmoid
  %9 = gen.sigmoid %8 : tensor<4x?xf32>
  // CHECK: gen.erf
  %10 = gen.erf %9 : tensor<4x?xf32>
  // CHECK: gen.sin
  %11 = gen.sin %10 : tensor<4x?xf32>
  // CHECK: gen.cos
  %12 = gen.cos %11 : tensor<4x?xf32>
  // CHECK: gen.relu
  %13 = gen.relu %12 : tensor<4x?xf32>
  // CHECK: gen.leaky_relu %{{.*}} slope 2.000000e-01 : tensor<4x?xf32>
  %14 = gen.leaky_relu %13 slope 2.0e-01 : tensor<4x?xf32>
  // CHECK: gen.stop_gradient %{{.*}} : tensor<4x?xf32>
  %15 = gen.stop_gradient %14 : tensor<4x?xf32>
  return %15 : tensor<4x?xf32>
}

// CHECK-LABEL: func.func @broadcast_from_the_last_axis
func.func @broadcast_from_the_last_axis(%x: tensor<?x8xf32>, %y: tensor<8xf32>, %z: tensor<?x1xf32>,
                                        %s: tensor<f32>) -> tensor<?x8xf32> {
  // CHECK: gen.add %{{.*}}, %{{.*}} : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %0 = gen.add %x, %y : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  // CHECK: gen.sub %{{.*}}, %{{.*}} : (tensor<?x8xf32>, tensor<?x1xf32>) -> tensor<?x8xf32>
  %1 = gen.sub %0, %z : (tensor<?x8xf32>, tensor<?x1xf32>) -> tensor<?x8xf32>
  // CHECK: gen.mul %{{.*}}, %{{.*}} : (tensor<?x1xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = gen.mul %z, %1 : (tensor<?x1xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  // CHECK: gen.div %{{.*}}, %{{.*}} : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %3 = gen.div %2, %s : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  // CHECK: gen.max
  %4 = gen.max %3, %s : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  // CHECK: gen.min
  %5 = gen.min %4, %y : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  // CHECK: gen.pow
  %6 = gen.pow %5, %s : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  return %6 : tensor<?x8xf32>
}

// CHECK-LABEL: func.func @truth_values
func.func @truth_values(%x: tensor<4xi32>, %y: tensor<4xi32>, %c: tensor<i1>) -> tensor<4xf64> {
  // CHECK: gen.compare le %{{.*}}, %{{.*}} : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
  %0 = gen.compare le %x, %y : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
  // CHECK: gen.not %{{.*}} : tensor<4xi1>
  %1 = gen.not %0 : tensor<4xi1>
  // CHECK: gen.and %{{.*}}, %{{.*}} : (tensor<4xi1>, tensor<i1>) -> tensor<4xi1>
  %2 = gen.and %1, %c : (tensor<4xi1>, tensor<i1>) -> tensor<4xi1>
  // CHECK: gen.or
  %3 = gen.or %2, %0 : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  // CHECK: gen.select %{{.*}}, %{{.*}}, %{{.*}} : (tensor<4xi1>, tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
  %4 = gen.select %3, %x, %y : (tensor<4xi1>, tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
  // CHECK: gen.cast %{{.*}} : tensor<4xi32> -> tensor<4xf64>
  %5 = gen.cast %4 : tensor<4xi32> -> tensor<4xf64>
  return %5 : tensor<4xf64>
}

// FOLD-LABEL: func.func @neutral_elements
// FOLD-SAME: (%[[X:.*]]: tensor<4xf32>)
// FOLD-NEXT: return %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[X]]
func.func @neutral_elements(%x: tensor<4xf32>)
    -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %zero = gen.constant dense<0.0> : tensor<f32>
  %one = gen.constant dense<1.0> : tensor<4xf32>
  %add = gen.add %zero, %x : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  %sub = gen.sub %x, %zero : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %mul = gen.mul %one, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %div = gen.div %x, %one : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %pow = gen.pow %x, %one : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %cast = gen.cast %x : tensor<4xf32> -> tensor<4xf32>
  return %add, %sub, %mul, %div, %pow, %cast
    : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// The gradient of what is cut into parts: side by side, not among zeros.
// FOLD-LABEL: func.func @sum_of_parts
// FOLD-SAME: (%[[X:.*]]: tensor<4x2xf32>, %[[Y:.*]]: tensor<4x3xf32>, %[[Z:.*]]: tensor<4x1xf32>)
// FOLD-NEXT: %[[ALL:.*]] = gen.concat %[[X]], %[[Y]], %[[Z]] axis 1
// FOLD-NEXT: return %[[ALL]]
func.func @sum_of_parts(%x: tensor<4x2xf32>, %y: tensor<4x3xf32>, %z: tensor<4x1xf32>) -> tensor<4x6xf32> {
  %0 = gen.pad %x value 0.0 : f32 low [0, 0] high [0, 4] interior [0, 0] : tensor<4x2xf32> -> tensor<4x6xf32>
  %1 = gen.pad %y value 0.0 : f32 low [0, 2] high [0, 1] interior [0, 0] : tensor<4x3xf32> -> tensor<4x6xf32>
  %2 = gen.pad %z value 0.0 : f32 low [0, 5] high [0, 0] interior [0, 0] : tensor<4x1xf32> -> tensor<4x6xf32>
  %3 = gen.add %0, %2 : (tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<4x6xf32>
  %4 = gen.add %3, %1 : (tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<4x6xf32>
  return %4 : tensor<4x6xf32>
}

// FOLD-LABEL: func.func @sum_of_parts_that_overlap
// FOLD: gen.add
func.func @sum_of_parts_that_overlap(%x: tensor<4x3xf32>, %y: tensor<4x4xf32>) -> tensor<4x6xf32> {
  %0 = gen.pad %x value 0.0 : f32 low [0, 0] high [0, 3] interior [0, 0] : tensor<4x3xf32> -> tensor<4x6xf32>
  %1 = gen.pad %y value 0.0 : f32 low [0, 2] high [0, 0] interior [0, 0] : tensor<4x4xf32> -> tensor<4x6xf32>
  %2 = gen.add %0, %1 : (tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<4x6xf32>
  return %2 : tensor<4x6xf32>
}

// A neutral element that gives the result its shape stays.
// FOLD-LABEL: func.func @neutral_element_that_broadcasts
// FOLD: gen.add
func.func @neutral_element_that_broadcasts(%x: tensor<1xf32>) -> tensor<4xf32> {
  %zero = gen.constant dense<0.0> : tensor<4xf32>
  %add = gen.add %x, %zero : (tensor<1xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %add : tensor<4xf32>
}

// NaN * 0 is NaN: only integers fold.
// FOLD-LABEL: func.func @times_zero
// FOLD-SAME: (%[[X:.*]]: tensor<4xf32>
// FOLD-DAG: %[[ZERO:.*]] = gen.constant dense<0> : tensor<4xi32>
// FOLD-DAG: %[[PRODUCT:.*]] = gen.mul %[[X]]
// FOLD: return %[[PRODUCT]], %[[ZERO]]
func.func @times_zero(%x: tensor<4xf32>, %i: tensor<4xi32>) -> (tensor<4xf32>, tensor<4xi32>) {
  %zero = gen.constant dense<0.0> : tensor<f32>
  %none = gen.constant dense<0> : tensor<i32>
  %0 = gen.mul %x, %zero : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %1 = gen.mul %i, %none : (tensor<4xi32>, tensor<i32>) -> tensor<4xi32>
  return %0, %1 : tensor<4xf32>, tensor<4xi32>
}

// FOLD-LABEL: func.func @twice_undone
// FOLD-SAME: (%[[X:.*]]: tensor<?xf32>, %[[C:.*]]: tensor<?xi1>)
// FOLD-NEXT: return %[[X]], %[[C]]
func.func @twice_undone(%x: tensor<?xf32>, %c: tensor<?xi1>) -> (tensor<?xf32>, tensor<?xi1>) {
  %0 = gen.neg %x : tensor<?xf32>
  %1 = gen.neg %0 : tensor<?xf32>
  %2 = gen.not %c : tensor<?xi1>
  %3 = gen.not %2 : tensor<?xi1>
  return %1, %3 : tensor<?xf32>, tensor<?xi1>
}

// FOLD-LABEL: func.func @select_by_a_constant
// FOLD-SAME: (%[[X:.*]]: tensor<4xf32>, %[[Y:.*]]: tensor<4xf32>, %{{.*}}: tensor<4xi1>)
// FOLD-NEXT: return %[[X]], %[[Y]], %[[X]]
func.func @select_by_a_constant(%x: tensor<4xf32>, %y: tensor<4xf32>, %c: tensor<4xi1>)
    -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %true = gen.constant dense<true> : tensor<i1>
  %false = gen.constant dense<false> : tensor<4xi1>
  %0 = gen.select %true, %x, %y : (tensor<i1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = gen.select %false, %x, %y : (tensor<4xi1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %2 = gen.select %c, %x, %x : (tensor<4xi1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %0, %1, %2 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// FOLD-LABEL: func.func @scalar_chain
// FOLD-NEXT: %[[C:.*]] = gen.constant dense<2.500000e-01> : tensor<f32>
// FOLD-NEXT: return %[[C]]
func.func @scalar_chain() -> tensor<f32> {
  %one = gen.constant dense<1> : tensor<i64>
  %three = gen.constant dense<3.0> : tensor<f32>
  %0 = gen.cast %one : tensor<i64> -> tensor<f32>
  %1 = gen.add %0, %three : (tensor<f32>, tensor<f32>) -> tensor<f32>
  %2 = gen.div %0, %1 : (tensor<f32>, tensor<f32>) -> tensor<f32>
  return %2 : tensor<f32>
}

// Splats fold whatever their size, other constants only if small.
// FOLD-LABEL: func.func @constants_of_many_elements
// FOLD-DAG: gen.constant dense<7.38905{{.*}}> : tensor<100000xf32>
// FOLD-DAG: gen.constant dense<[2.000000e+00, 3.000000e+00]> : tensor<2xf32>
func.func @constants_of_many_elements() -> (tensor<100000xf32>, tensor<2xf32>) {
  %two = gen.constant dense<2.0> : tensor<100000xf32>
  %0 = gen.exp %two : tensor<100000xf32>
  %list = gen.constant dense<[4.0, 9.0]> : tensor<2xf32>
  %1 = gen.sqrt %list : tensor<2xf32>
  return %0, %1 : tensor<100000xf32>, tensor<2xf32>
}

// FOLD-LABEL: func.func @casts_saturate
// FOLD: gen.constant dense<[127, -128, 0, -1]> : tensor<4xi8>
func.func @casts_saturate() -> tensor<4xi8> {
  %x = gen.constant dense<[1.0e+09, -1.0e+09, 0x7FC00000, -1.9]> : tensor<4xf32>
  %0 = gen.cast %x : tensor<4xf32> -> tensor<4xi8>
  return %0 : tensor<4xi8>
}

// FOLD-LABEL: func.func @integers_wrap_and_divide_by_zero
// FOLD: gen.constant dense<[0, -2147483648, -3]> : tensor<3xi32>
func.func @integers_wrap_and_divide_by_zero() -> tensor<3xi32> {
  %x = gen.constant dense<[5, -2147483648, -7]> : tensor<3xi32>
  %y = gen.constant dense<[0, -1, 2]> : tensor<3xi32>
  %0 = gen.div %x, %y : (tensor<3xi32>, tensor<3xi32>) -> tensor<3xi32>
  return %0 : tensor<3xi32>
}

// FOLD-LABEL: func.func @repeated_operands
// FOLD-SAME: (%[[X:.*]]: tensor<?x8xf32>, %[[B:.*]]: tensor<8xf32>, %{{.*}}: index)
// FOLD-DAG: %[[TWO:.*]] = gen.constant dense<2.000000e+00> : tensor<f32>
// FOLD-DAG: %[[SUM:.*]] = gen.add %[[X]], %[[B]] : (tensor<?x8xf32>, tensor<8xf32>)
// FOLD: gen.mul %[[SUM]], %[[TWO]] : (tensor<?x8xf32>, tensor<f32>)
func.func @repeated_operands(%x: tensor<?x8xf32>, %b: tensor<8xf32>, %n: index) -> tensor<?x8xf32> {
  %two = gen.constant dense<2.0> : tensor<8xf32>
  %rows = gen.broadcast %b axes [1] sizes(%n) : tensor<8xf32> -> tensor<?x8xf32>
  %0 = gen.add %x, %rows : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = gen.mul %0, %two : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}

// A repeated operand along another axis than the last stays as it is.
// FOLD-LABEL: func.func @repeated_columns
// FOLD: gen.broadcast
func.func @repeated_columns(%x: tensor<8x8xf32>, %b: tensor<8xf32>) -> tensor<8x8xf32> {
  %columns = gen.broadcast %b axes [0] : tensor<8xf32> -> tensor<8x8xf32>
  %0 = gen.add %x, %columns : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  return %0 : tensor<8x8xf32>
}

// FOLD-LABEL: func.func @cheaper_ops
// FOLD-SAME: (%[[X:.*]]: tensor<4xf32>, %[[Y:.*]]: tensor<4xf32>)
// FOLD-DAG: %[[QUARTER:.*]] = gen.constant dense<2.500000e-01> : tensor<f32>
// FOLD-DAG: %[[THIRD:.*]] = gen.constant dense<3.000000e+00> : tensor<f32>
// FOLD-DAG: gen.mul %[[X]], %[[QUARTER]]
// FOLD-DAG: gen.div %[[X]], %[[THIRD]]
// FOLD-DAG: gen.mul %[[X]], %[[X]]
// FOLD-DAG: gen.sub %[[X]], %[[Y]]
func.func @cheaper_ops(%x: tensor<4xf32>, %y: tensor<4xf32>)
    -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %four = gen.constant dense<4.0> : tensor<f32>
  %three = gen.constant dense<3.0> : tensor<f32>
  %two = gen.constant dense<2.0> : tensor<f32>
  %0 = gen.div %x, %four : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %1 = gen.div %x, %three : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %2 = gen.pow %x, %two : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %negated = gen.neg %y : tensor<4xf32>
  %3 = gen.add %negated, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %0, %1, %2, %3 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}
