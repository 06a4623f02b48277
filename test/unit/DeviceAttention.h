//===- DeviceAttention.h - attention on a GPU beside a CPU ------*- C++ -*-===//
//
// What the tests of attention and of its gradient on the emulator share.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_TEST_UNIT_DEVICEATTENTION_H
#define GEN_TEST_UNIT_DEVICEATTENTION_H

#include "Compiled.h"
#include <gtest/gtest.h>

namespace optable {

/// Of two elements of a batch.
struct AttentionCase {
  struct Argument {
    std::string name;
    std::vector<int64_t> shape;      ///< Of the call.
    std::vector<std::string> dims{}; ///< Names of dynamic sizes, or "".
  };

  int64_t queries, keys, heads, depth, width;
  std::string flags = "";
  std::vector<int64_t> mask = {}; ///< Its shape; empty: none.
  bool isDynamic = false;         ///< The numbers of queries and keys, and the batch.

  Argument query() const { return {"q", {2, queries, heads, depth}, {"b", "s", "", ""}}; }
  Argument key() const { return {"k", {2, keys, heads, depth}, {"b", "t", "", ""}}; }
  Argument value() const { return {"v", {2, keys, heads, width}, {"b", "t", "", ""}}; }
  Argument output(const std::string &name) const {
    return {name, {2, queries, heads, width}, {"b", "s", "", ""}};
  }
  Argument logsumexp() const { return {"l", {2, heads, queries}, {"b", "", "s"}}; }
  /// Queries, keys, values and mask.
  std::vector<Argument> operands() const;
  /// `name: type` of all, with dynamic sizes.
  std::string declared(const std::vector<Argument> &arguments) const;
  /// `type, type`.
  std::string types(const std::vector<Argument> &arguments) const;
  /// `%z, %l = gen.attention ...`.
  std::string attention() const;
};

std::string join(const std::vector<std::string> &parts, const std::string &between);

/// For each argument, numbers from -1 to 1, without an order, that bf16, f16 and tf32 have, too. A
/// mask hides every fifth key, and all keys of every seventh query.
std::vector<gen::Array> arraysOf(const std::vector<AttentionCase::Argument> &arguments);

class OnDeviceAttention : public testing::TestWithParam<const char *> {
protected:
  void SetUp() override;
  void TearDown() override;

  void compile(const std::string &text, const std::string &target = "cpu,cuda");
  /// The results of an entry.
  std::vector<gen::Array> call(const std::string &device, const std::string &entry,
                               const std::vector<gen::Array> &arguments) const;
  /// The largest difference: what rounding numbers of at most 1 before they are multiplied makes,
  /// to ten bits of mantissa in f16 and tf32, to seven in bf16.
  static float tolerance();
  /// That all elements of the results of `main` are the CPU's, up to that.
  void expectSame(const std::vector<gen::Array> &arguments) const;
  /// That results are, as vectors, up to that part of their length: where sums cancel, what is
  /// rounded may be larger than they are.
  void expectSameVectors(const std::vector<gen::Array> &arguments) const;
  /// That `main` needs each of the barriers for one of the calls. The module has no other kernel.
  void expectNeeds(int barriers, const std::vector<std::vector<gen::Array>> &calls) const;

private:
  static std::string fileName();
  std::string path = testing::TempDir() + fileName();
};

} // namespace optable

#endif // GEN_TEST_UNIT_DEVICEATTENTION_H
