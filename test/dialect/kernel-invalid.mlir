// RUN: gen-opt %s --split-input-file -verify-diagnostics

// expected-error @+1 {{'gen.kernel' op expected arguments that are tensors or sizes (C1), got 'f32' at 1}}
gen.kernel @argument(%x: tensor<2xf32>, %y: f32) -> (tensor<2xf32>) family "pointwise" {
  gen.yield %x : tensor<2xf32>
}

// -----

// expected-error @+1 {{'gen.kernel' op expected family "attention", "contraction", "reduction", "scatter", "pointwise" or "group" (C2), got "gather"}}
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

// -----

gen.kernel @relu(%x: tensor<2xf32>) -> (tensor<2xf32>) family "pointwise" {
  %0 = gen.relu %x : tensor<2xf32>
  gen.yield %0 : tensor<2xf32>
}
gen.kernel @computes(%x: tensor<2xf32>) -> (tensor<2xf32>) family "group" {
  // expected-error @+1 {{'gen.relu' op expected launches only in a kernel of family "group" (C3)}}
  %0 = gen.relu %x : tensor<2xf32>
  gen.yield %0 : tensor<2xf32>
}

// -----

gen.kernel @relu(%x: tensor<2xf32>) -> (tensor<2xf32>) family "pointwise" {
  %0 = gen.relu %x : tensor<2xf32>
  gen.yield %0 : tensor<2xf32>
}
gen.kernel @launches(%x: tensor<2xf32>) -> (tensor<2xf32>) family "pointwise" {
  // expected-error @+1 {{'gen.launch' op expected launches only in a kernel of family "group", which this is not (C3)}}
  %0 = gen.launch @relu(%x) : (tensor<2xf32>) -> tensor<2xf32>
  gen.yield %0 : tensor<2xf32>
}

// -----

gen.kernel @relu(%x: tensor<2xf32>) -> (tensor<2xf32>) family "pointwise" {
  %0 = gen.relu %x : tensor<2xf32>
  gen.yield %0 : tensor<2xf32>
}
gen.kernel @chain(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) family "group" {
  %0 = gen.launch @relu(%x) : (tensor<2xf32>) -> tensor<2xf32>
  // expected-error @+1 {{'gen.launch' op expected arguments of the group, since its launches do not depend on each other (C3)}}
  %1 = gen.launch @relu(%0) : (tensor<2xf32>) -> tensor<2xf32>
  gen.yield %0, %1 : tensor<2xf32>, tensor<2xf32>
}

// -----

gen.kernel @relu(%x: tensor<2xf32>) -> (tensor<2xf32>) family "pointwise" {
  %0 = gen.relu %x : tensor<2xf32>
  gen.yield %0 : tensor<2xf32>
}
// expected-error @+1 {{'gen.kernel' op expected a group to yield all that it launches, in order (C3)}}
gen.kernel @keeps(%x: tensor<2xf32>) -> (tensor<2xf32>) family "group" {
  %0 = gen.launch @relu(%x) : (tensor<2xf32>) -> tensor<2xf32>
  %1 = gen.launch @relu(%x) : (tensor<2xf32>) -> tensor<2xf32>
  gen.yield %1 : tensor<2xf32>
}

// -----

gen.kernel @group(%x: tensor<2xf32>) -> (tensor<2xf32>) family "group" {
  // expected-error @+1 {{'gen.launch' op expected a group not to launch another one (C4), got @group}}
  %0 = gen.launch @group(%x) : (tensor<2xf32>) -> tensor<2xf32>
  gen.yield %0 : tensor<2xf32>
}
