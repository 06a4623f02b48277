// GenOps.td - all ops of the dialect.
#ifndef GEN_OPS_TD
#define GEN_OPS_TD
include "dialect/ops/Attention.td"
include "dialect/ops/Elementwise.td"
include "dialect/ops/Shape.td"
include "dialect/ops/Sequence.td"
include "dialect/ops/Reduction.td"
include "dialect/ops/Contraction.td"
include "dialect/ops/Convolution.td"
include "dialect/ops/Normalization.td"
include "dialect/ops/Indexing.td"
include "dialect/ops/Loss.td"
include "dialect/ops/Pooling.td"
include "dialect/ops/Winograd.td"
include "dialect/ops/Random.td"
include "dialect/ops/State.td"
include "dialect/ops/Kernel.td"
#endif // GEN_OPS_TD
