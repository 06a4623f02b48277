// RUN: gen-opt %s --interpret=step --input='dense<[1.0, 2.0]> : tensor<2xf32>' --repeat=3 --seed=42 --variable=w --variable=random.seed --variable=count | FileCheck %s
// RUN: gen-opt %s --interpret=step --input=x='dense<[1.0, 2.0]> : tensor<2xf32>' --variable=w | FileCheck %s --check-prefix=ONCE

// `init` runs once, before the first call; state stays between calls.
gen.variable @w : tensor<2xf32>
gen.variable @count : tensor<i32> = dense<5> : tensor<i32>
gen.variable @random.seed : tensor<i64>

func.func @init() {
  %0 = gen.constant dense<[10.0, 20.0]> : tensor<2xf32>
  gen.assign @w, %0 : tensor<2xf32>
  return
}

// CHECK: before: tensor<2xf32> [12, 24]
// CHECK: 1: tensor<i32> 8
// CHECK: w: tensor<2xf32> [13, 26]
// CHECK: random.seed: tensor<i64> 42
// CHECK: count: tensor<i32> 8
// ONCE: before: tensor<2xf32> [10, 20]
// ONCE: w: tensor<2xf32> [11, 22]
func.func @step(%x: tensor<2xf32> {gen.name = "x"}) -> (tensor<2xf32> {gen.name = "before"}, tensor<i32>) {
  %w = gen.read @w : tensor<2xf32>
  %0 = gen.add %w, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  gen.assign @w, %0 : tensor<2xf32>
  %count = func.call @increment() : () -> tensor<i32>
  return %w, %count : tensor<2xf32>, tensor<i32>
}

func.func private @increment() -> tensor<i32> {
  %0 = gen.read @count : tensor<i32>
  %one = gen.constant dense<1> : tensor<i32>
  %1 = gen.add %0, %one : (tensor<i32>, tensor<i32>) -> tensor<i32>
  gen.assign @count, %1 : tensor<i32>
  return %1 : tensor<i32>
}
