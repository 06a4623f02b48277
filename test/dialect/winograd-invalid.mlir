// RUN: gen-opt %s -split-input-file -verify-diagnostics

func.func @rank(%x: tensor<6x5x4xf32>) {
  // expected-error @+1 {{'gen.winograd_split' op expected an input of rank 4, of static shape except for the number of images, and of the result's element type (C1), got 'tensor<6x5x4xf32>' for 'tensor<4x1x1x1x1xf32>'}}
  %0 = gen.winograd_split %x matrix [1.0, 1.0, 1.0, -1.0] rows 2 step 2 : tensor<6x5x4xf32> -> tensor<4x1x1x1x1xf32>
  return
}

// -----

func.func @dynamic(%x: tensor<4x1x?x1x1xf32>) {
  // expected-error @+1 {{'gen.winograd_join' op expected an input of rank 5, of static shape except for the number of images, and of the result's element type (C1), got 'tensor<4x1x?x1x1xf32>' for 'tensor<1x?x2x1xf32>'}}
  %0 = gen.winograd_join %x matrix [1.0, 1.0, 1.0, -1.0] rows 2 step 2 : tensor<4x1x?x1x1xf32> -> tensor<1x?x2x1xf32>
  return
}

// -----

func.func @matrix(%x: tensor<1x2x2x1xf32>) {
  // expected-error @+1 {{'gen.winograd_split' op expected positive rows and step, and a matrix of that many rows (C2), got 2 rows, step 2 and a matrix of 3 elements}}
  %0 = gen.winograd_split %x matrix [1.0, 1.0, 1.0] rows 2 step 2 : tensor<1x2x2x1xf32> -> tensor<4x1x1x1x1xf32>
  return
}

// -----

func.func @tiles(%x: tensor<1x3x2x1xf32>) {
  // expected-error @+1 {{'gen.winograd_split' op expected images of whole tiles of 2 pixels every 2 (C3), got 'tensor<1x3x2x1xf32>'}}
  %0 = gen.winograd_split %x matrix [1.0, 1.0, 1.0, -1.0] rows 2 step 2 : tensor<1x3x2x1xf32> -> tensor<4x1x1x1x1xf32>
  return
}

// -----

func.func @shape(%x: tensor<1x2x2x1xf32>) {
  // expected-error @+1 {{'gen.winograd_split' op expected a result of shape [4, 1, 1, 1, 1] (C3), got 'tensor<4x1x1x1x2xf32>'}}
  %0 = gen.winograd_split %x matrix [1.0, 1.0, 1.0, -1.0] rows 2 step 2 : tensor<1x2x2x1xf32> -> tensor<4x1x1x1x2xf32>
  return
}

// -----

func.func @step(%x: tensor<4x1x1x1x1xf32>) {
  // expected-error @+1 {{'gen.winograd_join' op expected a step of rows (C2), got step 1 and 2 rows}}
  %0 = gen.winograd_join %x matrix [1.0, 1.0, 1.0, -1.0] rows 2 step 1 : tensor<4x1x1x1x1xf32> -> tensor<1x2x2x1xf32>
  return
}

// -----

func.func @elements(%x: tensor<5x1x1x1x1xf32>) {
  // expected-error @+1 {{'gen.winograd_join' op expected 4 elements of each tile (C1), got 'tensor<5x1x1x1x1xf32>'}}
  %0 = gen.winograd_join %x matrix [1.0, 1.0, 1.0, -1.0] rows 2 step 2 : tensor<5x1x1x1x1xf32> -> tensor<1x2x2x1xf32>
  return
}
