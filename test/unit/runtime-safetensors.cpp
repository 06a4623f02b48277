// The safetensors reader: what the format's own library writes is read, and every lie is refused
// with the byte offset and the field's name.
#include "Safetensors.h"
#include "fixtures/Runtime.h"

#include <cstring>

using namespace gen::runtime;

namespace {

// Reads a file of that header and `dataBytes` of data; the message of the error, "" if there is
// none.
std::string read(const std::string &header, uint64_t dataBytes, Safetensors *result = nullptr) {
  try {
    Safetensors file = readSafetensorsHeader(header, 8 + header.size() + dataBytes, "w");
    if (result)
      *result = std::move(file);
  } catch (const Failure &failure) {
    EXPECT_EQ(failure.code, GEN_CORRUPT);
    return failure.message;
  }
  return "";
}

std::string readLength(std::initializer_list<unsigned char> bytes, uint64_t fileSize) {
  unsigned char first[8] = {};
  std::copy(bytes.begin(), bytes.end(), first);
  try {
    readSafetensorsLength(first, fileSize, "w");
  } catch (const Failure &failure) {
    return failure.message;
  }
  return "";
}

struct Lie {
  const char *name;
  std::string header;
  uint64_t dataBytes;
  const char *message;
};

std::string deep(size_t depth) { return std::string(depth, '{'); }

const Lie kLies[] = {
    {"Empty", "", 0, "expected '{' at the start of the header"},
    {"NoObject", "[]", 0, "expected '{' at the start of the header"},
    {"LeadingSpace", " {}", 0, "expected '{' at the start of the header"},
    {"Unclosed", "{", 0, "byte 9: expected '\"', got the end of the header"},
    {"TrailingText", "{}x", 0, "byte 10: expected the end of the header"},
    {"TrailingComma", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},})", 4,
     "expected '\"', got '}'"},
    {"NoColon", R"({"a" 1})", 0, "expected ':', got '1'"},
    {"TensorIsNumber", R"({"a":1})", 0, "expected '{', got '1'"},
    {"EmptyTensor", R"({"a":{}})", 0, "expected '\"', got '}'"},
    {"EmptyName", R"({"":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4,
     "tensor without a name"},
    {"Deep", deep(100000), 0, "expected '\"', got '{'"},
    {"DTypeMissing", R"({"a":{"shape":[1],"data_offsets":[0,4]}})", 4,
     "tensor 'a': dtype is missing"},
    {"ShapeMissing", R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4,
     "tensor 'a': shape is missing"},
    {"OffsetsMissing", R"({"a":{"dtype":"F32","shape":[1]}})", 4,
     "tensor 'a': data_offsets is missing"},
    {"DTypeTwice", R"({"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4,
     "tensor 'a': dtype twice"},
    {"UnknownField", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}})", 4,
     "tensor 'a': unknown field 'x'"},
    {"UnknownDType", R"({"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}})", 4,
     "tensor 'a': dtype 'F31', expected F32, F64, BOOL, I8, I32 or I64"},
    {"UnsupportedDType", R"({"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}})", 4,
     "tensor 'a': dtype 'BF16'"},
    {"DTypeIsNumber", R"({"a":{"dtype":1,"shape":[1],"data_offsets":[0,4]}})", 4,
     "expected '\"', got '1'"},
    {"NegativeSize", R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4,
     "expected a whole number without sign"},
    {"FractionalSize", R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", 4,
     "expected a whole number"},
    {"ExponentSize", R"({"a":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}})", 4,
     "expected a whole number"},
    {"LeadingZero", R"({"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}})", 4,
     "number with a leading zero"},
    {"HugeSize", R"({"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]}})", 4,
     "number too large, expected less than 2^63"},
    {"WrappedShape",
     R"({"a":{"dtype":"F32","shape":[4611686018427387905,4],"data_offsets":[0,16]}})", 16,
     "tensor 'a': shape f32[4611686018427387905, 4] overflows"},
    {"WrappedBytes", R"({"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}})",
     0, "tensor 'a': shape f64[2305843009213693952] overflows"},
    {"Rank9", R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}})", 4,
     "tensor 'a': shape has more than 8 sizes"},
    {"ShapeTooLarge", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4,
     "tensor 'a': shape f32[2] has 8 bytes, data_offsets span 4"},
    {"ShapeTooSmall", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})", 8,
     "tensor 'a': shape f32[1] has 4 bytes, data_offsets span 8"},
    {"ReversedRange", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4,
     "tensor 'a': data_offsets [4, 0] in a file with 4 bytes of data"},
    {"BeyondTheFile", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 7,
     "tensor 'a': data_offsets [0, 8] in a file with 7 bytes of data"},
    {"FarBeyond",
     R"({"a":{"dtype":"I8","shape":[1],"data_offsets":[9223372036854775806,9223372036854775807]}})",
     1, "data_offsets [9223372036854775806, 9223372036854775807]"},
    {"OneOffset", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", 4,
     "expected ',', got ']'"},
    {"ThreeOffsets", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}})", 4,
     "expected ']', got ','"},
    {"Overlap",
     R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
     12, "tensor 'b': data_offsets overlap its neighbour"},
    {"SameRange",
     R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
     4, "data_offsets overlap its neighbour"},
    {"Hole",
     R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})",
     12, "tensor 'b': data_offsets leave a hole after its neighbour"},
    {"HoleAtTheStart", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8,
     "tensor 'a': data_offsets leave a hole"},
    {"MoreData", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 5,
     "1 bytes that belong to no tensor"},
    {"OnlyData", "{}", 3, "byte 10: 3 bytes that belong to no tensor"},
    {"NameTwice",
     R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
     8, "tensor 'a' twice"},
    {"NameTwiceEscaped",
     R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\u0061":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
     8, "tensor 'a' twice"},
    {"MetadataTwice", R"({"__metadata__":{},"__metadata__":{}})", 0, "tensor '__metadata__' twice"},
    {"MetadataKeyTwice", R"({"__metadata__":{"k":"1","k":"2"}})", 0, "__metadata__: key 'k' twice"},
    {"MetadataIsNumber", R"({"__metadata__":{"k":1}})", 0, "expected '\"', got '1'"},
    {"MetadataNested", R"({"__metadata__":{"k":{}}})", 0, "expected '\"', got '{'"},
    {"ControlCharacter", "{\"a\n\":{}}", 0, "control character in a string"},
    {"UnknownEscape", R"({"\x":{}})", 0, "unknown escape in a string"},
    {"HalfSurrogate", R"({"\ud800":{}})", 0, "half a surrogate pair"},
    {"LowSurrogate", R"({"\udc00":{}})", 0, "half a surrogate pair"},
    {"ShortEscape", R"({"\u00)", 0, "expected four hexadecimal digits after \\u"},
    {"ZeroByte", R"({"a\u0000b":{}})", 0, "a zero byte in a string"},
    {"StringWithoutEnd", R"({"abc)", 0, "string without end"},
};

class Lies : public testing::TestWithParam<Lie> {};

} // namespace

TEST_P(Lies, AreRefused) {
  std::string message = read(GetParam().header, GetParam().dataBytes);
  EXPECT_NE(message.find(GetParam().message), std::string::npos) << "message: " << message;
  EXPECT_EQ(message.rfind("w: byte ", 0), 0u) << "message: " << message;
}

INSTANTIATE_TEST_SUITE_P(Safetensors, Lies, testing::ValuesIn(kLies),
                         [](const auto &info) { return std::string(info.param.name); });

TEST(Safetensors, RefusesLyingLengths) {
  EXPECT_EQ(readLength({9}, 16), "w: byte 0: header of 9 bytes in a file of 16 bytes");
  EXPECT_EQ(readLength({8}, 16), "");
  EXPECT_NE(readLength({0}, 7).find("in a file of 7 bytes"), std::string::npos);
  EXPECT_NE(
      readLength({255, 255, 255, 255, 255, 255, 255, 255}, 100).find("expected at most 100000000"),
      std::string::npos);
  EXPECT_NE(readLength({0, 0xe1, 0xf5, 0x05 + 1}, UINT64_MAX).find("expected at most"),
            std::string::npos);
}

TEST(Safetensors, ReadsWhatIsTrue) {
  Safetensors file;
  ASSERT_EQ(read(R"({ "b\u00e9" : {"dtype":"F32","shape":[ 2, 1 ],"data_offsets":[1,9]},)"
                 R"("a":{"shape":[],"data_offsets":[0,1],"dtype":"BOOL"},)"
                 R"("empty":{"shape":[0,7],"data_offsets":[9,9],"dtype":"I64"},)"
                 R"("__metadata__":{"format":"pt","\ud83d\ude00":"\n\t\/"}}   )",
                 9, &file),
            "");
  ASSERT_EQ(file.tensors.size(), 3u);
  EXPECT_EQ(file.tensors[0].name, "a");
  EXPECT_EQ(file.tensors[0].tensor.dtype, uint32_t(GEN_I1));
  EXPECT_EQ(file.tensors[1].name, "b\xc3\xa9");
  EXPECT_EQ(file.tensors[1].tensor.rank, 2u);
  EXPECT_EQ(file.tensors[1].end - file.tensors[1].begin, 8u);
  EXPECT_EQ(file.metadata.at("format"), "pt");
  EXPECT_EQ(file.metadata.at("\xf0\x9f\x98\x80"), "\n\t/");
  EXPECT_EQ(read("{}", 0), "");
}

TEST(Safetensors, WritesWhatItReads) {
  Safetensors file;
  gen_tensor small = {nullptr, GEN_I8, 1, {3}}, big = {nullptr, GEN_F64, 2, {2, 2}};
  file.tensors = {{"z \"quoted\" \\ \x01", small, 0, 0}, {"a", small, 0, 0}, {"big", big, 0, 0}};
  file.metadata = {{"key\n", "value\t"}};
  std::string bytes = writeSafetensorsHeader(file);
  EXPECT_EQ(bytes.size() % 8, 0u);
  EXPECT_EQ(file.tensors[0].name, "big"); // large elements first: all data are aligned
  Safetensors again =
      readSafetensorsHeader(std::string_view(bytes).substr(8), bytes.size() + 38, "w");
  ASSERT_EQ(again.tensors.size(), 3u);
  EXPECT_EQ(again.tensors[2].name, "z \"quoted\" \\ \x01");
  EXPECT_EQ(again.tensors[2].begin, file.tensors[2].begin);
  EXPECT_EQ(again.metadata, file.metadata);
}

TEST(Safetensors, SurvivesMutations) {
  const std::string original =
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
      R"("b":{"dtype":"I64","shape":[],"data_offsets":[24,32]},"\u00e9":{"dtype":"BOOL","shape":[4],"data_offsets":[32,36]}})";
  ASSERT_EQ(read(original, 36), "");
  static constexpr std::string_view kAlphabet = "{}[]\",:0123456789\\u-.eE \n\xff";
  test::Random random{7};
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string header = original;
    for (uint64_t changes = 1 + random.below(4); changes > 0 && !header.empty(); --changes) {
      size_t place = random.below(header.size());
      switch (random.below(3)) {
      case 0:
        header[place] = kAlphabet[random.below(kAlphabet.size())];
        break;
      case 1:
        header.erase(place, 1 + random.below(8));
        break;
      default:
        header.insert(place, header.substr(random.below(header.size()), random.below(16)));
      }
    }
    refused += !read(header, 36).empty();
  }
  EXPECT_GT(refused, 10000);
}
