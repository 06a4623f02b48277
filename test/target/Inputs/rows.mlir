// Rows of neighbours, and elementwise kernels that are not flat.
func.func @weights(%x: tensor<?x1024xf32> {gen.dims = ["n", ""]}) -> tensor<?x1024xf32> {
  %0 = gen.softmax %x axis 1 : tensor<?x1024xf32>
  return %0 : tensor<?x1024xf32>
}
func.func @biased(%x: tensor<?x1024xf32> {gen.dims = ["n", ""]}, %b: tensor<1024xf32>) -> tensor<?x1024xf32> {
  %0 = gen.add %x, %b : (tensor<?x1024xf32>, tensor<1024xf32>) -> tensor<?x1024xf32>
  %1 = gen.tanh %0 : tensor<?x1024xf32>
  return %1 : tensor<?x1024xf32>
}
func.func @heads(%x: tensor<?x96x8x64xf32> {gen.dims = ["n", "", "", ""]}) -> tensor<?x8x96x64xf32> {
  %0 = gen.transpose %x permutation [0, 2, 1, 3] : tensor<?x96x8x64xf32> -> tensor<?x8x96x64xf32>
  return %0 : tensor<?x8x96x64xf32>
}
