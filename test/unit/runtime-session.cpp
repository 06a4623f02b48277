// Calls: results, what is wrong with a call, memory, seeds, threads.
#include "fixtures/Runtime.h"

#include <atomic>
#include <cfenv>
#include <cmath>
#include <cstring>
#include <malloc.h>
#include <sched.h>
#include <thread>
#include <xmmintrin.h>

using gen::Array;
using gen::Session;
using gen::View;

namespace {

Array rows(int64_t count, float first = 1) {
  Array x(GEN_F32, {count, 4});
  for (int64_t i = 0; i < 4 * count; ++i)
    x.data<float>()[i] = first + float(i);
  return x;
}

class SessionTest : public testing::Test {
protected:
  gen::Model model = test::toyModel();
  Session session{model, {.threads = 2}};
};

} // namespace

TEST_F(SessionTest, CallsAnEntry) {
  Array y = session.call("scale", {rows(2)})["y"];
  EXPECT_EQ(y.describe(), "f32[2, 4]");
  EXPECT_EQ(y.values<float>(), (std::vector<float>{1, 4, 9, 16, 5, 12, 21, 32}));
}

TEST_F(SessionTest, UpdatesVariables) {
  Array labels(std::vector<int32_t>{10, 20}, {2});
  float loss = session.call("train_step", {rows(2), labels}).scalar<float>("loss");
  EXPECT_EQ(loss, 1 + 5 + 10 + 20);
  session.call("train_step", {rows(2), labels});
  EXPECT_EQ(session.variable("steps").scalar<int64_t>(), 2);
  EXPECT_EQ(session.variable("layer.weight").values<float>(), (std::vector<float>{0, 1, 2, 3}));
}

TEST_F(SessionTest, PacksAVariableWhenItHasChanged) {
  auto expect = [&](Session &session, float first, int packings) {
    static float made = session.call("packed")["y"].values<float>()[4];
    std::vector<float> y = session.call("packed")["y"].values<float>();
    EXPECT_EQ(y[0], first);
    EXPECT_EQ(y[4] - made, float(packings));
  };
  expect(session, 2, 0);
  expect(session, 2, 0);
  session.setVariable("layer.weight", Array(std::vector<float>{5, 6, 7, 8}, {4}));
  expect(session, 10, 1);
  session.call("train_step", {rows(1), Array(std::vector<int32_t>{0}, {1})});
  expect(session, 9, 2);
  session.call("scale", {rows(1)});
  expect(session, 9, 2);
  test::TempDir dir;
  session.save(dir / "w.safetensors");
  session.setVariable("layer.weight", Array(std::vector<float>{1, 1, 1, 1}, {4}));
  session.load(dir / "w.safetensors");
  expect(session, 9, 3);
  Session other(model, {});
  expect(other, 2, 4);
  expect(session, 9, 4);
  // Who has a view may write at any time.
  View weight = session.variable("layer.weight");
  expect(session, 9, 5);
  static_cast<float *>(weight.c().data)[0] = 50;
  expect(session, 100, 6);
}

TEST_F(SessionTest, BringsBackAVariableThatIsKeptPacked) {
  std::vector<float> table(4096);
  for (size_t i = 0; i < table.size(); ++i)
    table[i] = float(i);
  session.setVariable("table", Array(table, {4096}));
  EXPECT_EQ(session.call("last")["y"].values<float>()[0], 4095);
  test::TempDir dir;
  session.save(dir / "w.safetensors");
  EXPECT_EQ(session.call("last")["y"].values<float>()[0], 4095);

  std::vector<float> other(4096, 7.0f);
  session.setVariable("table", Array(other, {4096}));
  EXPECT_EQ(session.call("last")["y"].values<float>()[0], 7);
  session.load(dir / "w.safetensors");
  EXPECT_EQ(session.call("last")["y"].values<float>()[0], 4095);

  View view = session.variable("table");
  EXPECT_EQ(std::vector<float>(static_cast<float *>(view.c().data),
                               static_cast<float *>(view.c().data) + 4096),
            table);
  static_cast<float *>(view.c().data)[4095] = 5;
  EXPECT_EQ(session.call("last")["y"].values<float>()[0], 5);
  EXPECT_EQ(static_cast<float *>(view.c().data)[0], 0);
  EXPECT_EQ(static_cast<float *>(view.c().data)[1], 1);
}

TEST_F(SessionTest, BringsBackAVariableWhoseCopyIsWritten) {
  auto first = [&] { return session.variable("table").values<float>()[0]; };
  session.setVariable("table", Array(std::vector<float>(4096, 1.0f), {4096}));
  session.call("raise");
  session.call("raise");
  EXPECT_EQ(first(), 3);
  EXPECT_EQ(first(), 3);
  session.call("raise");
  EXPECT_EQ(session.call("last")["y"].values<float>()[0], 4);
  test::TempDir dir;
  session.save(dir / "w.safetensors");
  session.call("raise");
  EXPECT_EQ(first(), 5);
  session.load(dir / "w.safetensors");
  session.call("raise");
  EXPECT_EQ(first(), 5);

  View view = session.variable("table");
  auto *elements = static_cast<float *>(view.c().data);
  session.call("raise");
  EXPECT_EQ(elements[0], 6);
  elements[0] = 10;
  session.call("raise");
  EXPECT_EQ(elements[0], 11);
  EXPECT_EQ(elements[1], 7);
}

TEST_F(SessionTest, TakesEveryDType) {
  const bool flags[] = {true, false};
  Array a(std::vector<double>{2, 3}, {2}), c(std::vector<int8_t>{-4, 5}, {2});
  Array d(std::vector<int64_t>{1, 2, 3, 4, 5, 6}, {3, 2});
  gen::Results results = session.call("mixed", {a, View(flags, {2}), c, d});
  EXPECT_EQ(results["e"].values<double>(), (std::vector<double>{-8, 3}));
  EXPECT_EQ(results["f"].values<int64_t>(), (std::vector<int64_t>{3, 7, 11}));
  EXPECT_EQ(results[2].data<bool>()[0], false);
  EXPECT_EQ(results[2].data<bool>()[1], true);
}

TEST_F(SessionTest, TakesEmptyTensors) {
  EXPECT_EQ(session.call("scale", {Array(GEN_F32, {0, 4})})["y"].shape(),
            (std::vector<int64_t>{0, 4}));
  EXPECT_EQ(session.call("shift", {View(static_cast<float *>(nullptr), {0})})["x"].shape(),
            (std::vector<int64_t>{1}));
}

// ---- what is wrong with a call
// -------------------------------------------------------------------

TEST_F(SessionTest, WrongEntry) {
  EXPECT_GEN_ERROR(session.call("scael", {rows(1)}), GEN_NOT_FOUND,
                   "model 'toy' has no entry 'scael'; hint: its entries are 'init', 'scale', "
                   "'train_step', 'add', 'shift', 'mixed', 'denormal', 'packed', 'last', 'raise'");
}

TEST_F(SessionTest, WrongCount) {
  EXPECT_GEN_ERROR(session.call("train_step", {rows(1)}), GEN_INVALID_ARGUMENT,
                   "train_step: expected 2 inputs, got 1; hint: its inputs are x f32[batch, 4], "
                   "labels i32[batch]");
  EXPECT_GEN_ERROR(session.call("denormal", {rows(1)}), GEN_INVALID_ARGUMENT,
                   "denormal: expected 0 inputs, got 1");
}

TEST_F(SessionTest, WrongDType) {
  EXPECT_GEN_ERROR(
      session.call("scale", {Array(GEN_F64, {2, 4})}), GEN_INVALID_ARGUMENT,
      "scale: input 'x': expected f32[batch, 4], got f64[2, 4]; hint: convert the values "
      "to f32");
  Array oddData = rows(1);
  gen_tensor odd = oddData.c();
  odd.dtype = 77;
  EXPECT_GEN_ERROR_WITH(session.call("scale", {View(odd)}), GEN_INVALID_ARGUMENT,
                        "got unknown dtype 77");
}

TEST_F(SessionTest, WrongRank) {
  EXPECT_GEN_ERROR(
      session.call("scale", {Array(GEN_F32, {64, 1, 2, 2})}), GEN_INVALID_ARGUMENT,
      "scale: input 'x': expected f32[batch, 4], got f32[64, 1, 2, 2]; hint: reshape it "
      "to [64, 4]");
  EXPECT_GEN_ERROR(session.call("scale", {Array(GEN_F32, {3})}), GEN_INVALID_ARGUMENT,
                   "scale: input 'x': expected f32[batch, 4], got f32[3]");
  Array deepData = rows(1);
  gen_tensor deep = deepData.c();
  deep.rank = 200;
  EXPECT_GEN_ERROR_WITH(session.call("scale", {View(deep)}), GEN_INVALID_ARGUMENT, "got rank 200");
}

TEST_F(SessionTest, WrongDimension) {
  EXPECT_GEN_ERROR(session.call("scale", {Array(GEN_F32, {2, 5})}), GEN_INVALID_ARGUMENT,
                   "scale: input 'x': expected f32[batch, 4], got f32[2, 5]");
  EXPECT_GEN_ERROR(
      session.call("train_step", {rows(2), Array(GEN_I32, {3})}), GEN_INVALID_ARGUMENT,
      "train_step: input 'labels': expected i32[batch], got i32[3]; hint: 'batch' is 2 "
      "in another dimension of the inputs");
}

TEST_F(SessionTest, ImpossibleSizes) {
  float one = 1;
  gen_tensor tensor = {&one, GEN_F32, 2, {-1, 4}};
  EXPECT_GEN_ERROR_WITH(session.call("scale", {View(tensor)}), GEN_INVALID_ARGUMENT,
                        "sizes must not be negative or overflow");
  tensor.shape[0] = int64_t(1) << 61;
  EXPECT_GEN_ERROR_WITH(session.call("scale", {View(tensor)}), GEN_INVALID_ARGUMENT,
                        "sizes must not be negative or overflow");
  tensor.shape[0] = int64_t(1) << 58; // fits 2^62 bytes, but no address space
  EXPECT_GEN_ERROR(session.call("scale", {View(tensor)}), GEN_OUT_OF_MEMORY, "out of memory");
  tensor.shape[0] = 1;
  tensor.data = nullptr;
  EXPECT_GEN_ERROR_WITH(session.call("scale", {View(tensor)}), GEN_INVALID_ARGUMENT,
                        "got f32[1, 4] without data");
}

TEST_F(SessionTest, WrongResultAndElementType) {
  gen::Results results = session.call("scale", {rows(1)});
  EXPECT_GEN_ERROR(results["z"], GEN_NOT_FOUND, "scale: no result 'z'; hint: its results are 'y'");
  EXPECT_GEN_ERROR(results[1], GEN_INVALID_ARGUMENT, "scale: result number 1 of 1");
  EXPECT_GEN_ERROR(results["y"].data<double>(), GEN_INVALID_ARGUMENT,
                   "expected f64, got f32[1, 4]");
  EXPECT_GEN_ERROR(results.scalar<float>("y"), GEN_INVALID_ARGUMENT,
                   "expected one element, got f32[1, 4]");
}

TEST_F(SessionTest, WrongVariable) {
  EXPECT_GEN_ERROR_WITH(session.variable("weight"), GEN_NOT_FOUND,
                        "model 'toy' has no variable 'weight'; hint: its variables are "
                        "'random.seed', 'layer.weight'");
  EXPECT_GEN_ERROR(session.setVariable("layer.weight", Array(GEN_F32, {3})), GEN_INVALID_ARGUMENT,
                   "variable 'layer.weight': expected f32[4], got f32[3]");
  EXPECT_GEN_ERROR(session.setVariable("steps", Array(GEN_I32, {})), GEN_INVALID_ARGUMENT,
                   "variable 'steps': expected i64[], got i32[]");
}

TEST_F(SessionTest, NullPointers) {
  using gen::detail::check;
  Array data = rows(1);
  gen_tensor x = data.c(), y;
  EXPECT_GEN_ERROR_WITH(check(gen_session_call(nullptr, "scale", &x, 1, &y, 1)),
                        GEN_INVALID_ARGUMENT, "'session' must not be null");
  EXPECT_GEN_ERROR_WITH(check(gen_session_call(session.c(), nullptr, &x, 1, &y, 1)),
                        GEN_INVALID_ARGUMENT, "'entry' must not be null");
  EXPECT_GEN_ERROR_WITH(check(gen_session_call(session.c(), "scale", nullptr, 1, &y, 1)),
                        GEN_INVALID_ARGUMENT, "'arguments' must not be null");
  EXPECT_GEN_ERROR_WITH(check(gen_session_call(session.c(), "scale", &x, 1, &y, 2)),
                        GEN_INVALID_ARGUMENT, "expected 1 results, got room for 2");
  check(gen_session_call(session.c(), "scale", &x, 1, nullptr, 0)); // results not wanted
  gen_session_close(nullptr);
  gen_model_close(nullptr);
  gen_status_release(nullptr);
}

TEST_F(SessionTest, WrongOptions) {
  gen_session_options options = GEN_SESSION_OPTIONS_INIT;
  gen_session *made = nullptr;
  options.size = 3;
  EXPECT_GEN_ERROR_WITH(gen::detail::check(gen_session_create(model.c(), &options, &made)),
                        GEN_INVALID_ARGUMENT, "start from GEN_SESSION_OPTIONS_INIT");
  EXPECT_EQ(made, nullptr);
  options = GEN_SESSION_OPTIONS_INIT;
  options.flags = 1u << 20;
  EXPECT_GEN_ERROR_WITH(gen::detail::check(gen_session_create(model.c(), &options, &made)),
                        GEN_INVALID_ARGUMENT, "unknown flags 0x100000");
  // A program built against an older header hands over fewer fields.
  options = GEN_SESSION_OPTIONS_INIT;
  options.size = offsetof(gen_session_options, parallel_for);
  gen::detail::check(gen_session_create(model.c(), &options, &made));
  gen_session_close(made);
}

// ---- memory
// --------------------------------------------------------------------------------------

TEST_F(SessionTest, FeedsResultsBack) {
  View x = session.call("shift", {Array(std::vector<float>{7}, {1})})["x"];
  for (int64_t size = 3; size < 200; ++size) {
    x = session.call("shift", {x})["x"]; // reads and writes the same memory, which grows
    ASSERT_EQ(x.shape(), std::vector<int64_t>{size});
    ASSERT_EQ(x.data<float>()[size - 1], 7);
    ASSERT_EQ(x.data<float>()[size - 2], 0);
  }
}

TEST_F(SessionTest, TakesItsOwnVariablesAsInputs) {
  View weight = session.variable("layer.weight");
  gen_tensor x = weight.c();
  x.rank = 2;
  x.shape[0] = 1;
  x.shape[1] = 4;
  Array labels(std::vector<int32_t>{0}, {1});
  // train_step changes the weight that it reads as x.
  EXPECT_EQ(session.call("train_step", {View(x), labels}).scalar<float>("loss"), 1);
}

TEST_F(SessionTest, TakesUnalignedInputs) {
  std::vector<char> bytes(16 + 1);
  const float values[] = {1, 1, 1, 1};
  std::memcpy(bytes.data() + 1, values, sizeof values);
  View x(bytes.data() + 1, GEN_F32, {1, 4});
  EXPECT_EQ(session.call("scale", {x})["y"].values<float>(), (std::vector<float>{1, 2, 3, 4}));
}

TEST_F(SessionTest, WritesIntoCallersBuffers) {
  Array x = rows(3), y(GEN_F32, {3, 4});
  session.callInto("scale", {x}, {y});
  EXPECT_EQ(y.data<float>()[11], 48);
  // In place, and not aligned.
  session.callInto("scale", {x}, {x});
  EXPECT_EQ(x.values<float>(), y.values<float>());
  std::vector<float> odd(13);
  session.callInto("scale", {rows(3)}, {View(odd.data() + 1, {3, 4})});
  EXPECT_EQ(odd[12], 48);
}

TEST_F(SessionTest, RefusesWrongBuffers) {
  Array x = rows(2), y(GEN_F32, {3, 4});
  EXPECT_GEN_ERROR(session.callInto("scale", {x}, {y}), GEN_INVALID_ARGUMENT,
                   "scale: result 'y': expected a buffer of f32[2, 4], got f32[3, 4]");
  EXPECT_GEN_ERROR(session.callInto("scale", {x}, {}), GEN_INVALID_ARGUMENT,
                   "scale: expected 1 results, got 0");
  Array big(GEN_F32, {2, 1024}), sums(GEN_F32, {2});
  gen_tensor total = {sums.raw(), GEN_F64, 0, {}};
  EXPECT_GEN_ERROR(session.callInto("add", {big}, {sums, View(total)}), GEN_INVALID_ARGUMENT,
                   "add: the buffers of results 'sums' and 'total' overlap");
  gen_tensor weight = session.variable("layer.weight").c();
  weight.rank = 2;
  weight.shape[0] = 1;
  weight.shape[1] = 4;
  EXPECT_GEN_ERROR(session.callInto("scale", {rows(1)}, {View(weight)}), GEN_INVALID_ARGUMENT,
                   "scale: the buffer of result 'y' overlaps variable 'layer.weight'");
}

TEST_F(SessionTest, ResultShapesWithoutACall) {
  Array data = rows(1);
  gen_tensor x = data.c(), y;
  x.rank = 1;
  x.shape[0] = 4;
  gen::detail::check(gen_session_result_shapes(session.c(), "shift", &x, 1, &y, 1));
  EXPECT_EQ(View(y).describe(), "f32[5]");
  EXPECT_EQ(y.data, nullptr);
}

#if !__has_feature(address_sanitizer)
TEST_F(SessionTest, AllocatesNothingAfterTheFirstCall) {
  Array x(GEN_F32, {64, 1024});
  gen_tensor results[2];
  gen_tensor argument = x.c();
  auto call = [&] {
    gen::detail::check(gen_session_call(session.c(), "add", &argument, 1, results, 2));
  };
  call();
  size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
  int64_t blocks = mallinfo2().hblks;
  for (int i = 0; i < 100; ++i)
    call();
  EXPECT_EQ(mallinfo2().uordblks + mallinfo2().hblkhd, before);
  EXPECT_EQ(mallinfo2().hblks, blocks);
}
#endif

// ---- seeds, floating point, executors
// ------------------------------------------------------------

TEST_F(SessionTest, ThreadsAreThoseOfTheProcess) {
  cpu_set_t all, one;
  sched_getaffinity(0, sizeof all, &all);
  EXPECT_EQ(Session(model).threadCount(), uint32_t(CPU_COUNT(&all)));
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE && !CPU_COUNT(&one); ++cpu)
    if (CPU_ISSET(cpu, &all))
      CPU_SET(cpu, &one);
  sched_setaffinity(0, sizeof one, &one);
  EXPECT_EQ(Session(model).threadCount(), 1u);
  sched_setaffinity(0, sizeof all, &all);
  EXPECT_EQ(session.threadCount(), 2u);
}

TEST_F(SessionTest, SeedIsSetBeforeInit) {
  Session seeded(model, {.seed = 100, .threads = 1});
  EXPECT_EQ(seeded.variable("random.seed").scalar<int64_t>(), 100);
  EXPECT_EQ(seeded.variable("layer.weight").values<float>(),
            (std::vector<float>{101, 102, 103, 104}));
  EXPECT_EQ(session.variable("layer.weight").values<float>(), (std::vector<float>{1, 2, 3, 4}));
}

TEST_F(SessionTest, DenormalsCountAsZeroUnlessKept) {
  Session keeping(model, {.threads = 2, .keepDenormals = true});
  for (const char *where : {"inside", "outside"}) {
    EXPECT_EQ(session.call("denormal")[where].values<float>(), (std::vector<float>{0, 0}));
    EXPECT_EQ(keeping.call("denormal")[where].values<float>(),
              (std::vector<float>{0x1p-127f, 0x1p-127f}));
  }
}

TEST_F(SessionTest, CallersFloatingPointStateIsRestored) {
  unsigned before = _mm_getcsr();
  std::fesetround(FE_UPWARD);
  unsigned upward = _mm_getcsr();
  session.call("denormal");
  EXPECT_EQ(_mm_getcsr() & ~0x3fu, upward & ~0x3fu);
  _mm_setcsr(before);
}

TEST_F(SessionTest, OwnExecutorRunsTheTasks) {
  static std::atomic<int64_t> tasks;
  tasks = 0;
  auto backwards = [](void *context, int64_t count, void (*body)(void *, int64_t), void *data) {
    EXPECT_EQ(context, &tasks);
    std::thread other([=] {
      for (int64_t i = count - 1; i >= 0; --i)
        body(data, i);
    });
    other.join();
    tasks += count;
  };
  Session own(model, {.parallelFor = backwards, .parallelContext = &tasks});
  Array x(GEN_F32, {64, 1024});
  for (size_t i = 0; i < x.size(); ++i)
    x.data<float>()[i] = float(i % 97) * 0.01f;
  EXPECT_EQ(own.call("add", {x}).scalar<double>("total"),
            session.call("add", {x}).scalar<double>("total"));
  EXPECT_EQ(tasks, 64);
  EXPECT_EQ(own.call("denormal")["inside"].values<float>(), (std::vector<float>{0, 0}));
}

TEST_F(SessionTest, ResultsDoNotDependOnTheThreads) {
  Array x(GEN_F32, {257, 1024});
  for (size_t i = 0; i < x.size(); ++i)
    x.data<float>()[i] = 1.0f / float(i + 1);
  std::vector<float> sums = Session(model, {.threads = 1}).call("add", {x})["sums"].values<float>();
  for (uint32_t threads : {2, 3, 4, 8, 0}) {
    Session other(model, {.threads = threads});
    for (int round = 0; round < 20; ++round)
      ASSERT_EQ(other.call("add", {x})["sums"].values<float>(), sums) << threads << " threads";
  }
}

TEST_F(SessionTest, ManySessionsOnThreads) {
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int k = 0; k < 8; ++k)
    threads.emplace_back([this, k, &failures] {
      Session own(model, {.seed = uint64_t(k), .threads = uint32_t(1 + k % 3)});
      Array x(GEN_F32, {16, 1024});
      std::fill_n(x.data<float>(), x.size(), float(k));
      for (int i = 0; i < 1000; ++i) {
        bool right = own.call("add", {x}).scalar<double>("total") == 16.0 * 1024 * k &&
                     own.call("scale", {rows(1, 0)})["y"].data<float>()[3] == 3.0f * float(4 + k);
        failures += !right;
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(failures, 0);
}

TEST_F(SessionTest, TwoThreadsInOneSessionAreAnError) {
  // The executor of the outer call tries the session again, as a second thread would.
  struct Probe {
    gen_session *session;
    int code;
  } probe = {nullptr, GEN_OK};
  auto executor = [](void *context, int64_t count, void (*body)(void *, int64_t), void *data) {
    auto *probe = static_cast<Probe *>(context);
    std::thread([probe] {
      gen_tensor view;
      gen_status *status = gen_session_variable(probe->session, "steps", &view);
      probe->code = gen_status_code(status);
      EXPECT_NE(std::string(gen_status_message(status)).find("one thread at a time"),
                std::string::npos);
      gen_status_release(status);
    }).join();
    for (int64_t i = 0; i < count; ++i)
      body(data, i);
  };
  Session own(model, {.parallelFor = executor, .parallelContext = &probe});
  probe.session = own.c();
  own.call("add", {Array(GEN_F32, {64, 1024})});
  EXPECT_EQ(probe.code, GEN_BUSY);
  EXPECT_EQ(own.variable("steps").scalar<int64_t>(), 0); // free again
}
