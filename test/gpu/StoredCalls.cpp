#include "StoredCalls.h"

#include "Close.h"

#include <fstream>
#include <limits>
#include <optional>

namespace gen::gpu {

static void writeArray(std::ostream &out, const View &view, double scale) {
  out << view.dtype() << ' ' << scale << ' ' << view.rank();
  for (int64_t size : view.shape())
    out << ' ' << size;
  out << '\n';
  out.write(static_cast<const char *>(view.raw()), std::streamsize(view.bytes())) << '\n';
}

void writeCalls(const std::string &path, const std::vector<StoredCall> &calls) {
  std::ofstream out(path, std::ios::binary);
  out.precision(std::numeric_limits<double>::max_digits10);
  out << calls.size() << '\n';
  for (const StoredCall &call : calls) {
    out << call.entry << ' ' << call.ulps << ' ' << call.arguments.size() << ' '
        << call.expected.size() << '\n';
    for (const Array &argument : call.arguments)
      writeArray(out, argument, 0);
    for (size_t i = 0; i < call.expected.size(); ++i)
      writeArray(out, call.expected[i], call.scales[i]);
  }
  if (!out.flush())
    throw Error(GEN_IO, "cannot write " + path);
}

static Array readArray(std::istream &in, double &scale) {
  uint32_t dtype = 0;
  size_t rank = 0;
  in >> dtype >> scale >> rank;
  if (!in || rank > GEN_MAX_RANK)
    return {};
  std::vector<int64_t> shape(rank);
  for (int64_t &size : shape)
    in >> size;
  in.get(); // the line's end
  if (!in)
    return {};
  Array array(dtype, shape);
  in.read(static_cast<char *>(array.raw()), std::streamsize(array.bytes()));
  return array;
}

std::vector<StoredCall> readCalls(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  size_t count = 0;
  in >> count;
  std::vector<StoredCall> calls;
  while (in && calls.size() < count) {
    StoredCall call;
    size_t arguments = 0, results = 0;
    in >> call.entry >> call.ulps >> arguments >> results;
    double scale = 0;
    while (in && call.arguments.size() < arguments)
      call.arguments.push_back(readArray(in, scale));
    while (in && call.expected.size() < results) {
      call.expected.push_back(readArray(in, scale));
      call.scales.push_back(scale);
    }
    calls.push_back(std::move(call));
  }
  if (!in)
    throw Error(GEN_CORRUPT, path + ": a damaged file of calls");
  return calls;
}

/// Each call in the state that the model begins with.
std::vector<std::string> compareWithStored(const Model &model,
                                           const std::vector<StoredCall> &calls) {
  std::vector<std::string> problems;
  SessionOptions options;
  options.device = "cuda";
  std::optional<Session> session;
  for (const StoredCall &call : calls) {
    if (!session || !model.variables().empty())
      session.emplace(model, options);
    Results results = session->call(call.entry, {call.arguments.begin(), call.arguments.end()});
    if (results.size() != call.expected.size())
      problems.push_back(call.entry + ": other results");
    for (size_t i = 0; i < results.size() && i < call.expected.size(); ++i) {
      std::string difference =
          differenceOf(results[i], call.expected[i], call.ulps, call.scales[i]);
      if (!difference.empty())
        problems.push_back(call.entry + ", result " + std::to_string(i) + ": " + difference);
    }
  }
  if (calls.empty())
    problems.emplace_back("no calls are stored");
  return problems;
}

} // namespace gen::gpu
