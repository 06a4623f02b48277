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

// Sizes are compared as sums of products: (n - 1) + 1 is n, and m * n is n * m.
// CHECK-LABEL: @by_algebra
// CHECK: gen.add
// CHECK: gen.add
func.func @by_algebra(%x: tensor<?xf32> {gen.dims = ["n"]}, %y: tensor<?x?xf32> {gen.dims = ["m", "n"]}) -> (tensor<?xf32>, tensor<?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %tail = gen.slice %x starts [1] limits [0] strides [1] : tensor<?xf32> -> tensor<?xf32>
  %shifted = gen.pad %tail value 0.0 : f32 low [1] high [0] interior [0] : tensor<?xf32> -> tensor<?xf32>
  %a = gen.add %x, %shifted : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  %m = tensor.dim %y, %c0 : tensor<?x?xf32>
  %n = tensor.dim %y, %c1 : tensor<?x?xf32>
  %mn = arith.muli %m, %n : index
  %nm = arith.muli %n, %m : index
  %flat = gen.reshape %y sizes(%mn) : tensor<?x?xf32> -> tensor<?xf32>
  %flipped = gen.reshape %y sizes(%nm) : tensor<?x?xf32> -> tensor<?xf32>
  %b = gen.add %flat, %flipped : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %a, %b : tensor<?xf32>, tensor<?xf32>
}

// -----

func.func @two_symbols(%x: tensor<?xf32> {gen.dims = ["batch"]}, %y: tensor<?xf32> {gen.dims = ["length"]}) -> tensor<?xf32> {
  // expected-error @+1 {{'gen.add' op expected operands whose sizes are equal in every call, but axis 0 of 'tensor<?xf32>' may differ from that of 'tensor<?xf32>'; hint: give both dimensions the same name}}
  %a = gen.add %x, %y : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %a : tensor<?xf32>
}
