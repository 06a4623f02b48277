// Reads just enough of an ELF file to find the section `.gen.header`, trusting nothing in it.
#include "Container.h"

#include <cstring>
#include <elf.h>

namespace gen::runtime {
namespace {

#if defined(__x86_64__)
constexpr Elf64_Half kMachine = EM_X86_64;
constexpr uint32_t kForeignFeatures =
    ~uint32_t(GEN_X86_64_V2 | GEN_X86_64_V3 | GEN_X86_64_V4 | GEN_AVX512_VNNI);
#elif defined(__aarch64__)
constexpr Elf64_Half kMachine = EM_AARCH64;
constexpr uint32_t kForeignFeatures = ~uint32_t(GEN_AARCH64);
#else
#error "the runtime knows x86-64 and aarch64"
#endif

const char *machineName(Elf64_Half machine) {
  switch (machine) {
  case EM_X86_64:
    return "x86-64";
  case EM_AARCH64:
    return "aarch64";
  case EM_386:
    return "x86 (32 bit)";
  case EM_ARM:
    return "arm (32 bit)";
  case EM_RISCV:
    return "risc-v";
  default:
    return "an unknown machine";
  }
}

class ElfFile {
public:
  ElfFile(const unsigned char *bytes, size_t size, const std::string &path)
      : bytes(bytes), size(size), path(path.c_str()) {}

  gen_artefact_header readHeader() {
    readFileHeader();
    checkSegments();
    Elf64_Shdr names = section(file.e_shstrndx);
    if (names.sh_type != SHT_STRTAB)
      fail(GEN_CORRUPT, "%s: damaged file: section names (number %u) are no string table", path,
           file.e_shstrndx);
    bool found = false;
    gen_artefact_header header;
    for (unsigned index = 0; index < file.e_shnum; ++index) {
      Elf64_Shdr entry = section(index);
      if (!isHeaderSection(entry, names))
        continue;
      // Only the ranges of sections with data have been checked.
      if (entry.sh_type != SHT_PROGBITS || entry.sh_size < sizeof header)
        fail(GEN_CORRUPT,
             "%s: damaged file: section %s has type %u and %llu bytes, expected type %u and at "
             "least "
             "%zu",
             path, GEN_ARTEFACT_SECTION, entry.sh_type, (unsigned long long)entry.sh_size,
             SHT_PROGBITS, sizeof header);
      std::memcpy(&header, bytes + entry.sh_offset, sizeof header);
      found = true;
    }
    if (!found)
      fail(GEN_INCOMPATIBLE,
           "%s: not a compiled model: a shared object without section %s; hint: compile a .mlir "
           "file with gencc",
           path, GEN_ARTEFACT_SECTION);
    return header;
  }

private:
  // Copies a structure out of the file, as offsets need not be aligned.
  template <class T> T read(uint64_t offset, const char *what) {
    checkRange(offset, sizeof(T), what);
    T value;
    std::memcpy(&value, bytes + offset, sizeof(T));
    return value;
  }

  void checkRange(uint64_t offset, uint64_t length, const char *what) {
    if (offset > size || length > size - offset)
      fail(GEN_CORRUPT, "%s: truncated file: %s at byte %llu (%llu bytes) of a file of %zu bytes",
           path, what, (unsigned long long)offset, (unsigned long long)length, size);
  }

  void readFileHeader() {
    if (size < SELFMAG || std::memcmp(bytes, ELFMAG, SELFMAG) != 0)
      fail(GEN_INCOMPATIBLE,
           "%s: not a compiled model: not an ELF file; hint: compile a .mlir file with gencc",
           path);
    file = read<Elf64_Ehdr>(0, "ELF header");
    const unsigned char *ident = file.e_ident;
    if (ident[EI_CLASS] != ELFCLASS64 || ident[EI_DATA] != ELFDATA2LSB ||
        ident[EI_VERSION] != EV_CURRENT)
      fail(GEN_INCOMPATIBLE,
           "%s: not a compiled model: expected a 64-bit little-endian ELF file, got class %u, data "
           "%u, version %u",
           path, ident[EI_CLASS], ident[EI_DATA], ident[EI_VERSION]);
    if (file.e_type != ET_DYN)
      fail(GEN_INCOMPATIBLE,
           "%s: not a compiled model: expected a shared object, got ELF type %u%s", path,
           file.e_type,
           file.e_type == ET_REL ? "; hint: an object file is linked into a program" : "");
    if (file.e_machine != kMachine)
      fail(GEN_INCOMPATIBLE, "%s: compiled for %s, this runtime is for %s", path,
           machineName(file.e_machine), machineName(kMachine));
    if (file.e_phentsize != sizeof(Elf64_Phdr) || file.e_shentsize != sizeof(Elf64_Shdr))
      fail(GEN_CORRUPT, "%s: damaged file: header entries of %u and %u bytes, expected %zu and %zu",
           path, file.e_phentsize, file.e_shentsize, sizeof(Elf64_Phdr), sizeof(Elf64_Shdr));
    if (file.e_phnum == 0 || file.e_shnum == 0)
      fail(GEN_INCOMPATIBLE, "%s: not a compiled model: no %s", path,
           file.e_phnum == 0 ? "segments" : "sections");
    checkRange(file.e_phoff, uint64_t(file.e_phnum) * sizeof(Elf64_Phdr), "program headers");
    checkRange(file.e_shoff, uint64_t(file.e_shnum) * sizeof(Elf64_Shdr), "section headers");
  }

  void checkSegments() {
    for (unsigned index = 0; index < file.e_phnum; ++index) {
      auto segment =
          read<Elf64_Phdr>(file.e_phoff + uint64_t(index) * sizeof(Elf64_Phdr), "program headers");
      if (segment.p_type == PT_NULL)
        continue;
      checkRange(segment.p_offset, segment.p_filesz, "a segment");
      if (segment.p_type == PT_LOAD && segment.p_memsz < segment.p_filesz)
        fail(GEN_CORRUPT, "%s: damaged file: segment %u is larger in the file than in memory", path,
             index);
    }
  }

  Elf64_Shdr section(unsigned index) {
    if (index >= file.e_shnum)
      fail(GEN_CORRUPT, "%s: damaged file: section number %u of %u", path, index, file.e_shnum);
    auto entry =
        read<Elf64_Shdr>(file.e_shoff + uint64_t(index) * sizeof(Elf64_Shdr), "section headers");
    if (entry.sh_type != SHT_NOBITS && entry.sh_type != SHT_NULL)
      checkRange(entry.sh_offset, entry.sh_size, "a section");
    return entry;
  }

  bool isHeaderSection(const Elf64_Shdr &entry, const Elf64_Shdr &names) {
    constexpr size_t length = sizeof(GEN_ARTEFACT_SECTION); // with the terminator
    return entry.sh_name <= names.sh_size && names.sh_size - entry.sh_name >= length &&
           std::memcmp(bytes + names.sh_offset + entry.sh_name, GEN_ARTEFACT_SECTION, length) == 0;
  }

  const unsigned char *bytes;
  size_t size;
  const char *path;
  Elf64_Ehdr file;
};

#if defined(__x86_64__)
bool processorHas(uint32_t feature) {
  __builtin_cpu_init();
  switch (feature) {
  case GEN_X86_64_V2:
    return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
  case GEN_X86_64_V3:
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("f16c");
  case GEN_AVX512_VNNI:
    return __builtin_cpu_supports("avx512vnni");
  default:
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
  }
}
#endif

} // namespace

void checkHeader(const gen_artefact_header &header, const std::string &path) {
  if (std::memcmp(header.magic, GEN_ARTEFACT_MAGIC, sizeof header.magic) != 0)
    fail(GEN_INCOMPATIBLE, "%s: not a compiled model: wrong magic in %s", path.c_str(),
         GEN_ARTEFACT_SECTION);
  if (header.version != GEN_ARTEFACT_VERSION)
    fail(GEN_INCOMPATIBLE, "%s: artefact version %u, this runtime (%s) knows version %d; hint: %s",
         path.c_str(), header.version, GEN_RUNTIME_VERSION, GEN_ARTEFACT_VERSION,
         header.version > GEN_ARTEFACT_VERSION ? "use a newer runtime, or compile with this version"
                                               : "compile the model again");
  if (header.features & kForeignFeatures & ~GEN_CUDA)
    fail(GEN_INCOMPATIBLE, "%s: needs instruction sets unknown to this runtime (features 0x%x)",
         path.c_str(), header.features);
#if defined(__x86_64__)
  static constexpr struct {
    uint32_t feature;
    const char *name, *lower;
  } levels[] = {{GEN_X86_64_V2, "x86-64-v2 (SSE4.2)", "x86-64"},
                {GEN_X86_64_V3, "x86-64-v3 (AVX2, FMA, F16C)", "x86-64-v2"},
                {GEN_X86_64_V4, "x86-64-v4 (AVX-512)", "x86-64-v3"},
                {GEN_AVX512_VNNI, "x86-64-v4-vnni (AVX-512 VNNI)", "x86-64-v4"}};
  for (auto &level : levels)
    if ((header.features & level.feature) && !processorHas(level.feature))
      fail(GEN_INCOMPATIBLE,
           "%s: compiled for %s, which this processor lacks; hint: compile with --mcpu=%s",
           path.c_str(), level.name, level.lower);
#endif
}

bool canRun(const gen_artefact_header &header) {
  if (header.features & kForeignFeatures)
    return false;
#if defined(__x86_64__)
  for (uint32_t feature : {GEN_X86_64_V2, GEN_X86_64_V3, GEN_X86_64_V4, GEN_AVX512_VNNI})
    if ((header.features & feature) && !processorHas(feature))
      return false;
#endif
  return true;
}

bool canRunLaunches(gen_artefact_header header) {
  header.features &= ~uint32_t(GEN_CUDA);
  return canRun(header);
}

gen_artefact_header checkContainer(const unsigned char *bytes, size_t size,
                                   const std::string &path) {
  gen_artefact_header header = ElfFile(bytes, size, path).readHeader();
  checkHeader(header, path);
  return header;
}

} // namespace gen::runtime
