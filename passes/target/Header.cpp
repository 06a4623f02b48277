//===- Header.cpp - a C++ header for a linked model -----------------------===//
//
// Each entry becomes a member function of the class `Session` in a namespace named after the model.
// Scalars are passed and returned by value; a tensor is a `gen::Span` of its element type, whose
// length is checked against its shape; dimension symbols are parameters behind the tensors.
//
//===----------------------------------------------------------------------===//

#include "passes/target/Header.h"

#include "passes/EntryProgram.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::gen {

static bool isKeyword(StringRef word) {
  static const llvm::StringSet<> keywords = {
      "alignas",   "alignof",  "and",      "asm",       "auto",       "bitand",    "bitor",
      "bool",      "break",    "case",     "catch",     "char",       "class",     "compl",
      "const",     "continue", "decltype", "default",   "delete",     "do",        "double",
      "else",      "enum",     "explicit", "export",    "extern",     "false",     "float",
      "for",       "friend",   "goto",     "if",        "inline",     "int",       "long",
      "mutable",   "new",      "noexcept", "not",       "nullptr",    "operator",  "or",
      "private",   "public",   "register", "requires",  "return",     "short",     "signed",
      "sizeof",    "static",   "struct",   "switch",    "template",   "this",      "throw",
      "true",      "try",      "typedef",  "typeid",    "typename",   "union",     "unsigned",
      "using",     "virtual",  "void",     "volatile",  "while",      "xor",       "concept",
      "constexpr", "char8_t",  "co_await", "co_return", "co_yield",   "consteval", "constinit",
      "gen",       "std",      "char16_t", "char32_t",  "const_cast", "wchar_t",   "thread_local",
      "main"};
  return keywords.contains(word);
}

std::string identifier(StringRef text, StringRef prefix) {
  std::string word;
  for (char c : text)
    word += llvm::isAlnum(c) ? c : '_';
  if (word.empty() || llvm::isDigit(word.front()))
    word = (prefix.empty() ? "_" : prefix.str()) + word;
  return isKeyword(word) ? word + "_" : word;
}

std::string linkedSymbol(StringRef modelName) { return "gen_artefact_" + identifier(modelName); }

namespace {

struct ElementName {
  StringRef cpp, dtype;
};

ElementName nameOf(Type elementType) {
  if (elementType.isF32())
    return {"float", "f32"};
  if (elementType.isF64())
    return {"double", "f64"};
  switch (elementType.getIntOrFloatBitWidth()) {
  case 1:
    return {"bool", "i1"};
  case 8:
    return {"int8_t", "i8"};
  case 32:
    return {"int32_t", "i32"};
  default:
    return {"int64_t", "i64"};
  }
}

/// Text as it may stand inside a string literal or a comment.
std::string escaped(StringRef text) {
  std::string result;
  llvm::raw_string_ostream out(result);
  for (char c : text)
    if (llvm::isPrint(c) && c != '"' && c != '\\' && c != '?')
      out << c;
    else
      out << llvm::formatv("\\{0}{1}{2}", (c >> 6) & 3, (c >> 3) & 7, c & 7);
  return result;
}

/// Identifiers that are different from each other and from those taken.
class Names {
public:
  Names(std::initializer_list<StringRef> taken = {}) {
    for (StringRef name : taken)
      used.insert(name);
  }
  std::string add(StringRef text, StringRef prefix) {
    std::string name = identifier(text, prefix);
    while (!used.insert(name).second)
      name += "_";
    return name;
  }

private:
  llvm::StringSet<> used;
};

/// "train_step" -> "TrainStep".
std::string capitalized(StringRef name) {
  std::string text;
  bool upper = true;
  for (char c : name) {
    if (c != '_')
      text += upper ? llvm::toUpper(c) : c;
    upper = c == '_';
  }
  return text;
}

/// An input or result.
struct Tensor {
  std::string name;
  ElementName element;
  bool isScalar;
  std::string described; // "f32[batch, 784]"
};

/// Writes the member function of one entry.
class EntryWriter {
public:
  EntryWriter(func::FuncOp function, llvm::raw_ostream &out)
      : function(function), program(function, noVariables), out(out) {
    Names inputNames{"session", "results"}, resultNames;
    for (BlockArgument argument : function.getArguments()) {
      unsigned i = argument.getArgNumber();
      inputs.push_back(describe(function.getArgAttrOfType<StringAttr>(i, kNameAttr), i,
                                argument.getType(), program.argumentShape(argument),
                                [&](StringRef text) { return inputNames.add(text, "input"); }));
    }
    for (auto [i, type] : llvm::enumerate(function.getResultTypes()))
      results.push_back(describe(function.getResultAttrOfType<StringAttr>(i, kNameAttr), i, type,
                                 program.resultShape(i),
                                 [&](StringRef text) { return resultNames.add(text, "result"); }));
  }

  void write(StringRef name, StringRef resultType) {
    if (!results.empty()) {
      out << "  struct " << resultType << " {\n";
      for (const Tensor &result : results)
        out << "    " << typeOf(result) << " " << result.name << "; ///< " << result.described
            << "\n";
      out << "  };\n";
    }
    out << "  /// Calls '" << escaped(function.getSymName()) << "'";
    for (auto [i, input] : llvm::enumerate(inputs))
      out << (i == 0 ? " with " : ", ") << input.name << ": " << input.described;
    out << ".\n  " << (results.empty() ? "void" : resultType) << " " << name << "(";
    for (auto [i, input] : llvm::enumerate(inputs))
      out << (i == 0 ? "" : ", ") << (input.isScalar ? "" : "const ") << typeOf(input)
          << (input.isScalar ? " " : " &") << input.name;
    out << ") {\n";
    writeCall();
    out << "  }\n\n";
  }

private:
  Tensor describe(StringAttr label, size_t number, Type type, ArrayRef<int64_t> shape,
                  llvm::function_ref<std::string(StringRef)> makeName) const {
    Tensor tensor;
    tensor.name = makeName(label ? label.getValue() : StringRef(std::to_string(number)));
    tensor.element = nameOf(cast<RankedTensorType>(type).getElementType());
    tensor.isScalar = shape.empty();
    tensor.described = tensor.element.dtype.str() + "[";
    for (auto [i, size] : llvm::enumerate(shape))
      tensor.described +=
          (i == 0 ? "" : ", ") + (size >= 0           ? std::to_string(size)
                                  : size == INT64_MIN ? "?"
                                                      : escaped(program.dimensions[-1 - size]));
    tensor.described += "]";
    return tensor;
  }

  static std::string typeOf(const Tensor &tensor) {
    return tensor.isScalar ? tensor.element.cpp.str()
                           : "gen::ViewOf<" + tensor.element.cpp.str() + ">";
  }

  void writeCall() {
    out << "    " << (results.empty() ? "" : "gen::Results results = ") << "session.call(\""
        << escaped(function.getSymName()) << "\", {";
    for (auto [i, input] : llvm::enumerate(inputs))
      out << (i == 0 ? "" : ", ")
          << (input.isScalar ? "gen::View(&" + input.name + ", {})" : input.name);
    out << "});\n";
    if (results.empty())
      return;
    out << "    return {";
    for (auto [i, result] : llvm::enumerate(results))
      out << (i == 0 ? "" : ", ")
          << (result.isScalar
                  ? llvm::formatv("results[{0}].scalar<{1}>()", i, result.element.cpp)
                  : llvm::formatv("gen::ViewOf<{1}>(results[{0}])", i, result.element.cpp));
    out << "};\n";
  }

  func::FuncOp function;
  llvm::StringMap<int64_t> noVariables;
  EntryProgram program;
  llvm::raw_ostream &out;
  SmallVector<Tensor> inputs, results;
};

/// The rest of the header: {0} the model's name, {1} the namespace, {2} the symbol, {3} the guard.
constexpr const char *kBegin =
    R"(// The entries of model '{0}' as C++ functions, written by gencc. Link the object file of the model
// (gencc --emit=obj) and the runtime: no file is opened.
//
//   {1}::Session session;
#ifndef GEN_MODEL_{3}
#define GEN_MODEL_{3}

#include "gen/runtime.hpp"

extern "C" const gen_artefact_info {2};

namespace {1} {{

/// The model linked into the program.
inline gen::Model model() {{ return gen::Model::fromArtefact({2}); }

/// One instance of the model, with its own variables, memory and threads; one thread at a time.
/// Errors are thrown as gen::Error. Results that are views stay valid until the next call of the
/// same entry.
class Session {{
public:
  explicit Session(const gen::SessionOptions &options = gen::SessionOptions())
      : session(model(), options) {{}
  /// The same model from a file: Session(gen::Model::open("{0}.so")).
  explicit Session(const gen::Model &model,
                   const gen::SessionOptions &options = gen::SessionOptions())
      : session(model, options) {{}

)";
constexpr const char *kEnd = R"(  /// Everything else a session does: variables, weights, profile.
  gen::Session session;
};

} // namespace {0}
#endif // GEN_MODEL_{1}
)";

} // namespace

std::string writeCppHeader(ModuleOp module) {
  StringRef model = module.getSymName().value_or("model");
  std::string space = identifier(model), text;
  llvm::raw_string_ostream out(text);
  out << llvm::formatv(kBegin, escaped(model), space, linkedSymbol(model),
                       StringRef(space).upper());
  Names functions{"Session", "session", "model"}, types{"Session"};
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!function.isPublic())
      continue;
    std::string name = functions.add(function.getSymName(), "entry");
    EntryWriter(function, out).write(name, types.add(capitalized(name) + "Results", ""));
  }
  out << llvm::formatv(kEnd, space, StringRef(space).upper());
  return text;
}

} // namespace mlir::gen
