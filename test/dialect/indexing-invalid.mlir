// RUN: gen-opt %s --split-input-file -verify-diagnostics

func.func @table_without_rows(%table: tensor<f32>, %ids: tensor<8xi64>) {
  // expected-error @+1 {{'gen.gather' op expected a table of rank 1 or more (C1), got 'tensor<f32>'}}
  %0 = gen.gather %table, %ids : (tensor<f32>, tensor<8xi64>) -> tensor<8xf32>
  return
}

// -----

func.func @result_of_another_shape(%table: tensor<10x4xf32>, %ids: tensor<8xi64>) {
  // expected-error @+1 {{'gen.gather' op expected a result of 'tensor<8x4xf32>' (C2), got 'tensor<4x8xf32>'}}
  %0 = gen.gather %table, %ids : (tensor<10x4xf32>, tensor<8xi64>) -> tensor<4x8xf32>
  return
}

// -----

func.func @floating_point_indices(%table: tensor<10x4xf32>, %ids: tensor<8xf32>) {
  // expected-error @+1 {{'gen.gather' op operand #1 must be ranked tensor of 32-bit signless integer or 64-bit signless integer values, but got 'tensor<8xf32>'}}
  %0 = gen.gather %table, %ids : (tensor<10x4xf32>, tensor<8xf32>) -> tensor<8x4xf32>
  return
}

// -----

func.func @size_missing(%ids: tensor<8xi64>, %x: tensor<8x4xf32>) {
  // expected-error @+1 {{'gen.scatter_add' op expected 1 sizes, one for each dynamic dimension of the result 'tensor<?x4xf32>' (C1), got 0}}
  %0 = gen.scatter_add %ids, %x : (tensor<8xi64>, tensor<8x4xf32>) -> tensor<?x4xf32>
  return
}

// -----

func.func @updates_of_another_shape(%ids: tensor<8xi64>, %x: tensor<7x4xf32>) {
  // expected-error @+1 {{'gen.scatter_add' op expected updates of the shape of the indices, then that of a row of the result (C2), got indices of 'tensor<8xi64>', updates of 'tensor<7x4xf32>' and a result of 'tensor<10x4xf32>'}}
  %0 = gen.scatter_add %ids, %x : (tensor<8xi64>, tensor<7x4xf32>) -> tensor<10x4xf32>
  return
}

// -----

func.func @result_of_another_element_type(%ids: tensor<8xi64>, %x: tensor<8x4xf32>) {
  // expected-error @+1 {{'gen.scatter_add' op expected updates and result of one element type (C3), got indices of 'tensor<8xi64>', updates of 'tensor<8x4xf32>' and a result of 'tensor<10x4xf64>'}}
  %0 = gen.scatter_add %ids, %x : (tensor<8xi64>, tensor<8x4xf32>) -> tensor<10x4xf64>
  return
}
