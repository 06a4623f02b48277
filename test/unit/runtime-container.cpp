// The container check: what is no compiled model, or not one for here, is refused before it is
// loaded.
#include "Container.h"
#include "fixtures/Runtime.h"

#include <cstring>
#include <elf.h>

using gen::runtime::checkContainer;
using gen::runtime::Failure;

namespace {

std::string toyBytes() { return test::readFile(GEN_TOY_MODEL); }

// The message of the check, "" if it passes.
std::string check(const std::string &bytes, int *code = nullptr) {
  try {
    checkContainer(reinterpret_cast<const unsigned char *>(bytes.data()), bytes.size(), "m.so");
  } catch (const Failure &failure) {
    if (code)
      *code = failure.code;
    return failure.message;
  }
  return "";
}

template <class T> T get(const std::string &bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

template <class T> void set(std::string &bytes, size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

// Sets a field of the ELF header and checks.
template <class T> std::string checkWith(T Elf64_Ehdr::*field, T value) {
  std::string bytes = toyBytes();
  Elf64_Ehdr header = get<Elf64_Ehdr>(bytes, 0);
  header.*field = value;
  set(bytes, 0, header);
  return check(bytes);
}

// Where the section header of the artefact's header is in the file.
size_t sectionOffset(const std::string &bytes) {
  auto elf = get<Elf64_Ehdr>(bytes, 0);
  auto offsetOf = [&](unsigned index) { return elf.e_shoff + index * sizeof(Elf64_Shdr); };
  auto names = get<Elf64_Shdr>(bytes, offsetOf(elf.e_shstrndx));
  for (unsigned index = 0; index < elf.e_shnum; ++index)
    if (std::strcmp(bytes.data() + names.sh_offset +
                        get<Elf64_Shdr>(bytes, offsetOf(index)).sh_name,
                    GEN_ARTEFACT_SECTION) == 0)
      return offsetOf(index);
  return 0;
}

// Where the artefact's header itself is.
size_t headerOffset(const std::string &bytes) {
  return get<Elf64_Shdr>(bytes, sectionOffset(bytes)).sh_offset;
}

template <class T> std::string checkWithHeader(T gen_artefact_header::*field, T value) {
  std::string bytes = toyBytes();
  size_t offset = headerOffset(bytes);
  auto header = get<gen_artefact_header>(bytes, offset);
  header.*field = value;
  set(bytes, offset, header);
  return check(bytes);
}

} // namespace

TEST(Container, AcceptsAModel) { EXPECT_EQ(check(toyBytes()), ""); }

TEST(Container, RefusesWhatIsNoElfFile) {
  int code = 0;
  EXPECT_EQ(check("func.func @main()", &code),
            "m.so: not a compiled model: not an ELF file; hint: compile a .mlir file with gencc");
  EXPECT_EQ(code, GEN_INCOMPATIBLE);
  EXPECT_NE(check(""), "");
  EXPECT_NE(check("\x7f"), "");
}

TEST(Container, RefusesAForeignSharedObject) {
  int code = 0;
  EXPECT_EQ(
      check(test::readFile(GEN_RUNTIME_LIBRARY), &code),
      "m.so: not a compiled model: a shared object without section .gen.header; hint: compile "
      "a .mlir file with gencc");
  EXPECT_EQ(code, GEN_INCOMPATIBLE);
}

TEST(Container, RefusesOtherKindsOfElf) {
  EXPECT_EQ(checkWith<Elf64_Half>(&Elf64_Ehdr::e_type, ET_REL),
            "m.so: not a compiled model: expected a shared object, got ELF type 1; hint: an object "
            "file is linked into a program");
  EXPECT_NE(checkWith<Elf64_Half>(&Elf64_Ehdr::e_type, ET_EXEC), "");
  EXPECT_NE(checkWith<Elf64_Half>(&Elf64_Ehdr::e_machine, EM_RISCV).find("compiled for risc-v"),
            std::string::npos);
  std::string bytes = toyBytes();
  bytes[EI_CLASS] = ELFCLASS32;
  EXPECT_NE(check(bytes).find("expected a 64-bit little-endian ELF file, got class 1"),
            std::string::npos);
  bytes = toyBytes();
  bytes[EI_DATA] = ELFDATA2MSB;
  EXPECT_NE(check(bytes), "");
}

TEST(Container, RefusesLiesInTheElfHeader) {
  EXPECT_NE(checkWith<Elf64_Off>(&Elf64_Ehdr::e_shoff, UINT64_MAX - 10).find("truncated file"),
            std::string::npos);
  EXPECT_NE(checkWith<Elf64_Off>(&Elf64_Ehdr::e_phoff, uint64_t(1) << 40).find("program headers"),
            std::string::npos);
  EXPECT_NE(checkWith<Elf64_Half>(&Elf64_Ehdr::e_shnum, 0xffff).find("section headers"),
            std::string::npos);
  EXPECT_NE(checkWith<Elf64_Half>(&Elf64_Ehdr::e_phnum, 0xffff).find("program headers"),
            std::string::npos);
  EXPECT_NE(checkWith<Elf64_Half>(&Elf64_Ehdr::e_shstrndx, 0xfff0).find("section number"),
            std::string::npos);
  EXPECT_NE(checkWith<Elf64_Half>(&Elf64_Ehdr::e_shentsize, 1).find("header entries"),
            std::string::npos);
  EXPECT_NE(checkWith<Elf64_Half>(&Elf64_Ehdr::e_phentsize, 0), "");
  EXPECT_NE(checkWith<Elf64_Half>(&Elf64_Ehdr::e_shnum, 0), "");
}

TEST(Container, RefusesLiesInTheTables) {
  std::string bytes = toyBytes();
  Elf64_Ehdr elf = get<Elf64_Ehdr>(bytes, 0);
  auto segment = get<Elf64_Phdr>(bytes, elf.e_phoff + sizeof(Elf64_Phdr));
  segment.p_filesz = uint64_t(1) << 62;
  set(bytes, elf.e_phoff + sizeof(Elf64_Phdr), segment);
  EXPECT_NE(check(bytes).find("truncated file: a segment"), std::string::npos);

  bytes = toyBytes();
  size_t names = elf.e_shoff + elf.e_shstrndx * sizeof(Elf64_Shdr);
  auto section = get<Elf64_Shdr>(bytes, names);
  section.sh_size = UINT64_MAX;
  set(bytes, names, section);
  EXPECT_NE(check(bytes).find("truncated file: a section"), std::string::npos);
}

// A section without data may claim any place, which must not be looked at.
TEST(Container, RefusesAHeaderSectionWithoutData) {
  for (Elf64_Word type : {SHT_NULL, SHT_NOBITS}) {
    std::string bytes = toyBytes();
    size_t place = sectionOffset(bytes);
    auto section = get<Elf64_Shdr>(bytes, place);
    section.sh_type = type;
    section.sh_offset = uint64_t(1) << 46;
    set(bytes, place, section);
    EXPECT_NE(check(bytes).find("section .gen.header has type"), std::string::npos);
  }
}

TEST(Container, RefusesOtherVersions) {
  EXPECT_EQ(checkWithHeader<uint32_t>(&gen_artefact_header::version, GEN_ARTEFACT_VERSION + 1),
            "m.so: artefact version " + std::to_string(GEN_ARTEFACT_VERSION + 1) +
                ", this runtime (0.1.0) knows version " + std::to_string(GEN_ARTEFACT_VERSION) +
                "; hint: use a newer runtime, or compile with this version");
  EXPECT_NE(checkWithHeader<uint32_t>(&gen_artefact_header::version, 0)
                .find("compile the model "
                      "again"),
            std::string::npos);
}

TEST(Container, RefusesOtherMagicAndUnknownFeatures) {
  std::string bytes = toyBytes();
  bytes[headerOffset(bytes)] = 'G';
  EXPECT_NE(check(bytes).find("wrong magic"), std::string::npos);
  EXPECT_NE(checkWithHeader<uint32_t>(&gen_artefact_header::features, 1u << 31)
                .find("instruction sets unknown to this runtime"),
            std::string::npos);
}

#if defined(__x86_64__)
TEST(Container, RefusesWhatTheProcessorLacks) {
  EXPECT_NE(checkWithHeader<uint32_t>(&gen_artefact_header::features, GEN_AARCH64), "");
  __builtin_cpu_init();
  std::string message = checkWithHeader<uint32_t>(&gen_artefact_header::features, GEN_X86_64_V4);
  if (__builtin_cpu_supports("avx512f"))
    EXPECT_EQ(message, "");
  else
    EXPECT_NE(message.find("compiled for x86-64-v4 (AVX-512), which this processor lacks"),
              std::string::npos);
}
#endif

TEST(Container, RefusesEveryTruncation) {
  std::string bytes = toyBytes();
  for (size_t size = 0; size < bytes.size(); size += 1 + size / 64)
    EXPECT_NE(check(bytes.substr(0, size)), "") << "cut to " << size << " of " << bytes.size();
}

// Random damage: the check may pass or refuse, but must not read out of bounds (as sanitizers would
// see: the copy is exactly as large as the file) or take long.
TEST(Container, SurvivesMutations) {
  const std::string original = toyBytes();
  test::Random random{42};
  size_t tables = get<Elf64_Ehdr>(original, 0).e_shoff;
  int refused = 0;
  for (int round = 0; round < 10000; ++round) {
    std::string bytes = original;
    for (uint64_t changes = 1 + random.below(8); changes > 0; --changes) {
      // Half of the changes hit the header and tables, where they matter.
      size_t place = random.below(2)   ? random.below(bytes.size())
                     : random.below(2) ? random.below(1024)
                                       : tables + random.below(bytes.size() - tables);
      bytes[std::min(place, bytes.size() - 1)] = char(random());
    }
    std::vector<unsigned char> exact(bytes.begin(), bytes.end());
    refused += !check({exact.begin(), exact.end()}).empty();
  }
  EXPECT_GT(refused, 1000);
}
