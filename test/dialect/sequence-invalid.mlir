// RUN: gen-opt %s --split-input-file -verify-diagnostics

func.func @axis(%x: tensor<3x4xf32>, %i: index) {
  // expected-error @+1 {{'gen.dynamic_slice' op expected an axis of the input 'tensor<3x4xf32>' (C1), got 2}}
  %0 = gen.dynamic_slice %x at %i axis 2 length 1 : tensor<3x4xf32> -> tensor<3x1xf32>
  return
}

// -----

func.func @length(%x: tensor<3x4xf32>, %i: index) {
  // expected-error @+1 {{'gen.dynamic_slice' op expected a length of at least 0 and at most the size of axis 1 of 'tensor<3x4xf32>' (C2), got 5}}
  %0 = gen.dynamic_slice %x at %i axis 1 length 5 : tensor<3x4xf32> -> tensor<3x5xf32>
  return
}

// -----

func.func @result(%x: tensor<3x4xf32>, %i: index) {
  // expected-error @+1 {{'gen.dynamic_slice' op expected a result of 'tensor<3x1xf32>' (C3), got 'tensor<3xf32>'}}
  %0 = gen.dynamic_slice %x at %i axis 1 length 1 : tensor<3x4xf32> -> tensor<3xf32>
  return
}

// -----

func.func @update_axis(%x: tensor<3x4xf32>, %u: tensor<3x1xf32>, %i: index) {
  // expected-error @+1 {{'gen.dynamic_update_slice' op expected an axis of the input 'tensor<3x4xf32>' (C1), got -1}}
  %0 = gen.dynamic_update_slice %x with %u at %i axis -1 : tensor<3x4xf32>, tensor<3x1xf32>
  return
}

// -----

func.func @update(%x: tensor<3x4xf32>, %u: tensor<2x5xf32>, %i: index) {
  // expected-error @+1 {{'gen.dynamic_update_slice' op expected an update of the type of the input 'tensor<3x4xf32>' but for a static size along axis 0 of at most the input's (C2), got 'tensor<2x5xf32>'}}
  %0 = gen.dynamic_update_slice %x with %u at %i axis 0 : tensor<3x4xf32>, tensor<2x5xf32>
  return
}

// -----

func.func @update_length(%x: tensor<3x4xf32>, %u: tensor<?x4xf32>, %i: index) {
  // expected-error @+1 {{(C2), got 'tensor<?x4xf32>'}}
  %0 = gen.dynamic_update_slice %x with %u at %i axis 0 : tensor<3x4xf32>, tensor<?x4xf32>
  return
}
