func.func @main(%x: tensor<?x784xf32> {gen.dims = ["batch", ""]}, %y: tensor<?x784xf32> {gen.dims = ["batch", ""]})
    -> tensor<?x784xf32> {
  %0 = gen.add %x, %y : (tensor<?x784xf32>, tensor<?x784xf32>) -> tensor<?x784xf32>
  return %0 : tensor<?x784xf32>
}
