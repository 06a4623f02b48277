#include "Compare.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>

namespace gen::gpu {
namespace {

/// Of the largest element of a tensor: sums over batches and images have other orders on a GPU.
constexpr double kTolerance = 1e-5;
/// Of the largest gradient of a model: sums that cancel. So much is the CPU off, on its own, from
/// the same model in f64 (glow's log_scale; the GPU, whose sums have more parts, a tenth of it).
constexpr double kRounding = 5e-6;

/// Integers are indices, below what any model has of them.
int64_t limitOf(const std::string &input) {
  static const std::map<std::string, int64_t> limits = {
      {"labels", 2}, {"segments", 2}, {"follows", 2}, {"done", 1}, {"given", 4}};
  auto known = limits.find(input);
  return known == limits.end() ? 50 : known->second;
}

/// Numbers in [0, 1), the same in every run.
float uniform(uint32_t array, uint32_t element) {
  uint32_t x = element * 2654435761U + array * 2246822519U;
  x = (x ^ (x >> 15)) * 2246822519U;
  x = (x ^ (x >> 13)) * 3266489917U;
  x ^= x >> 16;
  return float(x >> 8) * 0x1p-24F;
}

Array makeInput(const TensorSpec &spec, uint32_t number) {
  std::vector<int64_t> shape = spec.shape;
  for (size_t axis = 0; axis < shape.size(); ++axis)
    if (shape[axis] < 0)
      shape[axis] = spec.dimensions[axis] == "length" ? 8 : 4;
  Array array(spec.dtype, shape);
  for (uint32_t i = 0; i < array.size(); ++i)
    if (spec.dtype == GEN_F32)
      array.data<float>()[i] = uniform(number, i);
    else
      array.data<int64_t>()[i] = int64_t(float(limitOf(spec.name)) * uniform(number, i));
  return array;
}

bool sameBits(const View &one, const View &other) {
  return one.bytes() == other.bytes() && std::memcmp(one.raw(), other.raw(), one.bytes()) == 0;
}

bool endsWith(const std::string &name, const std::string &end) {
  return name.size() > end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0;
}

/// The elements of a state or a result; of means of squares the roots, which are as large as what
/// was squared.
std::vector<double> elementsOf(const std::string &name, const View &view) {
  bool isSquare = endsWith(name, ".exp_avg_sq") || endsWith(name, ".square_avg");
  std::vector<double> elements;
  for (float x : view.values<float>())
    elements.push_back(isSquare ? std::sqrt(x) : x);
  return elements;
}

double largestOf(const std::vector<double> &elements) {
  double largest = 0;
  for (double x : elements)
    largest = std::max(largest, std::fabs(x));
  return largest;
}

class Comparison {
public:
  Comparison(const Model &model, std::string weights)
      : model(model), weights(std::move(weights)), host(model, optionsOf("cpu")),
        device(model, optionsOf("cuda")), copy(model) {}

  void run() {
    copyVariables(device, copy);
    for (const TensorSpec &spec : model.variables())
      if (!sameBits(copy.variable(spec.name), host.variable(spec.name)))
        problems.push_back(spec.name + ": other initial values");
    uint32_t number = 0;
    for (const EntrySpec &entry : entries()) {
      std::vector<Array> arrays;
      for (const TensorSpec &spec : entry.inputs)
        arrays.push_back(makeInput(spec, ++number));
      std::vector<View> inputs(arrays.begin(), arrays.end());
      if (entry.name == "main" || trains(entry))
        step(entry, inputs);
      else
        call(entry, inputs);
      copyVariables(host, device); // noise stays out of the next entry
    }
  }

  std::vector<std::string> problems;

private:
  static SessionOptions optionsOf(const char *device) {
    SessionOptions options;
    options.seed = 1;
    options.device = device;
    return options;
  }

  static bool trains(const EntrySpec &entry) {
    return entry.name.find("_step") != std::string::npos;
  }

  /// Trains first: what a network draws whose normalizations have seen no data is rounding.
  std::vector<EntrySpec> entries() const {
    std::vector<EntrySpec> list;
    for (bool training : {true, false})
      for (const EntrySpec &entry : model.entries())
        if (entry.name != "init" && trains(entry) == training)
          list.push_back(entry);
    return list;
  }

  /// One step of training: as launches, and from the same variables as a graph.
  void step(const EntrySpec &entry, const std::vector<View> &inputs) {
    const std::string before = weights + ".before";
    host.save(before);
    Results onHost = host.call(entry.name, inputs);
    for (bool isGraph : {false, true}) {
      if (isGraph)
        device.load(before);
      compare(entry, device.call(entry.name, inputs), onHost);
    }
    std::remove(before.c_str());
  }

  /// What draws samples and writes is called as launches, as a graph that is recorded, and
  /// replayed.
  void call(const EntrySpec &entry, const std::vector<View> &inputs) {
    for (int call = 0; call < 3; ++call) {
      Results onDevice = device.call(entry.name, inputs);
      compare(entry, onDevice, host.call(entry.name, inputs));
    }
  }

  /// The results of a call, and the variables after it.
  void compare(const EntrySpec &entry, const Results &onDevice, const Results &onHost) {
    for (size_t i = 0; i < onHost.size(); ++i)
      compare(entry.name + ": " + onHost.name(i), onDevice[i], onHost[i]);
    copyVariables(device, copy);
    compareVariables();
  }

  /// Variables go from one to the other by a file, since those of which someone has a view do not
  /// stay on the GPU.
  void copyVariables(Session &from, Session &to) {
    from.save(weights);
    to.load(weights);
    std::remove(weights.c_str());
  }

  /// Notes an element that is off by more than `room` (and of the largest, kTolerance), unless
  /// `isNoise` of its number: returns how many are.
  size_t compare(const std::string &name, const View &onDevice, const View &onHost, double room = 0,
                 const std::function<bool(size_t)> &isNoise = nullptr) {
    if (onHost.dtype() != GEN_F32 || onDevice.shape() != onHost.shape()) {
      if (!sameBits(onDevice, onHost))
        problems.push_back(name + ": other numbers");
      return 0;
    }
    std::vector<double> got = elementsOf(name, onDevice), expected = elementsOf(name, onHost);
    room += kTolerance * largestOf(expected);
    size_t excused = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      if (std::fabs(got[i] - expected[i]) <= room)
        continue;
      if (!isNoise || !isNoise(i)) {
        char text[160];
        std::snprintf(text, sizeof text,
                      ", element %zu: %.9g on the GPU, %.9g on the CPU, off by more than %.3g", i,
                      got[i], expected[i], room);
        problems.push_back(name + text);
        break;
      }
      ++excused;
    }
    return excused;
  }

  /// The means that Adam and RMSprop keep of gradients and their squares; "" for others.
  static std::string kindOf(const std::string &name) {
    for (const char *kind : {".exp_avg", ".exp_avg_sq", ".square_avg"})
      if (endsWith(name, kind))
        return kind;
    return "";
  }

  /// The means of a variable's gradients, or of those of the one that it is an average of
  /// (`ema.unet...` of `unet...`); none for what no gradient changes.
  std::vector<double> gradientsOf(const std::string &variable) {
    for (const TensorSpec &spec : model.variables())
      for (const char *kind : {".exp_avg", ".square_avg"})
        if (endsWith(spec.name, "." + variable + kind))
          return elementsOf(spec.name, host.variable(spec.name));
    size_t dot = variable.find('.');
    return dot == std::string::npos ? std::vector<double>() : gradientsOf(variable.substr(dot + 1));
  }

  void compareVariables() {
    std::map<std::string, double> largest; // of all gradients
    for (const TensorSpec &spec : model.variables())
      if (std::string kind = kindOf(spec.name); !kind.empty())
        largest[kind] =
            std::max(largest[kind], largestOf(elementsOf(spec.name, host.variable(spec.name))));
    size_t excused = 0, all = 0;
    for (const TensorSpec &spec : model.variables()) {
      excused += compareVariable(spec.name, largest);
      all += host.variable(spec.name).size();
    }
    if (excused > all / 100)
      problems.push_back(std::to_string(excused) + " of " + std::to_string(all) +
                         " elements of variables are changed by noise");
  }

  /// A sum that cancels is off by the rounding of its summands. They are taken to be as large as
  /// the largest gradient of the model; and where a gradient is no larger than its error can be, as
  /// where it is zero in exact arithmetic (of a bias that a normalization takes away, of the keys'
  /// bias in an attention), Adam divides noise by its own size. What it does to the variable is not
  /// compared.
  size_t compareVariable(const std::string &name, std::map<std::string, double> &largest) {
    View onDevice = copy.variable(name), onHost = host.variable(name);
    if (std::string kind = kindOf(name); !kind.empty())
      return compare(name, onDevice, onHost, kRounding * largest[kind]);
    std::vector<double> gradients = gradientsOf(name);
    double noise = 10 * kTolerance * largestOf(gradients) +
                   10 * kRounding * std::max(largest[".exp_avg"], largest[".square_avg"]);
    return compare(name, onDevice, onHost, 0, [&](size_t i) {
      return !gradients.empty() && std::fabs(gradients[i]) <= noise;
    });
  }

  const Model &model;
  const std::string weights;
  Session host, device, copy;
};

} // namespace

std::vector<std::string> compareWithCpu(const Model &model, const std::string &weights) {
  Comparison comparison(model, weights);
  comparison.run();
  return comparison.problems;
}

} // namespace gen::gpu
