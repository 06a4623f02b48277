// Opening models: from files, from linked artefacts, and the tables that must hold together.
#include "fixtures/Runtime.h"

#include <functional>
#include <unistd.h>

namespace {

// A small valid artefact whose tables tests may spoil.
struct Tables {
  int64_t shape[2] = {-1, 4};
  gen_tensor_info argument = {"x", GEN_F32, 2, shape};
  gen_tensor_info result = {"y", GEN_F32, 2, shape};
  const char *dimension = "batch";
  uint32_t written = 1, copy = 0;
  gen_packed_info packed[1] = {{0, 0, 12, run, nullptr, 0}};
  gen_entry_info entries[2] = {
      {"main", 1, 1, 1, 0, &argument, &result, &dimension, plan, run, 1, 1, &written, &copy},
      {"other", 0, 0, 0, 0, nullptr, nullptr, nullptr, plan, run, 0, 0, nullptr, nullptr},
  };
  int64_t variableShape[1] = {3};
  gen_variable_info variables[2] = {{{"w", GEN_F32, 1, variableShape}, nullptr},
                                    {{"b", GEN_I64, 0, nullptr}, nullptr}};
  gen_artefact_info artefact = {
      {{'g', 'e', 'n', 'c', 'c', '\r', '\n', '\x1a'}, GEN_ARTEFACT_VERSION, 0},
      sizeof(gen_artefact_info),
      2,
      2,
      1,
      "tables",
      "test",
      "x86-64",
      entries,
      variables,
      packed,
      0,
      0,
      nullptr};

  static int64_t plan(const int64_t *dimensions, int64_t *shapes) { return -1; }
  static void run(const gen_services *, void *, void *const *, const void *const *, void *const *,
                  const int64_t *) {}
};

struct Spoiled {
  const char *name;
  std::function<void(Tables &)> spoil;
  std::string message;
};

class ArtefactTables : public testing::TestWithParam<Spoiled> {};

const Spoiled kSpoiled[] = {
    {"Magic", [](Tables &t) { t.artefact.header.magic[0] = 'x'; }, "wrong magic"},
    {"Version", [](Tables &t) { t.artefact.header.version = 99; }, "artefact version 99"},
    {"Size", [](Tables &t) { t.artefact.size = 8; }, "its root table has 8 bytes"},
    {"Name", [](Tables &t) { t.artefact.name = nullptr; }, "name, producer or target is missing"},
    {"NoEntries", [](Tables &t) { t.artefact.entry_count = 0; }, "no entries"},
    {"EntryCount", [](Tables &t) { t.artefact.entry_count = UINT32_MAX; }, "4294967295 entries"},
    {"EntryTable", [](Tables &t) { t.artefact.entries = nullptr; },
     "the table of entries is missing"},
    {"VariableTable", [](Tables &t) { t.artefact.variables = nullptr; },
     "the table of variables is missing"},
    {"EntryName", [](Tables &t) { t.entries[1].name = nullptr; }, "entry without a name"},
    {"EntryEmptyName", [](Tables &t) { t.entries[1].name = ""; }, "entry without a name"},
    {"EntryTwice", [](Tables &t) { t.entries[1].name = "main"; }, "two entries named 'main'"},
    {"NoPlan", [](Tables &t) { t.entries[0].plan = nullptr; }, "entry 'main': no code"},
    {"NoRun", [](Tables &t) { t.entries[0].run = nullptr; }, "entry 'main': no code"},
    {"Arguments", [](Tables &t) { t.entries[0].arguments = nullptr; },
     "the table of entry 'main': arguments is missing"},
    {"ArgumentCount", [](Tables &t) { t.entries[0].argument_count = 1u << 31; }, "2147483648"},
    {"ArgumentName", [](Tables &t) { t.argument.name = nullptr; },
     "entry 'main': argument without a name"},
    {"DType", [](Tables &t) { t.argument.dtype = 8; },
     "entry 'main': argument 'x': unknown dtype 8"},
    {"Rank", [](Tables &t) { t.argument.rank = 9; }, "entry 'main': argument 'x': rank 9"},
    {"Shape", [](Tables &t) { t.result.shape = nullptr; }, "entry 'main': result 'y': no shape"},
    {"Symbol", [](Tables &t) { t.shape[1] = -2; }, "size -2 of axis 1 is no dimension symbol"},
    {"DynamicArgument", [](Tables &t) { t.shape[1] = INT64_MIN; }, "is no dimension symbol"},
    {"UnboundSymbol", [](Tables &t) { t.shape[0] = 2; }, "no argument has the dimension 'batch'"},
    {"SymbolName", [](Tables &t) { t.dimension = nullptr; }, "dimension symbol without a name"},
    {"VariableName", [](Tables &t) { t.variables[0].tensor.name = ""; }, "variable without a name"},
    {"VariableTwice", [](Tables &t) { t.variables[0].tensor.name = "b"; },
     "two variables named 'b'"},
    {"VariableShape", [](Tables &t) { t.variableShape[0] = -1; },
     "variable 'w': impossible shape f32[-1]"},
    {"Written", [](Tables &t) { t.written = 2; }, "entry 'main': written variables: number 2 of 2"},
    {"WrittenTable", [](Tables &t) { t.entries[0].written = nullptr; },
     "the table of entry 'main': written variables is missing"},
    {"Packed", [](Tables &t) { t.copy = 1; }, "entry 'main': packed copies: number 1 of 1"},
    {"PackedSource", [](Tables &t) { t.packed[0].variable = 2; },
     "impossible packed copy of variable 2"},
    {"PackedBytes", [](Tables &t) { t.packed[0].bytes = -1; }, "impossible packed copy"},
    {"PackedArena", [](Tables &t) { t.packed[0].arena_bytes = -1; }, "impossible packed copy"},
    {"PackedCode", [](Tables &t) { t.packed[0].pack = nullptr; }, "impossible packed copy"},
    {"VariantTable", [](Tables &t) { t.artefact.variant_count = 1; },
     "the table of variants is missing"},
    {"VariantCount", [](Tables &t) { t.artefact.variant_count = 1u << 31; }, "2147483648 variants"},
    {"VariableHuge", [](Tables &t) { t.variableShape[0] = INT64_MAX; },
     "variable 'w': impossible shape"},
};

} // namespace

TEST_P(ArtefactTables, AreRefused) {
  Tables tables;
  EXPECT_EQ(test::errorOf([&] { gen::Model::fromArtefact(tables.artefact); }),
            "no error was thrown");
  GetParam().spoil(tables);
  EXPECT_GEN_ERROR_WITH(gen::Model::fromArtefact(tables.artefact),
                        tables.artefact.header.version != GEN_ARTEFACT_VERSION ||
                                tables.artefact.header.magic[0] != 'g'
                            ? GEN_INCOMPATIBLE
                            : GEN_CORRUPT,
                        GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(Open, ArtefactTables, testing::ValuesIn(kSpoiled),
                         [](const auto &info) { return std::string(info.param.name); });

// A bit that is no instruction set of any processor.
TEST(Open, TakesTheLastVariantThatTheProcessorCanRun) {
  Tables tables, better, foreign;
  better.artefact.target = "better";
  foreign.artefact.header.features = 1u << 31;
  foreign.artefact.target = "foreign";
  const gen_artefact_info *variants[] = {&better.artefact, &foreign.artefact};
  tables.artefact.variants = variants;
  EXPECT_EQ(gen::Model::fromArtefact(tables.artefact).target(), "x86-64");
  tables.artefact.variant_count = 2;
  EXPECT_EQ(gen::Model::fromArtefact(tables.artefact).target(), "better");
  better.artefact.entries = nullptr;
  EXPECT_GEN_ERROR_WITH(gen::Model::fromArtefact(tables.artefact), GEN_CORRUPT,
                        "the table of entries is missing");
  variants[0] = nullptr;
  EXPECT_GEN_ERROR_WITH(gen::Model::fromArtefact(tables.artefact), GEN_CORRUPT,
                        "variant 0 is missing or has variants");
}

TEST(Open, ListsEntriesAndVariables) {
  gen::Model model = test::toyModel();
  EXPECT_EQ(model.name(), "toy");
  EXPECT_EQ(model.producer(), "by hand");
  EXPECT_EQ(model.target(), "x86-64");
  ASSERT_EQ(model.entries().size(), 10u);
  gen::EntrySpec train = model.entry("train_step");
  ASSERT_EQ(train.inputs.size(), 2u);
  EXPECT_EQ(train.inputs[0].describe(), "f32[batch, 4]");
  EXPECT_EQ(train.inputs[1].name, "labels");
  EXPECT_EQ(train.inputs[1].describe(), "i32[batch]");
  EXPECT_EQ(train.results[0].describe(), "f32[]");
  EXPECT_EQ(model.entry("mixed").inputs[3].describe(), "i64[m, n]");
  EXPECT_EQ(model.entry("shift").results[0].describe(), "f32[?]");
  ASSERT_EQ(model.variables().size(), 7u);
  EXPECT_EQ(model.variables()[1].name, "layer.weight");
  EXPECT_EQ(model.variables()[1].describe(), "f32[4]");
  EXPECT_TRUE(model.hasEntry("scale"));
  EXPECT_FALSE(model.hasEntry("scal"));
}

TEST(Open, NumbersOutOfRangeAreErrors) {
  gen::Model model = test::toyModel();
  gen_tensor_spec spec;
  EXPECT_EQ(gen_model_entry_name(model.c(), 99), nullptr);
  EXPECT_EQ(gen_model_argument_count(model.c(), 99), 0u);
  EXPECT_GEN_ERROR_WITH(gen::detail::check(gen_model_argument(model.c(), 99, 0, &spec)),
                        GEN_INVALID_ARGUMENT, "number 0 of 0");
  EXPECT_GEN_ERROR_WITH(gen::detail::check(gen_model_variable(model.c(), 7, &spec)),
                        GEN_INVALID_ARGUMENT, "number 7 of 7");
  EXPECT_GEN_ERROR_WITH(gen::detail::check(gen_model_open(nullptr, nullptr)), GEN_INVALID_ARGUMENT,
                        "'model' must not be null");
}

TEST(Open, MissingFileAndFolder) {
  test::TempDir dir;
  std::string path = dir / "none.so";
  EXPECT_GEN_ERROR(gen::Model::open(path), GEN_NOT_FOUND,
                   path + ": cannot open: No such file or directory");
  EXPECT_GEN_ERROR(gen::Model::open(dir.path.string()), GEN_IO,
                   dir.path.string() + ": cannot open: it is a folder");
  EXPECT_GEN_ERROR(gen::Model::open("/dev/zero"), GEN_IO,
                   "/dev/zero: cannot open: it is no regular file");
}

TEST(Open, TruncatedFile) {
  test::TempDir dir;
  std::string bytes = test::readFile(GEN_TOY_MODEL);
  test::writeFile(dir / "half.so", bytes.substr(0, bytes.size() / 2));
  EXPECT_GEN_ERROR_WITH(gen::Model::open(dir / "half.so"), GEN_CORRUPT, "half.so: truncated file");
  test::writeFile(dir / "empty.so", "");
  EXPECT_GEN_ERROR_WITH(gen::Model::open(dir / "empty.so"), GEN_INCOMPATIBLE, "not an ELF file");
}

// A loader's cache must not hand back the code of a file that was overwritten, nor may overwriting
// hurt a model that is open.
TEST(Open, OverwrittenFileIsOpenedAnew) {
  test::TempDir dir;
  std::string path = dir / "model.so", bytes = test::readFile(GEN_TOY_MODEL);
  test::writeFile(path, bytes);
  gen::Model first = gen::Model::open(path);
  gen::Session session(first, {.threads = 1});

  size_t name = bytes.find(std::string("by hand") + '\0');
  ASSERT_NE(name, std::string::npos);
  bytes.replace(name, 7, "by foot");
  test::writeFile(path, bytes); // the same inode
  gen::Model second = gen::Model::open(path);
  EXPECT_EQ(first.producer(), "by hand");
  EXPECT_EQ(second.producer(), "by foot");

  test::writeFile(path, "");
  gen::Array x(std::vector<float>{1, 1, 1, 1}, {1, 4});
  EXPECT_EQ(session.call("scale", {x})["y"].values<float>(), (std::vector<float>{1, 2, 3, 4}));
}

TEST(Open, SessionsOutliveTheirModel) {
  gen::Session session;
  {
    gen::Model model = test::toyModel();
    session = gen::Session(model, {.threads = 1});
  }
  EXPECT_EQ(session.variable("steps").scalar<int64_t>(), 0);
}

TEST(Open, ManyTimesWithoutLeak) {
  auto residentPages = [] {
    long total = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> total >> resident;
    return resident;
  };
  auto cycle = [] {
    gen::Model model = test::toyModel();
    gen::Session session(model, {.threads = 2});
    gen::Array x(GEN_F32, {64, 1024});
    session.call("add", {x});
  };
  for (int i = 0; i < 50; ++i)
    cycle();
  long before = residentPages();
  for (int i = 0; i < 1000; ++i)
    cycle();
#if defined(__SANITIZE_ADDRESS__) || (defined(__has_feature) && __has_feature(address_sanitizer))
  (void)before; // the sanitizer keeps freed memory for a while
#else
  EXPECT_LT((residentPages() - before) * sysconf(_SC_PAGESIZE), 1 << 20);
#endif
}
