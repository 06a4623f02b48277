// RUN: gen-opt %s | gen-opt | FileCheck %s
// RUN: gen-opt %s --canonicalize | FileCheck %s --check-prefix=FOLD
// RUN: gen-opt %s --interpret=clamped --input='-5 : index' | FileCheck %s --check-prefix=LOW
// RUN: gen-opt %s --interpret=clamped --input='1 : index' | FileCheck %s --check-prefix=MIDDLE
// RUN: gen-opt %s --interpret=clamped --input='9 : index' | FileCheck %s --check-prefix=HIGH

// Text, folds and semantics of the ops on sequences.

// CHECK-LABEL: @slices
func.func @slices(%x: tensor<?x4xf32>, %u: tensor<2x4xf32>, %i: index) -> (tensor<2x4xf32>, tensor<?x4xf32>) {
  // CHECK: gen.dynamic_slice %{{.*}} at %{{.*}} axis 0 length 2 : tensor<?x4xf32> -> tensor<2x4xf32>
  %0 = gen.dynamic_slice %x at %i axis 0 length 2 : tensor<?x4xf32> -> tensor<2x4xf32>
  // CHECK: gen.dynamic_update_slice %{{.*}} with %{{.*}} at %{{.*}} axis 0 : tensor<?x4xf32>, tensor<2x4xf32>
  %1 = gen.dynamic_update_slice %x with %u at %i axis 0 : tensor<?x4xf32>, tensor<2x4xf32>
  return %0, %1 : tensor<2x4xf32>, tensor<?x4xf32>
}

// All of an axis; what was just written; nothing.
// FOLD-LABEL: @folded
// FOLD-SAME: (%[[X:.*]]: tensor<3x4xf32>, %[[U:.*]]: tensor<3x1xf32>, %[[NONE:.*]]: tensor<3x0xf32>
// FOLD-NEXT: return %[[X]], %[[U]], %[[X]]
func.func @folded(%x: tensor<3x4xf32>, %u: tensor<3x1xf32>, %none: tensor<3x0xf32>, %i: index)
    -> (tensor<3x4xf32>, tensor<3x1xf32>, tensor<3x4xf32>) {
  %0 = gen.dynamic_slice %x at %i axis 1 length 4 : tensor<3x4xf32> -> tensor<3x4xf32>
  %1 = gen.dynamic_update_slice %x with %u at %i axis 1 : tensor<3x4xf32>, tensor<3x1xf32>
  %2 = gen.dynamic_slice %1 at %i axis 1 length 1 : tensor<3x4xf32> -> tensor<3x1xf32>
  %3 = gen.dynamic_update_slice %x with %none at %i axis 1 : tensor<3x4xf32>, tensor<3x0xf32>
  return %0, %2, %3 : tensor<3x4xf32>, tensor<3x1xf32>, tensor<3x4xf32>
}

// LOW: 0: tensor<2xi64> [10, 20]
// LOW: 1: tensor<4xi64> [1, 2, 30, 40]
// MIDDLE: 0: tensor<2xi64> [20, 30]
// MIDDLE: 1: tensor<4xi64> [10, 1, 2, 40]
// HIGH: 0: tensor<2xi64> [30, 40]
// HIGH: 1: tensor<4xi64> [10, 20, 1, 2]
func.func @clamped(%i: index) -> (tensor<2xi64>, tensor<4xi64>) {
  %x = gen.constant dense<[10, 20, 30, 40]> : tensor<4xi64>
  %u = gen.constant dense<[1, 2]> : tensor<2xi64>
  %0 = gen.dynamic_slice %x at %i axis 0 length 2 : tensor<4xi64> -> tensor<2xi64>
  %1 = gen.dynamic_update_slice %x with %u at %i axis 0 : tensor<4xi64>, tensor<2xi64>
  return %0, %1 : tensor<2xi64>, tensor<4xi64>
}
