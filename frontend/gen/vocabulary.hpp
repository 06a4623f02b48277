// Words in pieces: what models of words read and write.
#ifndef GEN_VOCABULARY_HPP
#define GEN_VOCABULARY_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gen::data {

/// Pieces of words, made by byte-pair encoding (Sennrich et al. 2016, on characters): frequent
/// words are one piece, rare ones several. White space of any length is one space, which belongs to
/// the word after it; letters, digits and signs are words of their own. Immutable; may be shared by
/// threads.
class Vocabulary {
public:
  /// Numbers that stand for no piece.
  static constexpr int64_t kPad = 0;     ///< behind the end of a sentence
  static constexpr int64_t kBegin = 1;   ///< of a sentence
  static constexpr int64_t kEnd = 2;     ///< of a sentence
  static constexpr int64_t kUnknown = 3; ///< a character that the learned texts lack
  static constexpr int64_t kMask = 4;    ///< a piece to be guessed
  static constexpr int64_t kFirst = 5;   ///< the first piece

  /// The characters that occur in the texts, the commonest first, and then what the commonest pair
  /// of neighbours gives, again and again, until there are `size` numbers or no pair occurs twice.
  /// Throws std::runtime_error where a text is no UTF-8.
  static Vocabulary learn(const std::vector<std::string> &texts, int64_t size);
  /// Of what `str` has returned.
  explicit Vocabulary(const std::string &lines);
  /// The pieces in the order of their numbers, each in a line.
  std::string str() const;

  /// Numbers in all, those that stand for no piece included.
  int64_t size() const { return kFirst + static_cast<int64_t>(pieces.size()); }
  /// Texts as numbers: a word's characters, of which the pair that was learned first becomes one
  /// piece, until there is none. Throws std::runtime_error, which names `source`.
  std::vector<std::vector<int64_t>> encode(const std::string &source,
                                           const std::vector<std::string> &texts) const;
  std::vector<int64_t> encode(const std::string &source, const std::string &text) const;
  /// The text, up to kEnd or kPad. An unknown character is U+FFFD, a hidden piece an underscore.
  std::string decode(const std::vector<int64_t> &numbers) const;

private:
  explicit Vocabulary(std::vector<std::string> pieces);
  std::vector<int64_t> encodeWord(const std::string &word) const;
  int64_t numberOf(const std::string &piece) const;

  std::vector<std::string> pieces;
  std::unordered_map<std::string, int64_t> numbers;
};

/// The lines of a text, without their ends.
std::vector<std::string> linesOf(const std::string &text);

/// Words as a vocabulary cuts them: " Who", "'", "s", " there", "?".
std::vector<std::string> wordsOf(const std::string &source, const std::string &text);

} // namespace gen::data

#endif // GEN_VOCABULARY_HPP
