// Saving and loading weights: round trips, files that do not fit, and that the old file survives
// whatever happens to the new one.
#include "fixtures/Runtime.h"

#include <csignal>
#include <cstdio>
#include <cstring>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using gen::Array;
using gen::Session;

namespace {

class Weights : public testing::Test {
protected:
  void train(Session &session, int steps) {
    for (int i = 0; i < steps; ++i)
      session.call("train_step", {Array(GEN_F32, {1, 4}), Array(GEN_I32, {1})});
  }
  // Writes a file of one tensor, and weights as the format has them.
  void writeTensor(const std::string &path, const std::string &name, const std::string &type,
                   const std::string &shape, const std::string &data) {
    std::string header = "{\"" + name + "\":{\"dtype\":\"" + type + "\",\"shape\":" + shape +
                         ",\"data_offsets\":[0," + std::to_string(data.size()) + "]}}";
    std::string length(8, '\0');
    uint64_t size = header.size();
    std::memcpy(length.data(), &size, 8);
    test::writeFile(path, length + header + data);
  }

  test::TempDir dir;
  gen::Model model = test::toyModel();
  Session session{model, {.seed = 3, .threads = 1}};
};

// Limits the size of files, as a full disk does, without the signal.
class FileSizeLimit {
public:
  explicit FileSizeLimit(rlim_t bytes) : handler(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &saved);
    rlimit limit = {bytes, saved.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &saved);
    std::signal(SIGXFSZ, handler);
  }

private:
  void (*handler)(int);
  rlimit saved;
};

// Takes away root's right to write everywhere, if the tests run as root.
class OrdinaryUser {
public:
  OrdinaryUser() : root(geteuid() == 0 && seteuid(65534) == 0) {}
  ~OrdinaryUser() {
    if (root && seteuid(0) != 0)
      std::abort();
  }

private:
  bool root;
};

} // namespace

TEST_F(Weights, RoundTrip) {
  train(session, 3);
  session.setVariable("moment", Array(std::vector<double>{0.1, -2, 1e300}, {3}));
  session.setVariable("small", Array(std::vector<int8_t>{-128, 0, 127}, {3}));
  const bool flags[] = {true, false};
  session.setVariable("flags", gen::View(flags, {2}));
  session.setMetadata("step", "3");
  std::string path = dir / "toy.safetensors";
  session.save(path);

  Session other(model, {.seed = 99, .threads = 1});
  other.load(path);
  for (const gen::TensorSpec &variable : model.variables()) {
    gen::View a = session.variable(variable.name), b = other.variable(variable.name);
    EXPECT_EQ(std::memcmp(a.raw(), b.raw(), a.bytes()), 0) << variable.name;
  }
  EXPECT_EQ(other.metadata("step"), "3");
  EXPECT_EQ(other.metadata("format"), "pt");
  EXPECT_EQ(other.metadata("none"), "");
  other.save(dir / "again.safetensors");
  EXPECT_EQ(test::readFile(path), test::readFile(dir / "again.safetensors"));
  EXPECT_EQ(dir.fileCount(), 2u); // nothing left beside
}

TEST_F(Weights, MissingAndUnexpected) {
  writeTensor(dir / "w", "layer.bias", "F32", "[1]", std::string(4, '\0'));
  EXPECT_GEN_ERROR(session.load(dir / "w"), GEN_INVALID_ARGUMENT,
                   (dir / "w") +
                       ": does not fit model 'toy'; 7 missing: random.seed, layer.weight, "
                       "steps, flags, moment, small, table; 1 unexpected: layer.bias; hint: a "
                       "partial load ignores these");
  session.load(dir / "w", true);
}

TEST_F(Weights, PartialLoad) {
  const float weight[] = {9, 8, 7, 6};
  writeTensor(dir / "w", "layer.weight", "F32", "[4]",
              std::string(reinterpret_cast<const char *>(weight), 16));
  session.load(dir / "w", true);
  EXPECT_EQ(session.variable("layer.weight").values<float>(), (std::vector<float>{9, 8, 7, 6}));
  EXPECT_EQ(session.variable("random.seed").scalar<int64_t>(), 3);
}

// The toy model's variables are random.seed, layer.weight, steps, flags, moment, small, table.
TEST_F(Weights, RenamedBothWays) {
  session.setVariable("layer.weight", Array(std::vector<float>{9, 8, 7, 6}, {4}));
  session.setVariable("moment", Array(std::vector<double>{1, 2, 3}, {3}));
  session.save(dir / "w", {{"exp_avg", "moment"}, {"", "layer."}});
  const std::string saved = test::readFile(dir / "w");
  EXPECT_NE(saved.find("\"weight\""), std::string::npos);
  EXPECT_NE(saved.find("\"exp_avg\""), std::string::npos);
  EXPECT_EQ(saved.find("steps"), std::string::npos); // no rename fits it

  Session other(model, {.seed = 4, .threads = 1});
  other.load(dir / "w", {{"exp_avg", "moment"}, {"", "layer."}}, /*partial=*/true);
  EXPECT_EQ(other.variable("layer.weight").values<float>(), (std::vector<float>{9, 8, 7, 6}));
  EXPECT_EQ(other.variable("moment").values<double>(), (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(other.loadReport(), "missing: random.seed\nmissing: steps\nmissing: flags\n"
                                "missing: small\nmissing: table\n");
  other.load(dir / "w", true); // without renames nothing fits
  EXPECT_NE(other.loadReport().find("missing: table\nunexpected: exp_avg\nunexpected: weight\n"),
            std::string::npos);
}

TEST_F(Weights, RenamesThatDoNotFit) {
  session.save(dir / "w", {{"", "layer."}});
  EXPECT_GEN_ERROR_WITH(session.load(dir / "w", {{"weight", "moment"}}, true), GEN_INVALID_ARGUMENT,
                        "1 mismatched: weight (for moment) (expected f64[3], got f32[4])");
  EXPECT_GEN_ERROR_WITH(session.load(dir / "w", {{"", "layers."}}), GEN_INVALID_ARGUMENT,
                        "1 unexpected: weight (for layers.weight)");
  EXPECT_GEN_ERROR(
      session.save(dir / "x", {{"a", "layer.weight"}, {"a", "moment"}}), GEN_INVALID_ARGUMENT,
      (dir / "x") + ": cannot write: the renames call both 'layer.weight' and 'moment' "
                    "'a'");
  EXPECT_GEN_ERROR(session.save(dir / "x", {{"a.", "none."}}), GEN_INVALID_ARGUMENT,
                   (dir / "x") + ": cannot write: no rename fits a variable of model 'toy'");
  EXPECT_EQ(session.loadReport(), "");
}

TEST_F(Weights, Mismatched) {
  auto before = session.variable("layer.weight").values<float>();
  writeTensor(dir / "shape", "layer.weight", "F32", "[2,2]", std::string(16, 'x'));
  EXPECT_GEN_ERROR(session.load(dir / "shape", true), GEN_INVALID_ARGUMENT,
                   (dir / "shape") + ": does not fit model 'toy'; 1 mismatched: layer.weight "
                                     "(expected f32[4], got f32[2, 2])");
  writeTensor(dir / "dtype", "layer.weight", "I32", "[4]", std::string(16, 'x'));
  EXPECT_GEN_ERROR_WITH(session.load(dir / "dtype", true), GEN_INVALID_ARGUMENT,
                        "layer.weight (expected f32[4], got i32[4])");
  EXPECT_EQ(session.variable("layer.weight").values<float>(), before);
}

TEST_F(Weights, BooleansAreZeroOrOne) {
  writeTensor(dir / "w", "flags", "BOOL", "[2]", std::string("\x01\x02"));
  EXPECT_GEN_ERROR_WITH(session.load(dir / "w", true), GEN_CORRUPT,
                        "tensor 'flags': value 2 of a BOOL, expected 0 or 1");
  EXPECT_EQ(*static_cast<const char *>(session.variable("flags").raw()), 0);
}

TEST_F(Weights, CorruptedFiles) {
  std::string path = dir / "w";
  session.save(path);
  std::string bytes = test::readFile(path);
  auto before = session.variable("layer.weight").values<float>();
  for (size_t size = 0; size < bytes.size(); ++size) {
    test::writeFile(path, bytes.substr(0, size));
    EXPECT_GEN_ERROR_WITH(session.load(path), GEN_CORRUPT, path + ": ");
  }
  test::Random random{5};
  for (int round = 0; round < 200; ++round) {
    std::string damaged = bytes;
    damaged[random.below(damaged.size())] = char(random());
    test::writeFile(path, damaged);
    try {
      session.load(path);
    } catch (const gen::Error &error) {
      EXPECT_NE(error.code(), GEN_INTERNAL) << error.what();
    }
  }
  test::writeFile(path, "not safetensors at all");
  EXPECT_GEN_ERROR_WITH(session.load(path), GEN_CORRUPT, "hint: is it a safetensors file?");
}

TEST_F(Weights, FailedLoadChangesNothing) {
  train(session, 2);
  session.save(dir / "w");
  std::string bytes = test::readFile(dir / "w");
  size_t name = bytes.find("steps");
  bytes.replace(name, 5, "stepz");
  test::writeFile(dir / "bad", bytes);
  Session other(model, {.seed = 1, .threads = 1});
  auto before = other.variable("layer.weight").values<float>();
  EXPECT_GEN_ERROR_WITH(other.load(dir / "bad"), GEN_INVALID_ARGUMENT,
                        "1 missing: steps; 1 unexpected: stepz");
  EXPECT_EQ(other.variable("layer.weight").values<float>(), before);
}

TEST_F(Weights, UnreadableFiles) {
  EXPECT_GEN_ERROR(session.load(dir / "none"), GEN_NOT_FOUND,
                   (dir / "none") + ": cannot open: No such file or directory");
  EXPECT_GEN_ERROR_WITH(session.load(dir.path.string()), GEN_IO, "it is a folder");
  mkfifo((dir / "fifo").c_str(), 0600);
  EXPECT_GEN_ERROR_WITH(session.load(dir / "fifo"), GEN_IO, "it is no regular file");
}

TEST_F(Weights, UnwritableFolder) {
  chmod(dir.path.c_str(), 0555);
  std::string path = dir / "w";
  {
    OrdinaryUser user;
    EXPECT_GEN_ERROR(session.save(path), GEN_IO, path + ": cannot write: Permission denied");
  }
  chmod(dir.path.c_str(), 0755);
  EXPECT_GEN_ERROR(session.save(dir / "none/w"), GEN_NOT_FOUND,
                   (dir / "none/w") + ": cannot write: No such file or directory");
  EXPECT_GEN_ERROR_WITH(session.save(dir.path.string()), GEN_IO, "it is a folder");
  EXPECT_GEN_ERROR_WITH(session.save("/dev/full"), GEN_IO, "it is no regular file");
}

TEST_F(Weights, FullDiskLeavesTheOldFile) {
  std::string path = dir / "w";
  session.save(path);
  std::string old = test::readFile(path);
  train(session, 1);
  for (size_t limit = 0; limit < old.size(); limit += 7) {
    int code = GEN_OK;
    std::string message;
    {
      FileSizeLimit full(limit);
      message = test::errorOf([&] { session.save(path); }, &code);
    }
    EXPECT_EQ(message, path + ": cannot write: File too large");
    EXPECT_EQ(code, GEN_IO);
    EXPECT_EQ(test::readFile(path), old);
    EXPECT_EQ(dir.fileCount(), 1u) << "a temporary file is left";
  }
  session.save(path);
  EXPECT_NE(test::readFile(path), old);
}

// A real full disk: a file system of 64 KiB in a mount namespace of a child process.
TEST_F(Weights, FullFileSystemLeavesTheOldFile) {
  constexpr int kNotAllowed = 77;
  pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (unshare(CLONE_NEWNS | (geteuid() == 0 ? 0 : CLONE_NEWUSER)) != 0 ||
        mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", dir.path.c_str(), "tmpfs", 0, "size=64k") != 0)
      _exit(kNotAllowed);
    std::string path = dir / "w";
    session.save(path);
    std::string old = test::readFile(path);
    test::writeFile(dir / "filler", std::string(1 << 17, 'x'));
    std::string message = test::errorOf([&] { session.save(path); });
    bool right = message == path + ": cannot write: No space left on device" &&
                 test::readFile(path) == old && dir.fileCount() == 2;
    if (!right)
      std::fprintf(stderr, "message: %s\n", message.c_str());
    _exit(right ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kNotAllowed)
    GTEST_SKIP() << "mounting is not allowed here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(Weights, KeepsPermissionsAndLinks) {
  session.save(dir / "real");
  chmod((dir / "real").c_str(), 0640);
  std::filesystem::create_symlink(dir / "real", dir / "link");
  train(session, 1);
  session.save(dir / "link");
  EXPECT_TRUE(std::filesystem::is_symlink(dir / "link"));
  struct stat info;
  stat((dir / "real").c_str(), &info);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
  Session other(model);
  other.load(dir / "real");
  EXPECT_EQ(other.variable("steps").scalar<int64_t>(), 1);
}

// A process that dies while it saves leaves a file that loads.
TEST_F(Weights, SurvivesKills) {
  std::string path = dir / "w";
  session.save(path);
  for (int round = 0; round < 100; ++round) {
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      for (;;)
        if (gen_session_save(session.c(), path.c_str()))
          _exit(1);
    }
    usleep(200 + 50 * (round % 20));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "saving failed";
    session.load(path);
  }
}
