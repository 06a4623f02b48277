func.func @usual(%q: tensor<8x1024x12x64xf32>, %k: tensor<8x1024x12x64xf32>, %v: tensor<8x1024x12x64xf32>) -> tensor<8x1024x12x64xf32> {
  %z, %l = gen.attention %q, %k, %v causal scale 1.25e-01
      : (tensor<8x1024x12x64xf32>, tensor<8x1024x12x64xf32>, tensor<8x1024x12x64xf32>) -> (tensor<8x1024x12x64xf32>, tensor<8x12x1024xf32>)
  return %z : tensor<8x1024x12x64xf32>
}
func.func @wide(%q: tensor<?x?x8x128xf32> {gen.dims = ["b", "s", "", ""]}, %k: tensor<?x?x8x128xf32> {gen.dims = ["b", "t", "", ""]}, %v: tensor<?x?x8x128xf32> {gen.dims = ["b", "t", "", ""]}, %m: tensor<?x1x1x?xf32> {gen.dims = ["b", "", "", "t"]}) -> (tensor<?x?x8x128xf32>, tensor<?x8x?xf32>) {
  %z, %l = gen.attention %q, %k, %v mask %m scale 8.0e-02
      : (tensor<?x?x8x128xf32>, tensor<?x?x8x128xf32>, tensor<?x?x8x128xf32>, tensor<?x1x1x?xf32>) -> (tensor<?x?x8x128xf32>, tensor<?x8x?xf32>)
  return %z, %l : tensor<?x?x8x128xf32>, tensor<?x8x?xf32>
}
func.func @layer(%x: tensor<64x128x96xf32>) -> tensor<64x128x32xf32> {
  %a = gen.slice %x starts [0, 0, 0] limits [64, 128, 32] strides [1, 1, 1] : tensor<64x128x96xf32> -> tensor<64x128x32xf32>
  %b = gen.slice %x starts [0, 0, 32] limits [64, 128, 64] strides [1, 1, 1] : tensor<64x128x96xf32> -> tensor<64x128x32xf32>
  %c = gen.slice %x starts [0, 0, 64] limits [64, 128, 96] strides [1, 1, 1] : tensor<64x128x96xf32> -> tensor<64x128x32xf32>
  %q = gen.reshape %a : tensor<64x128x32xf32> -> tensor<64x128x4x8xf32>
  %k = gen.reshape %b : tensor<64x128x32xf32> -> tensor<64x128x4x8xf32>
  %v = gen.reshape %c : tensor<64x128x32xf32> -> tensor<64x128x4x8xf32>
  %o, %l = gen.attention %q, %k, %v causal scale 3.5e-01 : (tensor<64x128x4x8xf32>, tensor<64x128x4x8xf32>, tensor<64x128x4x8xf32>) -> (tensor<64x128x4x8xf32>, tensor<64x4x128xf32>)
  %r = gen.tanh %o : tensor<64x128x4x8xf32>
  %z = gen.reshape %r : tensor<64x128x4x8xf32> -> tensor<64x128x32xf32>
  return %z : tensor<64x128x32xf32>
}
