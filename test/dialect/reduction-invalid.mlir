// RUN: gen-opt %s --split-input-file -verify-diagnostics

func.func @axis_out_of_range(%x: tensor<4x8xf32>) {
  // expected-error @+2 {{'gen.reduce_sum' op expected ascending axes of the input (C1), got [2] for 'tensor<4x8xf32>'}}
  // expected-note @+1 {{hint: axes count from 0, outermost first; each is given once}}
  %0 = gen.reduce_sum %x axes [2] : tensor<4x8xf32> -> tensor<4xf32>
  return
}

// -----

func.func @axis_below_zero(%x: tensor<4x8xf32>) {
  // expected-error @+2 {{'gen.reduce_max' op expected ascending axes of the input (C1), got [-1] for 'tensor<4x8xf32>'}}
  // expected-note @+1 {{hint: axes count from 0, outermost first; each is given once}}
  %0 = gen.reduce_max %x axes [-1] : tensor<4x8xf32> -> tensor<4xf32>
  return
}

// -----

func.func @axes_out_of_order(%x: tensor<4x8xf32>) {
  // expected-error @+2 {{'gen.reduce_min' op expected ascending axes of the input (C1), got [1, 0] for 'tensor<4x8xf32>'}}
  // expected-note @+1 {{hint: axes count from 0, outermost first; each is given once}}
  %0 = gen.reduce_min %x axes [1, 0] : tensor<4x8xf32> -> tensor<f32>
  return
}

// -----

func.func @axis_given_twice(%x: tensor<4x8xf32>) {
  // expected-error @+2 {{'gen.reduce_mean' op expected ascending axes of the input (C1), got [1, 1] for 'tensor<4x8xf32>'}}
  // expected-note @+1 {{hint: axes count from 0, outermost first; each is given once}}
  %0 = gen.reduce_mean %x axes [1, 1] : tensor<4x8xf32> -> tensor<4xf32>
  return
}

// -----

func.func @result_keeps_the_axis(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{'gen.reduce_sum' op expected result type 'tensor<4xf32>' (C2), got 'tensor<4x1xf32>'}}
  %0 = gen.reduce_sum %x axes [1] : tensor<4x8xf32> -> tensor<4x1xf32>
  return
}

// -----

func.func @result_of_another_element_type(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{'gen.reduce_mean' op expected result type 'tensor<4xf32>' (C2), got 'tensor<4xf64>'}}
  %0 = gen.reduce_mean %x axes [1] : tensor<4x8xf32> -> tensor<4xf64>
  return
}

// -----

func.func @mean_of_integers(%x: tensor<4x8xi32>) {
  // expected-error @+1 {{'gen.reduce_mean' op operand #0 must be ranked tensor of 32-bit float or 64-bit float values, but got 'tensor<4x8xi32>'}}
  %0 = gen.reduce_mean %x axes [1] : tensor<4x8xi32> -> tensor<4xi32>
  return
}
