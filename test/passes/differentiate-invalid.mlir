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
func.func @into_a_loop(%x: tensor<f32>, %start: tensor<f32>, %n: index) -> tensor<f32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @+1 {{'scf.for' op expected an op with a derivative between the inputs and the output of a gen.gradient}}
  %0 = scf.for %i = %c0 to %n step %c1 iter_args(%s = %start) -> tensor<f32> {
    %1 = gen.add %s, %x : (tensor<f32>, tensor<f32>) -> tensor<f32>
    scf.yield %1 : tensor<f32>
  }
  // expected-note @+1 {{the gradient is taken here}}
  %2 = gen.gradient %0 wrt %x : tensor<f32>, tensor<f32> -> tensor<f32>
  return %2 : tensor<f32>
}
