// RUN: gen-opt %s --split-input-file -verify-diagnostics

func.func @three_axes(%q: tensor<4x8x32xf32>, %k: tensor<2x6x8x32xf32>) {
  // expected-error @+1 {{'gen.attention' op expected operands of rank 4 and one element type (C1), got 'tensor<4x8x32xf32>', 'tensor<2x6x8x32xf32>', 'tensor<2x6x8x32xf32>'}}
  %0, %1 = gen.attention %q, %k, %k scale 0.25
      : (tensor<4x8x32xf32>, tensor<2x6x8x32xf32>, tensor<2x6x8x32xf32>) -> (tensor<2x4x8x32xf32>, tensor<2x8x4xf32>)
  return
}

// -----

func.func @as_many_values_as_keys(%q: tensor<2x4x8x32xf32>, %k: tensor<2x6x8x32xf32>, %v: tensor<2x7x8x32xf32>) {
  // expected-error @+1 {{'gen.attention' op expected query [b, s, h, d], key [b, t, h, d], value [b, t, h, e] and mask [b, h, s, t] (C2), got 'tensor<2x4x8x32xf32>', 'tensor<2x6x8x32xf32>', 'tensor<2x7x8x32xf32>'}}
  %0, %1 = gen.attention %q, %k, %v scale 0.25
      : (tensor<2x4x8x32xf32>, tensor<2x6x8x32xf32>, tensor<2x7x8x32xf32>) -> (tensor<2x4x8x32xf32>, tensor<2x8x4xf32>)
  return
}

// -----

func.func @result_of_another_shape(%q: tensor<2x4x8x32xf32>) {
  // expected-error @+1 {{'gen.attention' op expected results of 'tensor<2x4x8x32xf32>', 'tensor<2x8x4xf32>' (C3), got 'tensor<2x4x8x32xf32>', 'tensor<2x4x8xf32>'}}
  %0, %1 = gen.attention %q, %q, %q scale 0.25
      : (tensor<2x4x8x32xf32>, tensor<2x4x8x32xf32>, tensor<2x4x8x32xf32>) -> (tensor<2x4x8x32xf32>, tensor<2x4x8xf32>)
  return
}
