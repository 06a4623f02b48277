// RUN: gen-opt %s --gen-hoist-invariants | FileCheck %s

// CHECK-LABEL: @loop
// CHECK: gen.exp
// CHECK-NEXT: scf.for
func.func @loop(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %0 = scf.for %i = %c0 to %c8 step %c1 iter_args(%s = %x) -> tensor<4xf32> {
    %e = gen.exp %x : tensor<4xf32>
    %a = gen.add %s, %e : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    scf.yield %a : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// A branch, which may not be taken.
// CHECK-LABEL: @branch
// CHECK: scf.for
// CHECK-NEXT: gen.exp
func.func @branch(%x: tensor<4xf32>, %condition: tensor<i1>) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %holds = tensor.extract %condition[] : tensor<i1>
  %n = arith.index_castui %holds : i1 to index
  %0 = scf.for %i = %c0 to %n step %c1 iter_args(%s = %x) -> tensor<4xf32> {
    %e = gen.exp %x : tensor<4xf32>
    scf.yield %e : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}
