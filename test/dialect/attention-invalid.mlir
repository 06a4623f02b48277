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

// -----

func.func @gradient_of_three_axes(%q: tensor<4x8x32xf32>, %k: tensor<2x6x8x32xf32>, %z: tensor<2x4x8x32xf32>, %l: tensor<2x8x4xf32>) {
  // expected-error @+1 {{'gen.attention_gradient' op expected operands of rank 4 and one element type (C1), got 'tensor<4x8x32xf32>', 'tensor<2x6x8x32xf32>', 'tensor<2x6x8x32xf32>'}}
  %0, %1, %2 = gen.attention_gradient %q, %k, %k, %z, %l, %z scale 0.25
      : (tensor<4x8x32xf32>, tensor<2x6x8x32xf32>, tensor<2x6x8x32xf32>, tensor<2x4x8x32xf32>, tensor<2x8x4xf32>, tensor<2x4x8x32xf32>) -> (tensor<4x8x32xf32>, tensor<2x6x8x32xf32>, tensor<2x6x8x32xf32>)
  return
}

// -----

func.func @gradient_with_a_mask_of_other_keys(%q: tensor<2x4x8x32xf32>, %k: tensor<2x6x8x32xf32>, %l: tensor<2x8x4xf32>, %mask: tensor<1x1x4x5xf32>) {
  // expected-error @+1 {{'gen.attention_gradient' op expected query [b, s, h, d], key [b, t, h, d], value [b, t, h, e] and mask [b, h, s, t] (C2), got 'tensor<2x4x8x32xf32>', 'tensor<2x6x8x32xf32>', 'tensor<2x6x8x32xf32>', 'tensor<1x1x4x5xf32>'}}
  %0, %1, %2 = gen.attention_gradient %q, %k, %k, %q, %l, %q mask %mask scale 0.25
      : (tensor<2x4x8x32xf32>, tensor<2x6x8x32xf32>, tensor<2x6x8x32xf32>, tensor<2x4x8x32xf32>, tensor<2x8x4xf32>, tensor<2x4x8x32xf32>, tensor<1x1x4x5xf32>) -> (tensor<2x4x8x32xf32>, tensor<2x6x8x32xf32>, tensor<2x6x8x32xf32>)
  return
}

// -----

func.func @gradient_without_heads_in_the_sums(%q: tensor<2x4x8x32xf32>, %l: tensor<2x4xf32>) {
  // expected-error @+1 {{'gen.attention_gradient' op expected output, logsumexp and output_gradient of 'tensor<2x4x8x32xf32>', 'tensor<2x8x4xf32>', 'tensor<2x4x8x32xf32>' (C3), got 'tensor<2x4x8x32xf32>', 'tensor<2x4xf32>', 'tensor<2x4x8x32xf32>'}}
  %0, %1, %2 = gen.attention_gradient %q, %q, %q, %q, %l, %q scale 0.25
      : (tensor<2x4x8x32xf32>, tensor<2x4x8x32xf32>, tensor<2x4x8x32xf32>, tensor<2x4x8x32xf32>, tensor<2x4xf32>, tensor<2x4x8x32xf32>) -> (tensor<2x4x8x32xf32>, tensor<2x4x8x32xf32>, tensor<2x4x8x32xf32>)
  return
}

// -----

func.func @gradient_of_another_shape(%q: tensor<2x4x8x32xf32>, %k: tensor<2x6x8x32xf32>, %l: tensor<2x8x4xf32>) {
  // expected-error @+1 {{'gen.attention_gradient' op expected results of 'tensor<2x4x8x32xf32>', 'tensor<2x6x8x32xf32>', 'tensor<2x6x8x32xf32>' (C4), got 'tensor<2x4x8x32xf32>', 'tensor<2x6x8x32xf32>', 'tensor<2x4x8x32xf32>'}}
  %0, %1, %2 = gen.attention_gradient %q, %k, %k, %q, %l, %q scale 0.25
      : (tensor<2x4x8x32xf32>, tensor<2x6x8x32xf32>, tensor<2x6x8x32xf32>, tensor<2x4x8x32xf32>, tensor<2x8x4xf32>, tensor<2x4x8x32xf32>) -> (tensor<2x4x8x32xf32>, tensor<2x6x8x32xf32>, tensor<2x4x8x32xf32>)
  return
}
