//===- RandomGraph.h - models made by chance --------------------*- C++ -*-===//
//
// A seed becomes a function of a dozen gen ops on a few arguments: chains, fans and joins of
// elementwise ops, reductions, products, movements, random numbers and a variable, such as no
// hand-written test has. As a row of the op table it comes in static and dynamic shapes, with its
// gradient.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_TEST_UNIT_RANDOMGRAPH_H
#define GEN_TEST_UNIT_RANDOMGRAPH_H

#include "OpTable.h"

namespace optable {

/// The graph of this seed, equal on every machine; it has two `sizes`, for which all shapes are
/// possible. Magnitudes stay moderate, so that rounding alone does not tell two results apart.
Row randomGraph(unsigned seed);

} // namespace optable

#endif // GEN_TEST_UNIT_RANDOMGRAPH_H
