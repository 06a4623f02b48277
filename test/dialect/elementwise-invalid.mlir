// RUN: gen-opt %s --split-input-file -verify-diagnostics

func.func @shapes_that_do_not_broadcast(%x: tensor<2x3xf32>, %y: tensor<4x3xf32>) {
  // expected-error @+2 {{'gen.add' op expected operand shapes to broadcast (C1), got 'tensor<2x3xf32>' and 'tensor<4x3xf32>'}}
  // expected-note @+1 {{hint: shapes are aligned at their last axes, where sizes are equal or one of them is 1}}
  %0 = gen.add %x, %y : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @two_element_types(%x: tensor<4xf32>, %y: tensor<4xf64>) {
  // expected-error @+2 {{'gen.mul' op expected operands of one element type (C2), got 'tensor<4xf32>' and 'tensor<4xf64>'}}
  // expected-note @+1 {{hint: gen.cast converts the element type}}
  %0 = gen.mul %x, %y : (tensor<4xf32>, tensor<4xf64>) -> tensor<4xf64>
  return
}

// -----

func.func @result_of_another_shape(%x: tensor<4x1xf32>, %y: tensor<5xf32>) {
  // expected-error @+1 {{'gen.sub' op expected result type 'tensor<4x5xf32>' (C3), got 'tensor<4xf32>'}}
  %0 = gen.sub %x, %y : (tensor<4x1xf32>, tensor<5xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @result_of_another_element_type(%x: tensor<4xf32>) {
  // expected-error @+1 {{'gen.div' op expected result type 'tensor<4xf32>' (C3), got 'tensor<4xf64>'}}
  %0 = gen.div %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf64>
  return
}

// -----

func.func @compare_two_element_types(%x: tensor<4xi32>, %y: tensor<4xi64>) {
  // expected-error @+2 {{'gen.compare' op expected operands of one element type (C2), got 'tensor<4xi32>' and 'tensor<4xi64>'}}
  // expected-note @+1 {{hint: gen.cast converts the element type}}
  %0 = gen.compare lt %x, %y : (tensor<4xi32>, tensor<4xi64>) -> tensor<4xi1>
  return
}

// -----

func.func @compare_shapes(%x: tensor<4xi32>, %y: tensor<5xi32>) {
  // expected-error @+2 {{'gen.compare' op expected operand shapes to broadcast (C1), got 'tensor<4xi32>' and 'tensor<5xi32>'}}
  // expected-note @+1 {{hint: shapes are aligned at their last axes, where sizes are equal or one of them is 1}}
  %0 = gen.compare lt %x, %y : (tensor<4xi32>, tensor<5xi32>) -> tensor<4xi1>
  return
}

// -----

func.func @compare_result_shape(%x: tensor<4xi32>) {
  // expected-error @+1 {{'gen.compare' op expected result type 'tensor<4xi1>' (C3), got 'tensor<5xi1>'}}
  %0 = gen.compare lt %x, %x : (tensor<4xi32>, tensor<4xi32>) -> tensor<5xi1>
  return
}

// -----

func.func @unknown_predicate(%x: tensor<4xi32>) {
  // expected-error @+1 {{custom op 'gen.compare' expected eq, ne, lt, le, gt or ge, got above}}
  %0 = gen.compare above %x, %x : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
  return
}

// -----

func.func @select_shapes(%c: tensor<3xi1>, %x: tensor<4xf32>) {
  // expected-error @+2 {{'gen.select' op expected operand shapes to broadcast (C1), got 'tensor<3xi1>' and 'tensor<4xf32>' and 'tensor<4xf32>'}}
  // expected-note @+1 {{hint: shapes are aligned at their last axes, where sizes are equal or one of them is 1}}
  %0 = gen.select %c, %x, %x : (tensor<3xi1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @select_of_two_element_types(%c: tensor<4xi1>, %x: tensor<4xf32>, %y: tensor<4xi32>) {
  // expected-error @+2 {{'gen.select' op expected operands of one element type (C2), got 'tensor<4xf32>' and 'tensor<4xi32>'}}
  // expected-note @+1 {{hint: gen.cast converts the element type}}
  %0 = gen.select %c, %x, %y : (tensor<4xi1>, tensor<4xf32>, tensor<4xi32>) -> tensor<4xi32>
  return
}

// -----

func.func @select_result(%c: tensor<4xi1>, %x: tensor<4xf32>) {
  // expected-error @+1 {{'gen.select' op expected result type 'tensor<4xf32>' (C3), got 'tensor<4xi32>'}}
  %0 = gen.select %c, %x, %x : (tensor<4xi1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xi32>
  return
}

// -----

func.func @select_by_a_number(%c: tensor<4xi32>, %x: tensor<4xf32>) {
  // expected-error @+1 {{'gen.select' op operand #0 must be ranked tensor of 1-bit signless integer values, but got 'tensor<4xi32>'}}
  %0 = gen.select %c, %x, %x : (tensor<4xi32>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @cast_to_another_shape(%x: tensor<4xf32>) {
  // expected-error @+1 {{'gen.cast' op expected the result to have the shape of the input (C1), got 'tensor<5xi32>' for 'tensor<4xf32>'}}
  %0 = gen.cast %x : tensor<4xf32> -> tensor<5xi32>
  return
}

// -----

func.func @slope_that_is_no_number(%x: tensor<4xf32>) {
  // expected-error @+1 {{'gen.leaky_relu' op expected a finite slope (C1), got INF}}
  %0 = gen.leaky_relu %x slope 0x7FF0000000000000 : tensor<4xf32>
  return
}

// -----

func.func @exponential_of_integers(%x: tensor<4xi32>) {
  // expected-error @+1 {{'gen.exp' op operand #0 must be ranked tensor of 32-bit float or 64-bit float values, but got 'tensor<4xi32>'}}
  %0 = gen.exp %x : tensor<4xi32>
  return
}
