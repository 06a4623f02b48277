// RUN: gen-opt %s --interpret=power --input='3.0 : f32' --input='4 : index' | FileCheck %s --check-prefix=POWER
// RUN: gen-opt %s --interpret=collatz --input='dense<6> : tensor<i64>' | FileCheck %s --check-prefix=COLLATZ
// RUN: gen-opt %s --interpret=choose --input='true' | FileCheck %s --check-prefix=TRUE
// RUN: gen-opt %s --interpret=choose --input='false' | FileCheck %s --check-prefix=FALSE
// RUN: gen-opt %s --interpret=launch --input='dense<[1.0, 2.0]> : tensor<2xf32>' | FileCheck %s --check-prefix=LAUNCH

// POWER: 0: tensor<f32> 81
func.func @power(%x: f32, %n: index) -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %one = arith.constant 1.0 : f32
  %0 = scf.for %i = %c0 to %n step %c1 iter_args(%p = %one) -> f32 {
    %1 = arith.mulf %p, %x : f32
    scf.yield %1 : f32
  }
  return %0 : f32
}

// Steps until 1: 6, 3, 10, 5, 16, 8, 4, 2, 1.
// COLLATZ: 0: tensor<i64> 8
func.func @collatz(%start: tensor<i64>) -> tensor<i64> {
  %c1 = arith.constant 1 : i64
  %c2 = arith.constant 2 : i64
  %c3 = arith.constant 3 : i64
  %zero = arith.constant dense<0> : tensor<i64>
  %one = gen.constant dense<1> : tensor<i64>
  %0:2 = scf.while (%x = %start, %steps = %zero) : (tensor<i64>, tensor<i64>) -> (tensor<i64>, tensor<i64>) {
    %n = tensor.extract %x[] : tensor<i64>
    %more = arith.cmpi ne, %n, %c1 : i64
    scf.condition(%more) %x, %steps : tensor<i64>, tensor<i64>
  } do {
  ^bb0(%x: tensor<i64>, %steps: tensor<i64>):
    %n = tensor.extract %x[] : tensor<i64>
    %parity = arith.remsi %n, %c2 : i64
    %odd = arith.cmpi eq, %parity, %c1 : i64
    %next = scf.if %odd -> i64 {
      %tripled = arith.muli %n, %c3 : i64
      %up = arith.addi %tripled, %c1 : i64
      scf.yield %up : i64
    } else {
      %down = arith.divsi %n, %c2 : i64
      scf.yield %down : i64
    }
    %tensor = tensor.from_elements %next : tensor<i64>
    %count = gen.add %steps, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
    scf.yield %tensor, %count : tensor<i64>, tensor<i64>
  }
  return %0#1 : tensor<i64>
}

// TRUE: 0: tensor<i32> 1
// FALSE: 0: tensor<i32> 2
func.func @choose(%which: i1) -> tensor<i32> {
  %0 = scf.if %which -> tensor<i32> {
    %one = gen.constant dense<1> : tensor<i32>
    scf.yield %one : tensor<i32>
  } else {
    %two = gen.constant dense<2> : tensor<i32>
    scf.yield %two : tensor<i32>
  }
  return %0 : tensor<i32>
}

// LAUNCH: 0: tensor<2xf32> [2, 4]
// LAUNCH: 1: tensor<2xf32> [1, 2]
gen.kernel @twice(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) family "pointwise" {
  %0 = gen.add %x, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  gen.yield %0, %x : tensor<2xf32>, tensor<2xf32>
}
func.func @launch(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %0:2 = gen.launch @twice(%x) : (tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>)
  return %0#0, %0#1 : tensor<2xf32>, tensor<2xf32>
}
