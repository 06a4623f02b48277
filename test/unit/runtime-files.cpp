// .npy files, DLPack tensors and profiles.
#include "Npy.h"
#include "fixtures/Runtime.h"

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

using gen::Array;
using gen::runtime::Failure;
using gen::runtime::readNpy;
using gen::runtime::readNpyHeader;
using gen::runtime::writeNpy;

namespace {

// A file of version 1.0 with that dictionary and so many bytes of data.
std::string npy(std::string dictionary, size_t dataBytes = 0, char major = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += {major, '\0', char(dictionary.size() & 0xff), char(dictionary.size() >> 8)};
  if (major > 1)
    bytes += {'\0', '\0'};
  return bytes + dictionary + std::string(dataBytes, '\0');
}

std::string check(const std::string &bytes) {
  try {
    readNpyHeader(bytes, bytes.size(), "x.npy");
  } catch (const Failure &failure) {
    EXPECT_EQ(failure.code, GEN_CORRUPT);
    return failure.message;
  }
  return "";
}

} // namespace

TEST(Npy, RoundTrip) {
  test::TempDir dir;
  auto roundTrip = [&](const Array &array) {
    writeNpy(dir / "x.npy", array);
    Array again = readNpy(dir / "x.npy");
    EXPECT_EQ(again.describe(), array.describe());
    EXPECT_EQ(std::memcmp(again.raw(), array.raw(), array.bytes()), 0);
  };
  roundTrip(Array(std::vector<float>{1, 2, 3, 4, 5, NAN}, {2, 3}));
  roundTrip(Array(std::vector<double>{1e300}, {1}));
  roundTrip(Array::of(int64_t(-5)));
  roundTrip(Array::of(true));
  roundTrip(Array(std::vector<int8_t>{-1, 1}, {1, 2, 1}));
  roundTrip(Array(std::vector<int32_t>{}, {0, 3}));
  roundTrip(Array(GEN_F32, {1, 2, 3, 4, 1, 1, 1, 2}));
}

TEST(Npy, WritesWhatNumPyWrites) {
  EXPECT_EQ(gen::runtime::writeNpyHeader({nullptr, GEN_F32, 2, {2, 3}}),
            npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }" +
                std::string(58, ' ') + "\n"));
  std::string vector = gen::runtime::writeNpyHeader({nullptr, GEN_I1, 1, {7}});
  EXPECT_NE(vector.find("'descr': '|b1', 'fortran_order': False, 'shape': (7,), }"),
            std::string::npos);
  EXPECT_EQ(vector.size() % 64, 0u);
}

TEST(Npy, ReadsAllVersions) {
  std::string dictionary = "{'shape': (1,), \"fortran_order\": False, 'descr': '<i8'}";
  for (char major : {1, 2, 3})
    EXPECT_EQ(check(npy(dictionary, 8, major)), "");
}

TEST(Npy, RefusesLies) {
  const std::string order = "'fortran_order': False, ", shape = "'shape': (2,), ";
  const struct {
    std::string bytes, message;
  } lies[] = {
      {"", "byte 0: not a .npy file"},
      {"PK\x03\x04", "byte 0: not a .npy file"},
      {"\x93NUMPY\x01", "byte 6: truncated file of 7 bytes"},
      {npy("{}", 0, 4), ".npy version 4, expected 1 to 3"},
      {npy("", 0, 0), ".npy version 0"},
      {std::string("\x93NUMPY\x01\x00\xff\xff{", 11),
       "header of 65535 bytes in a file of 11 bytes"},
      {std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff{", 13), "header of 4294967295 bytes"},
      {std::string("\x93NUMPY\x02\x00\x00\x00", 10), "truncated file of 10 bytes"},
      {npy(""), "expected '{' in the header"},
      {npy("{"), "expected a string in the header"},
      {npy("{}"), "key 'descr' is missing"},
      {npy("{'descr': '<f4', " + order + "}"), "key 'shape' is missing"},
      {npy("{'descr': '<f4', " + shape + "}"), "key 'fortran_order' is missing"},
      {npy("{'descr': '<f4', 'descr': '<f4', " + order + shape + "}"), "key 'descr' twice"},
      {npy("{'other': 1}"), "unknown key 'other'"},
      {npy("{'descr': '>f4', " + order + shape + "}", 8),
       "dtype '>f4' is not supported; hint: save it as little-endian float32"},
      {npy("{'descr': '<f2', " + order + shape + "}", 4), "dtype '<f2' is not supported"},
      {npy("{'descr': '|O', " + order + shape + "}", 16), "dtype '|O' is not supported"},
      {npy("{'descr': [('a', '<f4')], " + order + shape + "}", 8), "a record dtype"},
      {npy("{'descr': '<f4', 'fortran_order': True, " + shape + "}", 8),
       "Fortran order is not supported; hint: save numpy.ascontiguousarray(array)"},
      {npy("{'descr': '<f4', 'fortran_order': 0, " + shape + "}", 8), "expected 'False'"},
      {npy("{'descr': '<f4', " + order + "'shape': (-2,), }", 8), "expected a size in the shape"},
      {npy("{'descr': '<f4', " + order + "'shape': 2}", 8), "expected '('"},
      {npy("{'descr': '<f4', " + order + "'shape': (9223372036854775808,)}", 8), "size too large"},
      {npy("{'descr': '<f4', " + order + "'shape': (4611686018427387904, 4)}", 0), "overflows"},
      {npy("{'descr': '<f4', " + order + "'shape': (1,1,1,1,1,1,1,1,1)}", 4), "rank above 8"},
      {npy("{'descr': '<f4', " + order + shape + "}", 7), "f32[2] has 8 bytes of data, the file 7"},
      {npy("{'descr': '<f4', " + order + shape + "}", 9), "f32[2] has 8 bytes of data, the file 9"},
      {npy("{'descr': '<f4', " + order + shape + "} x", 8), "expected the end of the header"},
      {npy("{'descr': '<f4}", 8), "expected a string in the header"},
  };
  for (auto &lie : lies)
    EXPECT_NE(check(lie.bytes).find(lie.message), std::string::npos)
        << "message: " << check(lie.bytes) << "\nexpected: " << lie.message;
}

TEST(Npy, SurvivesMutations) {
  const std::string original =
      gen::runtime::writeNpyHeader({nullptr, GEN_F32, 3, {2, 3, 4}}) + std::string(96, 'x');
  ASSERT_EQ(check(original), "");
  test::Random random{11};
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = original.substr(0, random.below(8) ? original.size() : random.below(128));
    for (int changes = 0; changes < 3 && !bytes.empty(); ++changes)
      bytes[random.below(std::min<size_t>(bytes.size(), 80))] = char(random());
    refused += !check(bytes).empty();
  }
  EXPECT_GT(refused, 10000);
}

TEST(DLPack, ExportsAndImports) {
  Array array(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3});
  DLManagedTensor *managed = nullptr;
  gen::detail::check(gen_tensor_to_dlpack(&array.c(), &managed));
  EXPECT_EQ(managed->dl_tensor.data, array.raw()); // no copy
  EXPECT_EQ(managed->dl_tensor.ndim, 2);
  EXPECT_EQ(managed->dl_tensor.shape[1], 3);
  EXPECT_EQ(managed->dl_tensor.dtype.bits, 32);
  gen::View view = gen::viewFromDLPack(*managed);
  EXPECT_EQ(view.values<float>(), array.values<float>());
  int64_t dense[] = {3, 1};
  managed->dl_tensor.strides = dense;
  managed->dl_tensor.byte_offset = 12;
  managed->dl_tensor.shape[0] = 1;
  EXPECT_EQ(gen::viewFromDLPack(*managed).values<float>(), (std::vector<float>{4, 5, 6}));
  managed->deleter(managed);
}

TEST(DLPack, OwnsTheArray) {
  DLManagedTensor *managed = gen::toDLPack(Array(std::vector<int64_t>{7, 8}, {2}));
  EXPECT_EQ(gen::viewFromDLPack(*managed).values<int64_t>(), (std::vector<int64_t>{7, 8}));
  managed->deleter(managed);
}

TEST(DLPack, RefusesWhatIsNotDenseHostMemory) {
  float data[6] = {};
  int64_t shape[] = {2, 3}, transposed[] = {1, 2}, negative[] = {-1, 3};
  const DLManagedTensor good = {
      {data, {kDLCPU, 0}, 2, {kDLFloat, 32, 1}, shape, nullptr, 0}, nullptr, nullptr};
  auto expect = [&](auto &&spoil, const char *message) {
    DLManagedTensor managed = good;
    spoil(managed.dl_tensor);
    EXPECT_GEN_ERROR_WITH(gen::viewFromDLPack(managed), GEN_INVALID_ARGUMENT, message);
  };
  expect([](DLTensor &t) { t.device.device_type = kDLCUDA; }, "expected host memory");
  expect([&](DLTensor &t) { t.strides = transposed; }, "hint: make it contiguous");
  expect([&](DLTensor &t) { t.shape = negative; }, "impossible shape f32[-1, 3]");
  expect([](DLTensor &t) { t.ndim = 9; }, "expected rank 0 to 8, got 9");
  expect([](DLTensor &t) { t.dtype.bits = 16; }, "code 2, 16 bits, 1 lanes is not supported");
  expect([](DLTensor &t) { t.dtype.lanes = 4; }, "4 lanes is not supported");
  expect([](DLTensor &t) { t.data = nullptr; }, "no data");
}

TEST(Profile, SumsAndTrace) {
  test::TempDir dir;
  gen::Session session(test::toyModel(), {.threads = 2});
  session.call("add", {Array(GEN_F32, {8, 1024})}); // not recorded
  EXPECT_TRUE(session.profile().empty());
  session.startProfile();
  for (int i = 0; i < 3; ++i)
    session.call("add", {Array(GEN_F32, {8, 1024})});
  session.call("scale", {Array(GEN_F32, {2, 4})});
  session.stopProfile();
  session.call("scale", {Array(GEN_F32, {2, 4})}); // not recorded

  std::vector<gen_kernel_profile> kernels = session.profile();
  ASSERT_EQ(kernels.size(), 2u);
  EXPECT_GE(kernels[0].seconds, kernels[1].seconds);
  const gen_kernel_profile &add = kernels[kernels[0].name == std::string("add_part") ? 0 : 1];
  EXPECT_EQ(add.calls, 3u);
  EXPECT_EQ(add.flops, 3 * 8 * 1024);
  EXPECT_EQ(add.bytes, 3 * 8 * 4096);
  EXPECT_STREQ(add.location, "toy.cpp:9");
  EXPECT_EQ(gen_profile_flops(session.c()), 3 * 8 * 1024 + 4 * 2);

  // 8192 multiply-adds and 32 KiB a call cannot be free, nor take a second.
  double limit = session.profileLimit();
  EXPECT_GT(limit, 1e-9);
  EXPECT_LT(limit, 1);
  EXPECT_GEN_ERROR_WITH(gen::detail::check(gen_profile_limit(session.c(), nullptr)),
                        GEN_INVALID_ARGUMENT, "seconds");

  session.writeProfile(dir / "trace.json");
  auto trace = nlohmann::json::parse(test::readFile(dir / "trace.json"));
  size_t launches = 0, calls = 0;
  for (auto &event : trace["traceEvents"]) {
    launches += event.value("cat", "") == "kernel";
    calls += event.value("cat", "") == "entry";
  }
  EXPECT_EQ(launches, 4u);
  EXPECT_EQ(calls, 4u);
  EXPECT_EQ(trace["kernels"].size(), 2u);
  for (auto &kernel : trace["kernels"])
    EXPECT_GT(kernel["percent_of_limit"], 0) << kernel;
  EXPECT_GT(trace["limits"]["gflop_per_s"], 0.1);
  EXPECT_GT(trace["limits"]["gbyte_per_s"]["67108864"], 0.1);
  EXPECT_GEN_ERROR_WITH(session.writeProfile(dir / "none/trace.json"), GEN_NOT_FOUND,
                        "cannot write: No such file or directory");
  gen_kernel_profile profile;
  EXPECT_GEN_ERROR_WITH(gen::detail::check(gen_profile_kernel(session.c(), 2, &profile)),
                        GEN_INVALID_ARGUMENT, "number 2 of 2");
}
