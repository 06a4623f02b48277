// RUN: gen-opt %s --split-input-file -verify-diagnostics

func.func @iota_sizes() {
  // expected-error @+1 {{'gen.iota' op expected 1 sizes, one for each dynamic dimension of the result 'tensor<?x2xi64>' (C1), got 0}}
  %0 = gen.iota axis 0 : tensor<?x2xi64>
  return
}

// -----

func.func @iota_axis() {
  // expected-error @+1 {{'gen.iota' op expected an axis of the result 'tensor<2xi64>' (C2), got 1}}
  %0 = gen.iota axis 1 : tensor<2xi64>
  return
}

// -----

func.func @constant_type() {
  // expected-error @+1 {{'gen.constant' op result #0 must be ranked tensor of 32-bit float or 64-bit float or bfloat16 type or 16-bit float or 1-bit signless integer or 8-bit signless integer or 32-bit signless integer or 64-bit signless integer values, but got 'tensor<2xi16>'}}
  %0 = gen.constant dense<1> : tensor<2xi16>
  return
}

// -----

func.func @reshape_sizes(%x: tensor<4xf32>, %n: index) {
  // expected-error @+1 {{'gen.reshape' op expected 0 sizes, one for each dynamic dimension of the result 'tensor<2x2xf32>' (C1), got 1}}
  %0 = gen.reshape %x sizes(%n) : tensor<4xf32> -> tensor<2x2xf32>
  return
}

// -----

func.func @reshape_element_type(%x: tensor<4xf32>) {
  // expected-error @+1 {{'gen.reshape' op expected input and result of one element type (C2), got 'tensor<4xf32>' and 'tensor<2x2xf64>'}}
  %0 = gen.reshape %x : tensor<4xf32> -> tensor<2x2xf64>
  return
}

// -----

func.func @reshape_elements(%x: tensor<4xf32>) {
  // expected-error @+1 {{'gen.reshape' op expected a result of 4 elements, as the input 'tensor<4xf32>' (C3), got 6 in 'tensor<2x3xf32>'}}
  %0 = gen.reshape %x : tensor<4xf32> -> tensor<2x3xf32>
  return
}

// -----

func.func @transpose_permutation(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'gen.transpose' op expected a permutation of the axes of 'tensor<2x3xf32>' (C1), got [0, 0]}}
  %0 = gen.transpose %x permutation [0, 0] : tensor<2x3xf32> -> tensor<2x2xf32>
  return
}

// -----

func.func @transpose_result(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'gen.transpose' op expected a result of 'tensor<3x2xf32>', got 'tensor<2x3xf32>'}}
  %0 = gen.transpose %x permutation [1, 0] : tensor<2x3xf32> -> tensor<2x3xf32>
  return
}

// -----

func.func @broadcast_sizes(%x: tensor<3xf32>) {
  // expected-error @+1 {{'gen.broadcast' op expected 1 sizes, one for each dynamic dimension of the result 'tensor<?x3xf32>' (C1), got 0}}
  %0 = gen.broadcast %x axes [1] : tensor<3xf32> -> tensor<?x3xf32>
  return
}

// -----

func.func @broadcast_element_type(%x: tensor<3xf32>) {
  // expected-error @+1 {{'gen.broadcast' op expected input and result of one element type (C2), got 'tensor<3xf32>' and 'tensor<2x3xf64>'}}
  %0 = gen.broadcast %x axes [1] : tensor<3xf32> -> tensor<2x3xf64>
  return
}

// -----

func.func @broadcast_axes_number(%x: tensor<3xf32>) {
  // expected-error @+1 {{'gen.broadcast' op expected an axis of the result 'tensor<2x3xf32>' for each axis of the input 'tensor<3xf32>', ascending (C3), got [0, 1]}}
  %0 = gen.broadcast %x axes [0, 1] : tensor<3xf32> -> tensor<2x3xf32>
  return
}

// -----

func.func @broadcast_axes_order(%x: tensor<3x2xf32>) {
  // expected-error @+1 {{'gen.broadcast' op expected an axis of the result 'tensor<2x3xf32>' for each axis of the input 'tensor<3x2xf32>', ascending (C3), got [1, 0]}}
  %0 = gen.broadcast %x axes [1, 0] : tensor<3x2xf32> -> tensor<2x3xf32>
  return
}

// -----

func.func @broadcast_axes_range(%x: tensor<3xf32>) {
  // expected-error @+1 {{'gen.broadcast' op expected an axis of the result 'tensor<2x3xf32>' for each axis of the input 'tensor<3xf32>', ascending (C3), got [2]}}
  %0 = gen.broadcast %x axes [2] : tensor<3xf32> -> tensor<2x3xf32>
  return
}

// -----

func.func @broadcast_size(%x: tensor<2xf32>) {
  // expected-error @+1 {{'gen.broadcast' op expected each size of the input to be 1 or the size of its axis of the result (C4), got 'tensor<2xf32>' for 'tensor<2x3xf32>' and axes [1]}}
  %0 = gen.broadcast %x axes [1] : tensor<2xf32> -> tensor<2x3xf32>
  return
}

// -----

func.func @broadcast_dynamic_size(%x: tensor<?xf32>) {
  // expected-error @+1 {{'gen.broadcast' op expected each size of the input to be 1 or the size of its axis of the result (C4), got 'tensor<?xf32>' for 'tensor<2x3xf32>' and axes [1]}}
  %0 = gen.broadcast %x axes [1] : tensor<?xf32> -> tensor<2x3xf32>
  return
}

// -----

func.func @slice_lengths(%x: tensor<4x4xf32>) {
  // expected-error @+1 {{'gen.slice' op expected starts, limits and strides to hold 2 numbers, one for each axis of 'tensor<4x4xf32>' (C1), got [4]}}
  %0 = gen.slice %x starts [0, 0] limits [4] strides [1, 1] : tensor<4x4xf32> -> tensor<4x4xf32>
  return
}

// -----

func.func @slice_stride(%x: tensor<4xf32>) {
  // expected-error @+1 {{'gen.slice' op expected a start of 0 or more and a stride of 1 or more along axis 0 of 'tensor<4xf32>' (C2), got start 0 and stride 0}}
  %0 = gen.slice %x starts [0] limits [4] strides [0] : tensor<4xf32> -> tensor<4xf32>
  return
}

// -----

func.func @slice_start(%x: tensor<4xf32>) {
  // expected-error @+1 {{'gen.slice' op expected a start of 0 or more and a stride of 1 or more along axis 0 of 'tensor<4xf32>' (C2), got start -1 and stride 1}}
  %0 = gen.slice %x starts [-1] limits [4] strides [1] : tensor<4xf32> -> tensor<5xf32>
  return
}

// -----

func.func @slice_limit(%x: tensor<4xf32>) {
  // expected-error @+1 {{'gen.slice' op expected start <= limit <= size along axis 0 of 'tensor<4xf32>' (C3), got start 0 and limit 5}}
  %0 = gen.slice %x starts [0] limits [5] strides [1] : tensor<4xf32> -> tensor<5xf32>
  return
}

// -----

func.func @slice_limit_from_the_end(%x: tensor<4xf32>) {
  // expected-error @+1 {{'gen.slice' op expected start <= limit <= size along axis 0 of 'tensor<4xf32>' (C3), got start 2 and limit -3}}
  %0 = gen.slice %x starts [2] limits [-3] strides [1] : tensor<4xf32> -> tensor<1xf32>
  return
}

// -----

func.func @slice_dynamic(%x: tensor<?xf32>) {
  // expected-error @+1 {{'gen.slice' op expected a limit that counts from the end (0 or less) and stride 1 along axis 0 of 'tensor<?xf32>' (C4), got limit 3 and stride 1}}
  %0 = gen.slice %x starts [0] limits [3] strides [1] : tensor<?xf32> -> tensor<3xf32>
  return
}

// -----

func.func @slice_result(%x: tensor<4xf32>) {
  // expected-error @+1 {{'gen.slice' op expected a result of 'tensor<2xf32>', got 'tensor<3xf32>'}}
  %0 = gen.slice %x starts [0] limits [4] strides [2] : tensor<4xf32> -> tensor<3xf32>
  return
}

// -----

func.func @pad_lengths(%x: tensor<4x4xf32>) {
  // expected-error @+1 {{'gen.pad' op expected low, high and interior to hold 2 numbers, one for each axis of 'tensor<4x4xf32>' (C1), got [0]}}
  %0 = gen.pad %x value 0.0 : f32 low [0, 0] high [0] interior [0, 0] : tensor<4x4xf32> -> tensor<4x4xf32>
  return
}

// -----

func.func @pad_negative(%x: tensor<4xf32>) {
  // expected-error @+1 {{'gen.pad' op expected no negative padding along axis 0 of 'tensor<4xf32>' (C2), got low, high, interior [0, -1, 0]}}
  %0 = gen.pad %x value 0.0 : f32 low [0] high [-1] interior [0] : tensor<4xf32> -> tensor<3xf32>
  return
}

// -----

func.func @pad_value(%x: tensor<4xf32>) {
  // expected-error @+1 {{'gen.pad' op expected a value of the element type of 'tensor<4xf32>' (C3), got 'f64'}}
  %0 = gen.pad %x value 0.0 : f64 low [1] high [0] interior [0] : tensor<4xf32> -> tensor<5xf32>
  return
}

// -----

func.func @pad_dynamic(%x: tensor<?xf32>) {
  // expected-error @+1 {{'gen.pad' op expected no interior padding along axis 0 of 'tensor<?xf32>' (C4), got 1}}
  %0 = gen.pad %x value 0.0 : f32 low [0] high [0] interior [1] : tensor<?xf32> -> tensor<?xf32>
  return
}

// -----

func.func @pad_result(%x: tensor<4xf32>) {
  // expected-error @+1 {{'gen.pad' op expected a result of 'tensor<8xf32>', got 'tensor<7xf32>'}}
  %0 = gen.pad %x value 0.0 : f32 low [1] high [0] interior [1] : tensor<4xf32> -> tensor<7xf32>
  return
}

// -----

func.func @concat_nothing() {
  // expected-error @+1 {{'gen.concat' op expected at least one input (C1), got none}}
  %0 = "gen.concat"() {axis = 0 : i64} : () -> tensor<0xf32>
  return
}

// -----

func.func @concat_axis(%x: tensor<4xf32>) {
  // expected-error @+1 {{'gen.concat' op expected an axis of 'tensor<4xf32>' (C2), got 1}}
  %0 = gen.concat %x axis 1 : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @concat_shape(%x: tensor<4x2xf32>, %y: tensor<4x3xf32>) {
  // expected-error @+1 {{'gen.concat' op expected inputs of one shape but for axis 0 and one element type (C3), got 'tensor<4x2xf32>' and 'tensor<4x3xf32>'}}
  %0 = gen.concat %x, %y axis 0 : (tensor<4x2xf32>, tensor<4x3xf32>) -> tensor<8x2xf32>
  return
}

// -----

func.func @concat_element_type(%x: tensor<4xf32>, %y: tensor<4xf64>) {
  // expected-error @+1 {{'gen.concat' op expected inputs of one shape but for axis 0 and one element type (C3), got 'tensor<4xf32>' and 'tensor<4xf64>'}}
  %0 = gen.concat %x, %y axis 0 : (tensor<4xf32>, tensor<4xf64>) -> tensor<8xf32>
  return
}

// -----

func.func @concat_dynamic(%x: tensor<?xf32>) {
  // expected-error @+1 {{'gen.concat' op expected a static size along axis 0 (C4), got 'tensor<?xf32>'}}
  %0 = gen.concat %x, %x axis 0 : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return
}
