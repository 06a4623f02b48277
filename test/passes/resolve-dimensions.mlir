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

// -----

// What a loop carries has the size that it started with.
// CHECK-LABEL: @carried
// CHECK: %[[N:.*]] = tensor.dim %arg0, %c0
// CHECK: scf.for
// CHECK-NEXT: gen.size %[[N]]
func.func @carried(%x: tensor<?xf32> {gen.dims = ["n"]}) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %r = scf.for %i = %c0 to %c8 step %c1 iter_args(%s = %x) -> tensor<?xf32> {
    %n = tensor.dim %s, %c0 : tensor<?xf32>
    %size = gen.size %n : tensor<i64>
    %count = gen.cast %size : tensor<i64> -> tensor<f32>
    %next = gen.add %s, %count : (tensor<?xf32>, tensor<f32>) -> tensor<?xf32>
    scf.yield %next : tensor<?xf32>
  }
  return %r : tensor<?xf32>
}

// -----

func.func @growing(%x: tensor<?xf32> {gen.dims = ["n"]}) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @+1 {{'scf.for' op expected values that keep their sizes from step to step, but axis 0 of carried value 0, 'tensor<?xf32>', may change; hint: give both dimensions the same name}}
  %r = scf.for %i = %c0 to %c1 step %c1 iter_args(%s = %x) -> tensor<?xf32> {
    %next = gen.pad %s value 0.0 : f32 low [1] high [0] interior [0] : tensor<?xf32> -> tensor<?xf32>
    scf.yield %next : tensor<?xf32>
  }
  return %r : tensor<?xf32>
}

// -----

func.func @by_step(%x: tensor<f32>, %n: tensor<?xf32>) -> tensor<f32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %steps = tensor.dim %n, %c0 : tensor<?xf32>
  %r = scf.for %i = %c0 to %steps step %c1 iter_args(%s = %x) -> tensor<f32> {
    // expected-error @+1 {{'gen.broadcast' op expected sizes that are the same in every step of the loop, but axis 0 of 'tensor<?xf32>' is not}}
    %row = gen.broadcast %s axes [] sizes(%i) : tensor<f32> -> tensor<?xf32>
    %next = gen.reduce_sum %row axes [0] : tensor<?xf32> -> tensor<f32>
    scf.yield %next : tensor<f32>
  }
  return %r : tensor<f32>
}
