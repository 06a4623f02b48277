// RUN: gen-opt %s --split-input-file -verify-diagnostics

func.func @rank(%x: tensor<4x3xf32>, %w: tensor<5x3xf32>) {
  // expected-error @+1 {{'gen.convolution' op expected input and weight of one rank, 3 to 5, and one element type (C1), got input 'tensor<4x3xf32>' and weight 'tensor<5x3xf32>'}}
  %0 = gen.convolution %x, %w strides [] low [] high [] dilations [] : (tensor<4x3xf32>, tensor<5x3xf32>) -> tensor<4x5xf32>
  return
}

// -----

func.func @element_type(%x: tensor<4x3x8xf32>, %w: tensor<5x3x3xf64>) {
  // expected-error @+1 {{expected input and weight of one rank, 3 to 5, and one element type (C1), got input 'tensor<4x3x8xf32>' and weight 'tensor<5x3x3xf64>'}}
  %0 = gen.convolution %x, %w strides [1] low [0] high [0] dilations [1] : (tensor<4x3x8xf32>, tensor<5x3x3xf64>) -> tensor<4x5x6xf32>
  return
}

// -----

func.func @strides(%x: tensor<4x3x8x8xf32>, %w: tensor<5x3x3x3xf32>) {
  // expected-error @+1 {{expected strides to hold 2 numbers of 1 or more, one for each spatial axis (C2), got [1]}}
  %0 = gen.convolution %x, %w strides [1] low [0, 0] high [0, 0] dilations [1, 1] : (tensor<4x3x8x8xf32>, tensor<5x3x3x3xf32>) -> tensor<4x5x6x6xf32>
  return
}

// -----

func.func @negative_padding(%x: tensor<4x3x8x8xf32>, %w: tensor<5x3x3x3xf32>) {
  // expected-error @+1 {{expected high to hold 2 numbers of 0 or more, one for each spatial axis (C2), got [0, -1]}}
  %0 = gen.convolution %x, %w strides [1, 1] low [0, 0] high [0, -1] dilations [1, 1] : (tensor<4x3x8x8xf32>, tensor<5x3x3x3xf32>) -> tensor<4x5x6x5xf32>
  return
}

// -----

func.func @dilations(%x: tensor<4x3x8x8xf32>, %w: tensor<5x3x3x3xf32>) {
  // expected-error @+1 {{expected dilations to hold 2 numbers of 1 or more, one for each spatial axis (C2), got [0, 1]}}
  %0 = gen.convolution %x, %w strides [1, 1] low [0, 0] high [0, 0] dilations [0, 1] : (tensor<4x3x8x8xf32>, tensor<5x3x3x3xf32>) -> tensor<4x5x6x6xf32>
  return
}

// -----

func.func @dynamic_weight(%x: tensor<4x3x8xf32>, %w: tensor<?x3x3xf32>) {
  // expected-error @+1 {{expected a weight of static shape without axes of size 0 (C3), got 'tensor<?x3x3xf32>'}}
  %0 = gen.convolution %x, %w strides [1] low [0] high [0] dilations [1] : (tensor<4x3x8xf32>, tensor<?x3x3xf32>) -> tensor<4x?x6xf32>
  return
}

// -----

func.func @channels(%x: tensor<4x3x8xf32>, %w: tensor<5x4x3xf32>) {
  // expected-error @+1 {{expected groups to divide the output's channels, and 4 channels in the input (C4), got 1 groups for input 'tensor<4x3x8xf32>' and weight 'tensor<5x4x3xf32>'}}
  %0 = gen.convolution %x, %w strides [1] low [0] high [0] dilations [1] : (tensor<4x3x8xf32>, tensor<5x4x3xf32>) -> tensor<4x5x6xf32>
  return
}

// -----

func.func @groups(%x: tensor<4x6x8xf32>, %w: tensor<5x3x3xf32>) {
  // expected-error @+1 {{expected groups to divide the output's channels, and 6 channels in the input (C4), got 2 groups for input 'tensor<4x6x8xf32>' and weight 'tensor<5x3x3xf32>'}}
  %0 = gen.convolution %x, %w strides [1] low [0] high [0] dilations [1] groups 2 : (tensor<4x6x8xf32>, tensor<5x3x3xf32>) -> tensor<4x5x6xf32>
  return
}

// -----

func.func @too_short(%x: tensor<4x3x8xf32>, %w: tensor<5x3x5xf32>) {
  // expected-error @+1 {{expected the padded input to be at least as long as the dilated weight along spatial axis 0 (C5), got input 'tensor<4x3x8xf32>' and weight 'tensor<5x3x5xf32>'}}
  %0 = gen.convolution %x, %w strides [1] low [0] high [0] dilations [2] : (tensor<4x3x8xf32>, tensor<5x3x5xf32>) -> tensor<4x5x0xf32>
  return
}

// -----

func.func @output(%x: tensor<4x3x8xf32>, %w: tensor<5x3x3xf32>) {
  // expected-error @+1 {{'gen.convolution' op expected an output of 'tensor<4x5x6xf32>' (C6), got 'tensor<4x5x8xf32>'}}
  %0 = gen.convolution %x, %w strides [1] low [0] high [0] dilations [1] : (tensor<4x3x8xf32>, tensor<5x3x3xf32>) -> tensor<4x5x8xf32>
  return
}

// -----

func.func @input_of_transpose(%y: tensor<4x5x8xf32>, %w: tensor<5x3x4xf32>) {
  // expected-error @+1 {{'gen.convolution_transpose' op expected an output of 'tensor<4x5x7xf32>' (C6), got 'tensor<4x5x8xf32>'}}
  %0 = gen.convolution_transpose %y, %w strides [2] low [1] high [1] dilations [1] : (tensor<4x5x8xf32>, tensor<5x3x4xf32>) -> tensor<4x3x15xf32>
  return
}

// -----

func.func @sizes(%y: tensor<?x5x8xf32>, %w: tensor<5x3x4xf32>) {
  // expected-error @+1 {{'gen.convolution_transpose' op expected 1 sizes, one for each dynamic dimension of the result 'tensor<?x3x16xf32>' (C7), got 0}}
  %0 = gen.convolution_transpose %y, %w strides [2] low [1] high [1] dilations [1] : (tensor<?x5x8xf32>, tensor<5x3x4xf32>) -> tensor<?x3x16xf32>
  return
}

// -----

func.func @weight_of_gradient(%x: tensor<4x3x8xf32>, %y: tensor<4x5x6xf32>) {
  // expected-error @+1 {{'gen.convolution_weight_gradient' op expected an output of 'tensor<4x5x5xf32>' (C6), got 'tensor<4x5x6xf32>'}}
  %0 = gen.convolution_weight_gradient %x, %y strides [1] low [0] high [0] dilations [1] : (tensor<4x3x8xf32>, tensor<4x5x6xf32>) -> tensor<5x3x4xf32>
  return
}
