// RUN: gen-opt %s --gen-differentiate --split-input-file -verify-diagnostics

func.func private @callee(%x: tensor<f32>) -> tensor<f32> {
  return %x : tensor<f32>
}
func.func @through_a_call(%x: tensor<f32>) -> tensor<f32> {
  // expected-note @+2 {{hint: inline the function first (--inline)}}
  // expected-error @+1 {{'func.call' op expected an op with a derivative between the inputs and the output of a gen.gradient}}
  %0 = func.call @callee(%x) : (tensor<f32>) -> tensor<f32>
  // expected-note @+1 {{the gradient is taken here}}
  %1 = gen.gradient %0 wrt %x : tensor<f32>, tensor<f32> -> tensor<f32>
  return %1 : tensor<f32>
}

// -----

// The loop sees the input without having it as an operand.
func.func @into_a_loop(%x: tensor<f32>, %start: tensor<f32>, %more: i1) -> tensor<f32> {
  // expected-error @+1 {{'scf.while' op expected an op with a derivative between the inputs and the output of a gen.gradient}}
  %0 = scf.while (%s = %start) : (tensor<f32>) -> tensor<f32> {
    %1 = gen.add %s, %x : (tensor<f32>, tensor<f32>) -> tensor<f32>
    scf.condition(%more) %1 : tensor<f32>
  } do {
  ^bb0(%t: tensor<f32>):
    scf.yield %t : tensor<f32>
  }
  // expected-note @+1 {{the gradient is taken here}}
  %2 = gen.gradient %0 wrt %x : tensor<f32>, tensor<f32> -> tensor<f32>
  return %2 : tensor<f32>
}

// -----

// Steps that count by themselves could not be gone back.
func.func @carried_index(%x: tensor<f32>, %n: index) -> tensor<f32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @+1 {{'scf.for' op expected a loop that carries tensors only, got 'index' at 1}}
  %0:2 = scf.for %i = %c0 to %n step %c1 iter_args(%s = %x, %k = %c1) -> (tensor<f32>, index) {
    %1 = gen.add %s, %x : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %2 = arith.addi %k, %k : index
    scf.yield %1, %2 : tensor<f32>, index
  }
  // expected-note @+1 {{the gradient is taken here}}
  %3 = gen.gradient %0#0 wrt %x : tensor<f32>, tensor<f32> -> tensor<f32>
  return %3 : tensor<f32>
}

// -----

// What is kept of the inner steps would have another size in every outer step.
func.func @triangle(%x: tensor<f32>, %n: index) -> tensor<f32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %0 = scf.for %i = %c0 to %n step %c1 iter_args(%s = %x) -> tensor<f32> {
    // expected-error @+1 {{'scf.for' op expected a number of steps that is the same in every step of the loop around, where a gradient goes through both}}
    %1 = scf.for %j = %c0 to %i step %c1 iter_args(%t = %s) -> tensor<f32> {
      %2 = gen.sin %t : tensor<f32>
      scf.yield %2 : tensor<f32>
    }
    scf.yield %1 : tensor<f32>
  }
  %3 = gen.gradient %0 wrt %x : tensor<f32>, tensor<f32> -> tensor<f32>
  return %3 : tensor<f32>
}
