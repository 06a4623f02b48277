// RUN: gen-opt %s --split-input-file -verify-diagnostics

func.func @vectors(%x: tensor<4xf32>, %y: tensor<4xf32>) {
  // expected-error @+1 {{'gen.matmul' op expected operands of one rank, at least 2 (C1), got 'tensor<4xf32>' and 'tensor<4xf32>'}}
  %0 = gen.matmul %x, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<f32>
  return
}

// -----

func.func @ranks_that_differ(%x: tensor<2x3x4xf32>, %y: tensor<4x5xf32>) {
  // expected-error @+1 {{'gen.matmul' op expected operands of one rank, at least 2 (C1), got 'tensor<2x3x4xf32>' and 'tensor<4x5xf32>'}}
  %0 = gen.matmul %x, %y : (tensor<2x3x4xf32>, tensor<4x5xf32>) -> tensor<2x3x5xf32>
  return
}

// -----

func.func @columns_and_rows(%x: tensor<128x400xf32>, %y: tensor<20x400xf32>) {
  // expected-error @+2 {{'gen.matmul' op expected lhs columns to equal rhs rows (C2), got 400 and 20 for lhs 'tensor<128x400xf32>' and rhs 'tensor<20x400xf32>'}}
  // expected-note @+1 {{hint: 'transposed' after an operand swaps its last two axes}}
  %0 = gen.matmul %x, %y : (tensor<128x400xf32>, tensor<20x400xf32>) -> tensor<128x400xf32>
  return
}

// -----

func.func @columns_and_rows_transposed(%x: tensor<128x400xf32>, %y: tensor<400x20xf32>) {
  // expected-error @+2 {{'gen.matmul' op expected lhs columns to equal rhs rows (C2), got 400 and 20 for lhs 'tensor<128x400xf32>' and rhs 'tensor<400x20xf32>' transposed}}
  // expected-note @+1 {{hint: 'transposed' after an operand swaps its last two axes}}
  %0 = gen.matmul %x, %y transposed : (tensor<128x400xf32>, tensor<400x20xf32>) -> tensor<128x400xf32>
  return
}

// -----

func.func @batch_sizes(%x: tensor<2x3x4xf32>, %y: tensor<3x4x5xf32>) {
  // expected-error @+1 {{'gen.matmul' op expected equal batch axes (C3), got 'tensor<2x3x4xf32>' and 'tensor<3x4x5xf32>'}}
  %0 = gen.matmul %x, %y : (tensor<2x3x4xf32>, tensor<3x4x5xf32>) -> tensor<2x3x5xf32>
  return
}

// -----

func.func @two_element_types(%x: tensor<3x4xf32>, %y: tensor<4x5xf64>) {
  // expected-error @+1 {{'gen.matmul' op expected operands of one element type (C4), got 'tensor<3x4xf32>' and 'tensor<4x5xf64>'}}
  %0 = gen.matmul %x, %y : (tensor<3x4xf32>, tensor<4x5xf64>) -> tensor<3x5xf64>
  return
}

// -----

func.func @result_shape(%x: tensor<3x4xf32>, %y: tensor<4x5xf32>) {
  // expected-error @+1 {{'gen.matmul' op expected result type 'tensor<3x5xf32>' (C5), got 'tensor<5x3xf32>'}}
  %0 = gen.matmul %x, %y : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<5x3xf32>
  return
}

// -----

func.func @result_element_type(%x: tensor<3x4xf32>, %y: tensor<4x5xf32>) {
  // expected-error @+1 {{'gen.matmul' op expected result type 'tensor<3x5xf32>' (C5), got 'tensor<3x5xf64>'}}
  %0 = gen.matmul %x, %y : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<3x5xf64>
  return
}

// -----

func.func @no_chain(%x: tensor<3x4xf32>, %y: tensor<4x5xf32>) -> tensor<3x5xf32> {
  // expected-error @+1 {{'gen.matmul' op expected a positive chain (C6), got 0}}
  %0 = gen.matmul %x, %y {chain = 0} : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<3x5xf32>
  return %0 : tensor<3x5xf32>
}

// -----

func.func @no_parts(%x: tensor<3x4xf32>) -> tensor<0x3x4xf32> {
  // expected-error @+1 {{'gen.partial_sums' op expected a result with one more axis in front, of a static size that is not 0, and the element type of 'tensor<3x4xf32>' (C1), got 'tensor<0x3x4xf32>'}}
  %0 = gen.partial_sums %x : tensor<3x4xf32> -> tensor<0x3x4xf32>
  return %0 : tensor<0x3x4xf32>
}

// -----

func.func @unknown_parts(%x: tensor<3x4xf32>) -> tensor<?x3x4xf32> {
  // expected-error @+1 {{'gen.partial_sums' op expected a result with one more axis in front, of a static size that is not 0, and the element type of 'tensor<3x4xf32>' (C1), got 'tensor<?x3x4xf32>'}}
  %0 = gen.partial_sums %x : tensor<3x4xf32> -> tensor<?x3x4xf32>
  return %0 : tensor<?x3x4xf32>
}

// -----

func.func @other_element_type(%x: tensor<3x4xf32>) -> tensor<2x3x4xf64> {
  // expected-error @+1 {{'gen.partial_sums' op expected a result with one more axis in front, of a static size that is not 0, and the element type of 'tensor<3x4xf32>' (C1), got 'tensor<2x3x4xf64>'}}
  %0 = gen.partial_sums %x : tensor<3x4xf32> -> tensor<2x3x4xf64>
  return %0 : tensor<2x3x4xf64>
}
