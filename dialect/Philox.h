//===- Philox.h - counter-based random numbers ------------------*- C++ -*-===//
//
// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011),
// written once for any kind of 32-bit word: numbers in the reference, SSA values in kernels.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_DIALECT_PHILOX_H
#define GEN_DIALECT_PHILOX_H

#include <array>
#include <cstdint>
#include <utility>

namespace mlir::gen {

/// Four random words of a counter under a key. `Arithmetic` gives `Word`, `multiply(constant,
/// word)` (high and low half of the product), `exclusiveOr` and `add(word, constant)`.
template <typename Arithmetic, typename Word = typename Arithmetic::Word>
std::array<Word, 4> philox4x32(Arithmetic a, std::array<Word, 4> counter, std::array<Word, 2> key) {
  constexpr uint32_t multipliers[2] = {0xD2511F53, 0xCD9E8D57};
  constexpr uint32_t increments[2] = {0x9E3779B9, 0xBB67AE85}; // the golden ratio and sqrt(3) - 1
  constexpr int rounds = 10;
  for (int round = 0; round < rounds; ++round) {
    if (round > 0)
      for (int i = 0; i < 2; ++i)
        key[i] = a.add(key[i], increments[i]);
    auto [high0, low0] = a.multiply(multipliers[0], counter[0]);
    auto [high1, low1] = a.multiply(multipliers[1], counter[2]);
    counter = {a.exclusiveOr(a.exclusiveOr(high1, counter[1]), key[0]), low1,
               a.exclusiveOr(a.exclusiveOr(high0, counter[3]), key[1]), low0};
  }
  return counter;
}

/// Arithmetic on numbers.
struct PhiloxNumbers {
  using Word = uint32_t;
  std::pair<Word, Word> multiply(uint32_t constant, Word word) {
    uint64_t product = uint64_t{constant} * word;
    return {static_cast<Word>(product >> 32), static_cast<Word>(product)};
  }
  Word exclusiveOr(Word x, Word y) { return x ^ y; }
  Word add(Word word, uint32_t constant) { return word + constant; }
};

} // namespace mlir::gen

#endif // GEN_DIALECT_PHILOX_H
