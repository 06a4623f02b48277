func.func @main(%x: tensor<?x64xf32> {gen.name = "x", gen.dims = ["batch", ""]}, %w: tensor<32x64xf32> {gen.name = "w"},
                %b: tensor<32xf32> {gen.name = "b"}) -> (tensor<?x32xf32> {gen.name = "y"}) {
  %0 = gen.matmul %x, %w transposed : (tensor<?x64xf32>, tensor<32x64xf32>) -> tensor<?x32xf32>
  %1 = gen.add %0, %b : (tensor<?x32xf32>, tensor<32xf32>) -> tensor<?x32xf32>
  %2 = gen.relu %1 : tensor<?x32xf32>
  return %2 : tensor<?x32xf32>
}
