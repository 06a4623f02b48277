// RUN: gen-opt %s --split-input-file -verify-diagnostics

// expected-error @+1 {{'gen.kernel' op expected arguments that are tensors or sizes (C1), got 'f32' at 1}}
gen.kernel @argument(%x: tensor<2xf32>, %y: f32) -> (tensor<2xf32>) family "pointwise" {
  gen.yield %x : tensor<2xf32>
}

// -----

// expected-error @+1 {{'gen.kernel' op expected family "attention", "contraction", "reduction", "scatter" or "pointwise" (C2), got "gather"}}
gen.kernel @family(%x: tensor<2xf32>) -> (tensor<2xf32>) family "gather" {
  gen.yield %x : tensor<2xf32>
}

// -----

// expected-error @+1 {{expected gen.yield of 'tensor<3xf32>', got 'tensor<2xf32>'}}
gen.kernel @results(%x: tensor<2xf32>) -> (tensor<3xf32>) family "pointwise" {
  gen.yield %x : tensor<2xf32>
}

// -----

func.func @launch_unknown(%x: tensor<2xf32>) {
  // expected-error @+1 {{'gen.launch' op expected the name of a gen.kernel (C1), got @scale}}
  %0 = gen.launch @scale(%x) : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

gen.kernel @scale(%x: tensor<2xf32>) -> (tensor<2xf32>) family "pointwise" {
  gen.yield %x : tensor<2xf32>
}
func.func @launch_arguments(%x: tensor<3xf32>) {
  // expected-error @+1 {{'gen.launch' op expected arguments of kernel @scale, ('tensor<2xf32>') (C2), got ('tensor<3xf32>')}}
  %0 = gen.launch @scale(%x) : (tensor<3xf32>) -> tensor<2xf32>
  return
}

// -----

gen.kernel @scale(%x: tensor<2xf32>) -> (tensor<2xf32>) family "pointwise" {
  gen.yield %x : tensor<2xf32>
}
func.func @launch_results(%x: tensor<2xf32>) {
  // expected-error @+1 {{'gen.launch' op expected results of kernel @scale, ('tensor<2xf32>') (C3), got ('tensor<3xf32>')}}
  %0 = gen.launch @scale(%x) : (tensor<2xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @yield_outside(%x: tensor<2xf32>) {
  // expected-error @+1 {{'gen.yield' op expects parent op 'gen.kernel'}}
  gen.yield %x : tensor<2xf32>
}
