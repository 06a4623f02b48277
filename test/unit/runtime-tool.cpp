// gen-run as a user meets it: results, files, exit statuses and messages.
#include "Npy.h"
#include "fixtures/Runtime.h"

#include <nlohmann/json.hpp>
#include <sys/wait.h>

using gen::Array;
using gen::runtime::readNpy;
using gen::runtime::writeNpy;

#ifdef GEN_RUN
namespace {

class GenRun : public testing::Test {
protected:
  // Runs gen-run with these arguments; standard output and error go to strings.
  int run(const std::string &arguments, const std::string &prefix = "") {
    int status = std::system(
        (prefix + GEN_RUN " " + arguments + " >" + (dir / "out.txt") + " 2>" + (dir / "err.txt"))
            .c_str());
    out = test::readFile(dir / "out.txt");
    err = test::readFile(dir / "err.txt");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  // The same with the model as first argument.
  int runToy(const std::string &arguments) { return run(GEN_TOY_MODEL " " + arguments); }

  void expectError(const std::string &arguments, const std::string &message) {
    EXPECT_EQ(run(arguments), 1) << arguments;
    EXPECT_EQ(err, "error: " + message + "\n");
  }

  test::TempDir dir;
  std::string out, err;
};

} // namespace

TEST_F(GenRun, Lists) {
  EXPECT_EQ(runToy("--list"), 0);
  EXPECT_NE(out.find("model toy (by hand, x86-64)\n"), std::string::npos);
  EXPECT_NE(out.find("entry train_step(x f32[batch, 4], labels i32[batch]) -> (loss f32[])\n"),
            std::string::npos);
  EXPECT_NE(out.find("variable layer.weight f32[4]\n"), std::string::npos);
  EXPECT_EQ(runToy("--list --json"), 0);
  EXPECT_NE(out.find(R"({"entry":"scale","inputs":[{"name":"x","type":"f32[batch, 4]"}],)"),
            std::string::npos);
}

TEST_F(GenRun, CallsAndWritesResults) {
  writeNpy(dir / "x.npy", Array(std::vector<float>{1, 2, 3, 4}, {1, 4}));
  EXPECT_EQ(
      runToy("--entry=scale --input=x=" + (dir / "x.npy") + " --output-dir=" + (dir / "new/o")), 0)
      << err;
  EXPECT_EQ(out, "scale: y = f32[1, 4]\n");
  EXPECT_EQ(readNpy(dir / "new/o/y.npy").values<float>(), (std::vector<float>{1, 4, 9, 16}));
}

TEST_F(GenRun, ChoosesTrainStepAndRepeats) {
  writeNpy(dir / "x.npy", Array(std::vector<float>{1, 2, 3, 4}, {1, 4}));
  writeNpy(dir / "labels.npy", Array(std::vector<int32_t>{5}, {1}));
  std::string inputs = "--input " + (dir / "x.npy") + " --input " + (dir / "labels.npy");
  EXPECT_EQ(runToy(inputs + " --repeat=3 --json --save=" + (dir / "w")), 0) << err;
  EXPECT_EQ(out, "{\"entry\":\"train_step\",\"call\":1,\"loss\":6.0}\n"
                 "{\"entry\":\"train_step\",\"call\":2,\"loss\":6.0}\n"
                 "{\"entry\":\"train_step\",\"call\":3,\"loss\":6.0}\n");
  EXPECT_EQ(runToy(inputs + " --load=" + (dir / "w") + " --save=" + (dir / "w")), 0) << err;
  gen::Session session(test::toyModel());
  session.load(dir / "w");
  EXPECT_EQ(session.variable("steps").scalar<int64_t>(), 4);
}

TEST_F(GenRun, Seed) {
  EXPECT_EQ(runToy("--entry=denormal --seed=41 --save=" + (dir / "w")), 0) << err;
  gen::Session session(test::toyModel());
  session.load(dir / "w");
  EXPECT_EQ(session.variable("random.seed").scalar<int64_t>(), 41);
}

TEST_F(GenRun, Benchmark) {
  EXPECT_EQ(runToy("--entry=add --benchmark --json --threads=2 --repeat=5"), 0) << err;
  auto line = nlohmann::json::parse(out);
  EXPECT_EQ(line["entry"], "add");
  EXPECT_EQ(line["threads"], 2);
  EXPECT_GT(line["ms_min"], 0);
  EXPECT_GE(line["ms_median"], line["ms_min"]);
  EXPECT_DOUBLE_EQ(line["gflop"], 1024e-9);
  EXPECT_GT(line["peak_rss_mib"], 1);
  EXPECT_GT(line["percent_of_limit"], 0);
  EXPECT_EQ(runToy("--entry=mixed --benchmark --repeat=5"), 0) << err; // all dtypes made up
}

TEST_F(GenRun, Profile) {
  EXPECT_EQ(runToy("--entry=denormal --profile=" + (dir / "p.json")), 0) << err;
  auto trace = nlohmann::json::parse(test::readFile(dir / "p.json"));
  EXPECT_EQ(trace["kernels"][0]["name"], "make_denormal");
}

TEST_F(GenRun, WrongUsageIsTwo) {
  EXPECT_EQ(run(""), 2);
  EXPECT_EQ(runToy("--frobnicate"), 2);
  EXPECT_NE(err.find("--frobnicate"), std::string::npos);
  EXPECT_EQ(runToy("--threads=many"), 2);
  EXPECT_EQ(runToy("--threads=0"), 2);
  EXPECT_EQ(runToy("--repeat=0"), 2);
}

TEST_F(GenRun, HelpNamesEveryOption) {
  EXPECT_EQ(run("--help"), 0);
  for (const char *option : {"--list", "--entry", "--input", "--output-dir", "--seed", "--threads",
                             "--load", "--save", "--repeat", "--benchmark", "--json", "--profile"})
    EXPECT_NE(out.find(option), std::string::npos) << option;
}

TEST_F(GenRun, BadModels) {
  expectError(dir / "none.so", (dir / "none.so") + ": cannot open: No such file or directory");
  test::writeFile(dir / "text.so", "module {}");
  expectError(dir / "text.so", (dir / "text.so") + ": not a compiled model: not an ELF file; hint: "
                                                   "compile a .mlir file with gencc");
  EXPECT_EQ(run(GEN_RUNTIME_LIBRARY), 1);
  EXPECT_NE(err.find("a shared object without section .gen.header"), std::string::npos);
}

TEST_F(GenRun, BadInputs) {
  std::string x = dir / "x.npy";
  expectError(
      GEN_TOY_MODEL " --entry=nope",
      "model 'toy' has no entry 'nope'; hint: its entries are 'init', 'scale', 'train_step', "
      "'add', 'shift', 'mixed', 'denormal', 'packed', 'last', 'raise'");
  expectError(GEN_TOY_MODEL " --entry=scale",
              "scale: input 'x' is missing, expected f32[batch, 4]; hint: --input=x=FILE.npy");
  expectError(GEN_TOY_MODEL " --entry=scale --input=x=" + x,
              x + ": cannot open: No such file or directory");
  expectError(GEN_TOY_MODEL " --entry=scale --input=z=" + x,
              "scale has no input 'z'; hint: its inputs are x f32[batch, 4]");
  writeNpy(x, Array(GEN_F64, {1, 4}));
  expectError(
      GEN_TOY_MODEL " --entry=scale --input=x=" + x,
      "scale: input 'x': expected f32[batch, 4], got f64[1, 4]; hint: convert the values to "
      "f32");
  expectError(GEN_TOY_MODEL " --entry=scale --input=" + x + " --input=" + x,
              "scale has 1 inputs, '" + x + "' is one more");
  expectError(GEN_TOY_MODEL " --entry=train_step --input=x=" + x + " --input=x=" + x,
              "input 'x' is given twice");
  test::writeFile(x, "text");
  expectError(GEN_TOY_MODEL " --entry=scale --input=" + x,
              x + ": byte 0: not a .npy file (no NumPy magic)");
}

TEST_F(GenRun, BadOutputs) {
  expectError(GEN_TOY_MODEL " --entry=denormal --save=" + (dir / "none/w"),
              (dir / "none/w") + ": cannot write: No such file or directory");
  expectError(GEN_TOY_MODEL " --entry=denormal --load=" + (dir / "none"),
              (dir / "none") + ": cannot open: No such file or directory");
  test::writeFile(dir / "file", "");
  EXPECT_EQ(runToy("--entry=denormal --output-dir=" + (dir / "file/o")), 1);
  EXPECT_NE(err.find("cannot write"), std::string::npos) << err;
  EXPECT_EQ(std::system(GEN_RUN " " GEN_TOY_MODEL " --list >/dev/full 2>/dev/null") >> 8, 1);
}

TEST_F(GenRun, FullDiskIsNoSignal) {
  EXPECT_EQ(run(GEN_TOY_MODEL " --entry=denormal --save=" + (dir / "w")), 0);
  std::string old = test::readFile(dir / "w");
  EXPECT_EQ(run(GEN_TOY_MODEL " --entry=denormal --seed=1 --save=" + (dir / "w"), "ulimit -f 0; "),
            1);
  EXPECT_EQ(test::readFile(dir / "w"), old);
}
#endif
