func.func @large(%x: tensor<4096x1024xf32>, %w: tensor<1024x1024xf32>) -> tensor<4096x1024xf32> {
  %0 = gen.matmul %x, %w transposed : (tensor<4096x1024xf32>, tensor<1024x1024xf32>) -> tensor<4096x1024xf32>
  return %0 : tensor<4096x1024xf32>
}
func.func @few(%x: tensor<4x768xf32>, %w: tensor<768x768xf32>) -> tensor<4x768xf32> {
  %0 = gen.matmul %x, %w : (tensor<4x768xf32>, tensor<768x768xf32>) -> tensor<4x768xf32>
  return %0 : tensor<4x768xf32>
}
func.func @unknown(%x: tensor<?x784xf32>, %w: tensor<784x1024xf32>) -> tensor<?x1024xf32> {
  %0 = gen.matmul %x, %w : (tensor<?x784xf32>, tensor<784x1024xf32>) -> tensor<?x1024xf32>
  %1 = gen.tanh %0 : tensor<?x1024xf32>
  return %1 : tensor<?x1024xf32>
}
func.func @double(%x: tensor<70x80xf64>, %w: tensor<80x90xf64>) -> tensor<70x90xf64> {
  %0 = gen.matmul %x, %w : (tensor<70x80xf64>, tensor<80x90xf64>) -> tensor<70x90xf64>
  return %0 : tensor<70x90xf64>
}
func.func @image(%x: tensor<?x3x32x32xf32>, %w: tensor<64x3x4x4xf32>) -> tensor<?x64x16x16xf32> {
  %y = gen.convolution %x, %w strides [2, 2] low [1, 1] high [1, 1] dilations [1, 1]
      : (tensor<?x3x32x32xf32>, tensor<64x3x4x4xf32>) -> tensor<?x64x16x16xf32>
  return %y : tensor<?x64x16x16xf32>
}
// A weight's gradient, in parts.
func.func @gradient(%x: tensor<?x18x18x64xf32> {gen.dims = ["n", "", "", ""]}, %y: tensor<?x8x8x128xf32> {gen.dims = ["n", "", "", ""]}) -> tensor<4x4x64x128xf32> {
  %0 = gen.convolution_weight_gradient %x, %y strides [2, 2] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<?x18x18x64xf32>, tensor<?x8x8x128xf32>) -> tensor<4x4x64x128xf32>
  return %0 : tensor<4x4x64x128xf32>
}
