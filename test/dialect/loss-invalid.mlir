// RUN: gen-opt %s --split-input-file -verify-diagnostics

func.func @targets_of_another_shape(%x: tensor<8x784xf32>, %t: tensor<8x10xf32>) {
  // expected-error @+1 {{'gen.bce_with_logits' op expected logits, targets and result of one type (C1), got 'tensor<8x784xf32>', 'tensor<8x10xf32>' and 'tensor<8x784xf32>'}}
  %0 = gen.bce_with_logits %x, %t : (tensor<8x784xf32>, tensor<8x10xf32>) -> tensor<8x784xf32>
  return
}

// -----

func.func @targets_of_another_element_type(%x: tensor<8xf32>, %t: tensor<8xf64>) {
  // expected-error @+1 {{'gen.bce_with_logits' op expected logits, targets and result of one type (C1), got 'tensor<8xf32>', 'tensor<8xf64>' and 'tensor<8xf32>'}}
  %0 = gen.bce_with_logits %x, %t : (tensor<8xf32>, tensor<8xf64>) -> tensor<8xf32>
  return
}

// -----

func.func @result_of_another_shape(%x: tensor<8xf32>) {
  // expected-error @+1 {{'gen.bce_with_logits' op expected logits, targets and result of one type (C1), got 'tensor<8xf32>', 'tensor<8xf32>' and 'tensor<f32>'}}
  %0 = gen.bce_with_logits %x, %x : (tensor<8xf32>, tensor<8xf32>) -> tensor<f32>
  return
}

// -----

func.func @integer_targets(%x: tensor<8xf32>, %t: tensor<8xi32>) {
  // expected-error @+1 {{'gen.bce_with_logits' op operand #1 must be ranked tensor of 32-bit float or 64-bit float values, but got 'tensor<8xi32>'}}
  %0 = gen.bce_with_logits %x, %t : (tensor<8xf32>, tensor<8xi32>) -> tensor<8xf32>
  return
}

// -----

func.func @a_label_a_row(%x: tensor<8x10xf32>, %labels: tensor<7xi64>) {
  // expected-error @+1 {{'gen.cross_entropy' op expected labels of the shape of the logits without the last axis (C1), got 'tensor<7xi64>' for 'tensor<8x10xf32>'}}
  %0 = gen.cross_entropy %x, %labels : (tensor<8x10xf32>, tensor<7xi64>) -> tensor<7xf32>
  return
}

// -----

func.func @loss_of_another_type(%x: tensor<8x10xf32>, %labels: tensor<8xi64>) {
  // expected-error @+1 {{'gen.cross_entropy' op expected a result of the shape of the labels 'tensor<8xi64>' and the element type of the logits 'tensor<8x10xf32>' (C2), got 'tensor<8xf64>'}}
  %0 = gen.cross_entropy %x, %labels : (tensor<8x10xf32>, tensor<8xi64>) -> tensor<8xf64>
  return
}
