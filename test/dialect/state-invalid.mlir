// RUN: gen-opt %s --split-input-file -verify-diagnostics

// expected-error @+1 {{'gen.variable' op expected a static shape (C1), got 'tensor<?xf32>'}}
gen.variable @w : tensor<?xf32>

// -----

// expected-error @+1 {{'gen.variable' op expected a value of the variable's type 'tensor<3xf32>' (C2), got 'tensor<2xf32>'}}
gen.variable @w : tensor<3xf32> = dense<0.0> : tensor<2xf32>

// -----

func.func @read_unknown() -> tensor<2xf32> {
  // expected-error @+1 {{'gen.read' op expected the name of a gen.variable (C1), got @w}}
  %0 = gen.read @w : tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

// expected-note @+1 {{declared here}}
gen.variable @w : tensor<2xf32>
func.func @read_type() -> tensor<3xf32> {
  // expected-error @+1 {{'gen.read' op expected the type of variable @w, 'tensor<2xf32>' (C2), got 'tensor<3xf32>'}}
  %0 = gen.read @w : tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

func.func @assign_function(%x: tensor<2xf32>) {
  // expected-error @+1 {{'gen.assign' op expected the name of a gen.variable (C1), got @assign_function}}
  gen.assign @assign_function, %x : tensor<2xf32>
  return
}

// -----

// expected-note @+1 {{declared here}}
gen.variable @w : tensor<2xf32>
func.func @assign_type(%x: tensor<2xf64>) {
  // expected-error @+1 {{'gen.assign' op expected the type of variable @w, 'tensor<2xf32>' (C2), got 'tensor<2xf64>'}}
  gen.assign @w, %x : tensor<2xf64>
  return
}

// -----

func.func @gradient_of_a_vector(%x: tensor<2xf32>) {
  // expected-error @+1 {{'gen.gradient' op expected a scalar output (C1), got 'tensor<2xf32>'}}
  %0 = gen.gradient %x wrt %x : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>
  return
}

// -----

func.func @gradient_type(%x: tensor<2xf32>, %s: tensor<f32>) {
  // expected-error @+1 {{'gen.gradient' op expected gradients of the inputs' types 'tensor<2xf32>' (C2), got 'tensor<f32>'}}
  %0 = gen.gradient %s wrt %x : tensor<f32>, tensor<2xf32> -> tensor<f32>
  return
}
