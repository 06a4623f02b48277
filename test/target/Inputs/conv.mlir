// Convolutions of images of 64 x 64 positions and 256 channels, two and two back, of operands that stay on the GPU:
// fill.sh makes other numbers of channels.
gen.variable @x : tensor<32x66x66x256xf32> = dense<0.0> : tensor<32x66x66x256xf32>
gen.variable @w : tensor<3x3x256x256xf32> = dense<0.0> : tensor<3x3x256x256xf32>
gen.variable @y : tensor<32x66x66x256xf32> = dense<0.0> : tensor<32x66x66x256xf32>
func.func @init() {
  %key = gen.constant dense<0> : tensor<i64>
  %scale = gen.constant dense<0.015625> : tensor<3x3x256x256xf32>
  %x = gen.random_normal %key, %key stream 0 : tensor<32x66x66x256xf32>
  %0 = gen.random_normal %key, %key stream 1 : tensor<3x3x256x256xf32>
  %w = gen.mul %0, %scale : (tensor<3x3x256x256xf32>, tensor<3x3x256x256xf32>) -> tensor<3x3x256x256xf32>
  gen.assign @x, %x : tensor<32x66x66x256xf32>
  gen.assign @w, %w : tensor<3x3x256x256xf32>
  return
}
func.func @conv() {
  %x = gen.read @x : tensor<32x66x66x256xf32>
  %w = gen.read @w : tensor<3x3x256x256xf32>
  %0 = gen.convolution %x, %w strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<32x66x66x256xf32>, tensor<3x3x256x256xf32>) -> tensor<32x64x64x256xf32>
  %1 = gen.convolution_transpose %0, %w strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<32x64x64x256xf32>, tensor<3x3x256x256xf32>) -> tensor<32x66x66x256xf32>
  %2 = gen.convolution %1, %w strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<32x66x66x256xf32>, tensor<3x3x256x256xf32>) -> tensor<32x64x64x256xf32>
  %3 = gen.convolution_transpose %2, %w strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<32x64x64x256xf32>, tensor<3x3x256x256xf32>) -> tensor<32x66x66x256xf32>
  gen.assign @y, %3 : tensor<32x66x66x256xf32>
  return
}
