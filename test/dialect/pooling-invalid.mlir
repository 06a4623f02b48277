// RUN: gen-opt %s --split-input-file -verify-diagnostics

func.func @rank(%x: tensor<4x8xf32>) {
  // expected-error @+1 {{'gen.max_pool' op expected an image of rank 3 to 5 (C1), got 'tensor<4x8xf32>'}}
  %0 = gen.max_pool %x window [] strides [] low [] high [] : tensor<4x8xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @lengths(%x: tensor<4x3x8x8xf32>) {
  // expected-error @+1 {{'gen.sum_pool' op expected window, strides, low and high to hold 2 numbers, one for each spatial axis of 'tensor<4x3x8x8xf32>' (C2), got [2]}}
  %0 = gen.sum_pool %x window [2, 2] strides [2] low [0, 0] high [0, 0] : tensor<4x3x8x8xf32> -> tensor<4x3x4x4xf32>
  return
}

// -----

func.func @padding(%x: tensor<4x3x8xf32>) {
  // expected-error @+1 {{expected a positive window and stride, and paddings less than the window, along spatial axis 0 (C2), got window 2, stride 2, low 2 and high 0}}
  %0 = gen.max_pool %x window [2] strides [2] low [2] high [0] : tensor<4x3x8xf32> -> tensor<4x3x5xf32>
  return
}

// -----

func.func @too_short(%x: tensor<4x3x2xf32>) {
  // expected-error @+1 {{expected the padded image to be at least as long as the window along spatial axis 0 (C3), got 'tensor<4x3x2xf32>' and window [3]}}
  %0 = gen.max_pool %x window [3] strides [1] low [0] high [0] : tensor<4x3x2xf32> -> tensor<4x3x0xf32>
  return
}

// -----

func.func @windows(%x: tensor<4x3x8xf32>) {
  // expected-error @+1 {{'gen.max_pool' op expected windows of 'tensor<4x3x4xf32>' (C4), got 'tensor<4x3x5xf32>'}}
  %0 = gen.max_pool %x window [2] strides [2] low [0] high [0] : tensor<4x3x8xf32> -> tensor<4x3x5xf32>
  return
}

// -----

func.func @gradient(%x: tensor<4x3x8xf32>, %dy: tensor<4x3x3xf32>) {
  // expected-error @+1 {{'gen.max_pool_gradient' op expected windows of 'tensor<4x3x4xf32>' (C4), got 'tensor<4x3x3xf32>'}}
  %0 = gen.max_pool_gradient %x, %dy window [2] strides [2] low [0] high [0] : tensor<4x3x8xf32>, tensor<4x3x3xf32>
  return
}

// -----

func.func @sizes(%x: tensor<?x3x4xf32>) {
  // expected-error @+1 {{'gen.sum_pool_transpose' op expected 1 sizes, one for each dynamic dimension of the result 'tensor<?x3x8xf32>' (C5), got 0}}
  %0 = gen.sum_pool_transpose %x window [2] strides [2] low [0] high [0] : tensor<?x3x4xf32> -> tensor<?x3x8xf32>
  return
}
