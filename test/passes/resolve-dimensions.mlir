// RUN: gen-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(func.func(gen-resolve-dimensions),canonicalize,cse)' | FileCheck %s

// One `tensor.dim` for each symbol, whichever value is asked for its size.
// CHECK-LABEL: @one_symbol
// CHECK-SAME: (%[[X:.*]]: tensor<?x4xf32>
// CHECK: %[[BATCH:.*]] = tensor.dim %[[X]]
// CHECK-NOT: tensor.dim
// CHECK: return %[[BATCH]], %[[BATCH]]
func.func @one_symbol(%x: tensor<?x4xf32> {gen.dims = ["batch", ""]}, %y: tensor<?xf32> {gen.dims = ["batch"]}) -> (index, index) {
  %c0 = arith.constant 0 : index
  %e = gen.exp %x : tensor<?x4xf32>
  %s = gen.reduce_sum %e axes [1] : tensor<?x4xf32> -> tensor<?xf32>
  %a = gen.add %s, %y : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  %m = tensor.dim %y, %c0 : tensor<?xf32>
  %n = tensor.dim %a, %c0 : tensor<?xf32>
  return %m, %n : index, index
}

// -----

func.func @two_symbols(%x: tensor<?xf32> {gen.dims = ["batch"]}, %y: tensor<?xf32> {gen.dims = ["length"]}) -> tensor<?xf32> {
  // expected-error @+1 {{'gen.add' op expected operands whose sizes are equal in every call, but axis 0 of 'tensor<?xf32>' may differ from that of 'tensor<?xf32>'; hint: give both dimensions the same name}}
  %a = gen.add %x, %y : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %a : tensor<?xf32>
}
