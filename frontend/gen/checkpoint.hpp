//===- gen/checkpoint.hpp - what a weights file says of itself --*- C++ -*-===//

#ifndef GEN_CHECKPOINT_HPP
#define GEN_CHECKPOINT_HPP

#include <map>
#include <string>

namespace gen {

/// The strings that were saved with the weights (`__metadata__` of a safetensors file), before
/// there is a model to load them into. A file that is no such file has none: loading it says why.
std::map<std::string, std::string> metadataOf(const std::string &path);

} // namespace gen

#endif // GEN_CHECKPOINT_HPP
