// RUN: gen-opt %s --split-input-file -verify-diagnostics

func.func @softmax_axis(%x: tensor<8x10xf32>) {
  // expected-error @+1 {{'gen.softmax' op expected an axis of the input 'tensor<8x10xf32>' (C1), got 2}}
  %0 = gen.softmax %x axis 2 : tensor<8x10xf32>
  return
}

// -----

func.func @log_softmax_axis(%x: tensor<8x10xf32>) {
  // expected-error @+1 {{'gen.log_softmax' op expected an axis of the input 'tensor<8x10xf32>' (C1), got -1}}
  %0 = gen.log_softmax %x axis -1 : tensor<8x10xf32>
  return
}

// -----

func.func @scale_of_another_shape(%x: tensor<8x768xf32>, %s: tensor<512xf32>) {
  // expected-error @+2 {{'gen.layer_norm' op expected scale to have the shape of the last axes of input (C1), got scale 'tensor<512xf32>' for input 'tensor<8x768xf32>'}}
  // expected-note @+1 {{hint: 'gen.layer_norm' normalizes the trailing axes; transpose the input to normalize others}}
  %0 = gen.layer_norm %x, %s, %s epsilon 1.0e-05 : tensor<8x768xf32>, tensor<512xf32>
  return
}

// -----

func.func @scale_of_higher_rank(%x: tensor<8xf32>, %s: tensor<8x8xf32>) {
  // expected-error @+2 {{'gen.rms_norm' op expected scale to have the shape of the last axes of input (C1), got scale 'tensor<8x8xf32>' for input 'tensor<8xf32>'}}
  // expected-note @+1 {{hint: 'gen.rms_norm' normalizes the trailing axes; transpose the input to normalize others}}
  %0 = gen.rms_norm %x, %s epsilon 1.0e-05 : tensor<8xf32>, tensor<8x8xf32>
  return
}

// -----

func.func @scale_of_another_element_type(%x: tensor<8xf32>, %s: tensor<8xf64>) {
  // expected-error @+2 {{'gen.rms_norm' op expected operands of one element type (C2), got 'tensor<8xf32>' and 'tensor<8xf64>'}}
  // expected-note @+1 {{hint: gen.cast converts the element type}}
  %0 = gen.rms_norm %x, %s epsilon 1.0e-05 : tensor<8xf32>, tensor<8xf64>
  return
}

// -----

func.func @negative_epsilon(%x: tensor<8xf32>, %s: tensor<8xf32>) {
  // expected-error @+1 {{'gen.layer_norm' op expected an epsilon of at least 0 (C3), got -1.000000e+00}}
  %0 = gen.layer_norm %x, %s, %s epsilon -1.0 : tensor<8xf32>, tensor<8xf32>
  return
}

// -----

func.func @groups_of_no_equal_size(%x: tensor<2x10x4xf32>, %s: tensor<10xf32>) {
  // expected-error @+1 {{'gen.group_norm' op expected a number of channels that is a multiple of groups (C2), got 'tensor<2x10x4xf32>', axis 1 and 3 groups}}
  %0 = gen.group_norm %x, %s, %s groups 3 axis 1 epsilon 1.0e-05 : tensor<2x10x4xf32>, tensor<10xf32>
  return
}

// -----

func.func @groups_of_the_batch(%x: tensor<2x10x4xf32>, %s: tensor<2xf32>) {
  // expected-error @+1 {{'gen.group_norm' op expected an axis of the input 'tensor<2x10x4xf32>' behind the first (C1), got 0}}
  %0 = gen.group_norm %x, %s, %s groups 1 axis 0 epsilon 1.0e-05 : tensor<2x10x4xf32>, tensor<2xf32>
  return
}

// -----

func.func @scale_of_pixels(%x: tensor<2x10x4xf32>, %s: tensor<4xf32>) {
  // expected-error @+1 {{'gen.group_norm' op expected a scale and a bias of one number a channel, for axis 1 of 'tensor<2x10x4xf32>' (C3), got 'tensor<4xf32>'}}
  %0 = gen.group_norm %x, %s, %s groups 2 axis 1 epsilon 1.0e-05 : tensor<2x10x4xf32>, tensor<4xf32>
  return
}

// -----

func.func @batch_scale_of_pixels(%x: tensor<2x10x4xf32>, %s: tensor<4xf32>) {
  // expected-error @+1 {{'gen.batch_norm' op expected a scale and a bias of one number a channel, for axis 1 of 'tensor<2x10x4xf32>' (C2), got 'tensor<4xf32>'}}
  %0, %m, %v = gen.batch_norm %x, %s, %s axis 1 epsilon 1.0e-05 : tensor<2x10x4xf32>, tensor<4xf32>
  return
}

// -----

func.func @batch_epsilon(%x: tensor<2x10xf32>, %s: tensor<10xf32>) {
  // expected-error @+1 {{'gen.batch_norm' op expected an epsilon of at least 0 (C4), got -1.000000e-05}}
  %0, %m, %v = gen.batch_norm %x, %s, %s axis 1 epsilon -1.0e-05 : tensor<2x10xf32>, tensor<10xf32>
  return
}
