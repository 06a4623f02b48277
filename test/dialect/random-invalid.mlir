// RUN: gen-opt %s --split-input-file -verify-diagnostics

func.func @sizes(%key: tensor<i64>, %counter: tensor<i64>) {
  // expected-error @+1 {{'gen.random_normal' op expected 1 sizes, one for each dynamic dimension of the result 'tensor<?xf32>' (C1), got 0}}
  %0 = gen.random_normal %key, %counter stream 0 : tensor<?xf32>
  return
}

// -----

func.func @negative_stream(%key: tensor<i64>, %counter: tensor<i64>) {
  // expected-error @+1 {{'gen.random_bits' op expected a stream of at least 0 and less than 2^32 (C2), got -1}}
  %0 = gen.random_bits %key, %counter stream -1 : tensor<4xi32>
  return
}

// -----

func.func @large_stream(%key: tensor<i64>, %counter: tensor<i64>) {
  // expected-error @+1 {{'gen.random_uniform' op expected a stream of at least 0 and less than 2^32 (C2), got 4294967296}}
  %0 = gen.random_uniform %key, %counter stream 4294967296 : tensor<4xf32>
  return
}

// -----

func.func @probability(%key: tensor<i64>, %counter: tensor<i64>) {
  // expected-error @+1 {{'gen.random_bernoulli' op expected a probability of at least 0 and at most 1 (C3), got 1.500000e+00}}
  %0 = gen.random_bernoulli %key, %counter stream 0 probability 1.5 : tensor<4xi1>
  return
}

// -----

func.func @element_type(%key: tensor<i64>, %counter: tensor<i64>) {
  // expected-error @+1 {{'gen.random_bits' op result #0 must be ranked tensor of 32-bit signless integer values, but got 'tensor<4xi64>'}}
  %0 = gen.random_bits %key, %counter stream 0 : tensor<4xi64>
  return
}
