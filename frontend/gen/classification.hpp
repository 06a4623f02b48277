//===- gen/classification.hpp - how well classes are told -------*- C++ -*-===//

#ifndef GEN_CLASSIFICATION_HPP
#define GEN_CLASSIFICATION_HPP

#include "gen/recipe.hpp"

namespace gen {

/// Of a model whose `evaluate` returns `classes`, i64 [batch], for data with `labels`: accuracy and
/// the macro means of precision, recall and F1; the table of classes; confusion.svg.
std::unique_ptr<Report> classification();

} // namespace gen

#endif // GEN_CLASSIFICATION_HPP
