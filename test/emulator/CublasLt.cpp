// cuBLASLt without a GPU: the functions that the runtime finds by name (GEN_CUBLASLT), for streams
// of the emulated driver. Column-major products, with sums in f32, which are in the workspace
// before they are results.
#include "CublasLt.h"
#include "Numbers.h"
#include "Stream.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <vector>

namespace {

using gen::runtime::CublasLt;
using Status = CublasLt::Status;
constexpr Status kSuccess = 0, kNotInitialized = 1, kInvalid = 7, kNotSupported = 15;
constexpr int kFloat = 0, kHalf = 2, kBrain = 14, kSumsInFloat = 68, kProductsInTf32 = 77;

} // namespace

// Attributes by number, of 4 or 8 bytes.
struct Attributes {
  std::map<int, int64_t> values;

  Status set(int attribute, const void *value, size_t bytes, size_t expected) {
    if (bytes != expected)
      return kInvalid;
    int64_t number = 0;
    std::memcpy(&number, value, bytes);
    values[attribute] = number;
    return kSuccess;
  }
  int64_t get(int attribute) const {
    auto found = values.find(attribute);
    return found == values.end() ? 0 : found->second;
  }
};
struct CublasLt::OpaqueHandle {};
struct CublasLt::OpaquePreference : Attributes {};
struct CublasLt::OpaqueProduct : Attributes {};
struct CublasLt::OpaqueLayout : Attributes {
  int type;
  int64_t rows, columns, lead;
};

namespace {

constexpr int kTransposeA = 3, kTransposeB = 4, kBatchCount = 5, kBatchOffset = 6;
constexpr int kMostWorkspace = 1;

// A matrix of a batch; its elements as numbers.
struct Matrix {
  char *data;
  CublasLt::OpaqueLayout layout;
  bool isTransposed;

  int64_t rows() const { return isTransposed ? layout.columns : layout.rows; }
  int64_t columns() const { return isTransposed ? layout.rows : layout.columns; }
  int64_t position(int64_t batch, int64_t row, int64_t column) const {
    if (isTransposed)
      std::swap(row, column);
    return batch * layout.get(kBatchOffset) + column * layout.lead + row;
  }
  float get(int64_t at) const { return emulator::readNumber(element(), data, at); }
  void set(int64_t at, float value) const { emulator::writeNumber(element(), data, at, value); }
  emulator::Element element() const {
    return layout.type == kHalf    ? emulator::Element::Half
           : layout.type == kBrain ? emulator::Element::Brain
                                   : emulator::Element::Float;
  }
};

bool fit(const Matrix &a, const Matrix &b, const Matrix &d) {
  return a.rows() == d.rows() && b.columns() == d.columns() && a.columns() == b.rows() &&
         a.layout.type == b.layout.type;
}

// Calls `body` for each element of a batch of matrices, and with its number.
template <class Body> void forEach(const Matrix &d, Body &&body) {
  int64_t number = 0;
  for (int64_t batch = 0; batch < d.layout.get(kBatchCount); ++batch)
    for (int64_t row = 0; row < d.rows(); ++row)
      for (int64_t column = 0; column < d.columns(); ++column)
        body(batch, row, column, number++);
}

int64_t countOf(const Matrix &d) { return d.layout.get(kBatchCount) * d.rows() * d.columns(); }

void multiply(const Matrix &a, const Matrix &b, const Matrix &d, float *sums) {
  forEach(d, [&](int64_t batch, int64_t row, int64_t column, int64_t number) {
    sums[number] = 0;
    for (int64_t k = 0; k < a.columns(); ++k)
      sums[number] += a.get(a.position(batch, row, k)) * b.get(b.position(batch, k, column));
  });
}

void store(const float *sums, const Matrix &d) {
  forEach(d, [&](int64_t batch, int64_t row, int64_t column, int64_t number) {
    d.set(d.position(batch, row, column), sums[number]);
  });
}

char *bytesOf(const void *memory) { return static_cast<char *>(const_cast<void *>(memory)); }

} // namespace

#define EXPORTED extern "C" __attribute__((visibility("default"))) Status

// GEN_EMULATOR_NO_LIBRARY: it cannot start.
EXPORTED cublasLtCreate(CublasLt::Handle *handle) {
  if (std::getenv("GEN_EMULATOR_NO_LIBRARY"))
    return kNotInitialized;
  *handle = new CublasLt::OpaqueHandle;
  return kSuccess;
}
EXPORTED cublasLtDestroy(CublasLt::Handle handle) {
  delete handle;
  return kSuccess;
}
EXPORTED cublasLtMatmulDescCreate(CublasLt::Product *product, int computed, int scale) {
  if ((computed != kSumsInFloat && computed != kProductsInTf32) || scale != kFloat)
    return kNotSupported;
  *product = new CublasLt::OpaqueProduct;
  return kSuccess;
}
EXPORTED cublasLtMatmulDescDestroy(CublasLt::Product product) {
  delete product;
  return kSuccess;
}
EXPORTED cublasLtMatmulDescSetAttribute(CublasLt::Product product, int attribute, const void *value,
                                        size_t bytes) {
  return product->set(attribute, value, bytes, sizeof(int32_t));
}
EXPORTED cublasLtMatrixLayoutCreate(CublasLt::Layout *layout, int type, uint64_t rows,
                                    uint64_t columns, int64_t lead) {
  bool isKnown = type == kFloat || type == kHalf || type == kBrain;
  if (!isKnown || lead < int64_t(rows))
    return kInvalid;
  *layout = new CublasLt::OpaqueLayout{{}, type, int64_t(rows), int64_t(columns), lead};
  return kSuccess;
}
EXPORTED cublasLtMatrixLayoutDestroy(CublasLt::Layout layout) {
  delete layout;
  return kSuccess;
}
EXPORTED cublasLtMatrixLayoutSetAttribute(CublasLt::Layout layout, int attribute, const void *value,
                                          size_t bytes) {
  return layout->set(attribute, value, bytes,
                     attribute == kBatchCount ? sizeof(int32_t) : sizeof(int64_t));
}
EXPORTED cublasLtMatmulPreferenceCreate(CublasLt::Preference *preference) {
  *preference = new CublasLt::OpaquePreference;
  return kSuccess;
}
EXPORTED cublasLtMatmulPreferenceDestroy(CublasLt::Preference preference) {
  delete preference;
  return kSuccess;
}
EXPORTED cublasLtMatmulPreferenceSetAttribute(CublasLt::Preference preference, int attribute,
                                              const void *value, size_t bytes) {
  return preference->set(attribute, value, bytes,
                         attribute == kMostWorkspace ? sizeof(uint64_t) : sizeof(uint32_t));
}
// GEN_EMULATOR_NO_ALGORITHM: it knows none.
EXPORTED cublasLtMatmulAlgoGetHeuristic(CublasLt::Handle, CublasLt::Product, CublasLt::Layout,
                                        CublasLt::Layout, CublasLt::Layout, CublasLt::Layout,
                                        CublasLt::Preference, int, CublasLt::Algorithm *algorithm,
                                        int *count) {
  *count = std::getenv("GEN_EMULATOR_NO_ALGORITHM") ? 0 : 1;
  *algorithm = {};
  return *count ? kSuccess : kNotSupported;
}
EXPORTED cublasLtMatmul(CublasLt::Handle, CublasLt::Product product, const void *, const void *a,
                        CublasLt::Layout layoutOfA, const void *b, CublasLt::Layout layoutOfB,
                        const void *, const void *, CublasLt::Layout, void *d,
                        CublasLt::Layout layoutOfD, const uint64_t *, void *workspace, size_t bytes,
                        gen::runtime::CUstream stream) {
  Matrix first{bytesOf(a), *layoutOfA, product->get(kTransposeA) != 0},
      second{bytesOf(b), *layoutOfB, product->get(kTransposeB) != 0},
      result{bytesOf(d), *layoutOfD, false};
  if (!fit(first, second, result))
    return kInvalid;
  if (countOf(result) * sizeof(float) > bytes) {
    emulator::addWork(stream, "cublasLtMatmul", [=] {
      std::vector<float> sums(static_cast<size_t>(countOf(result)));
      multiply(first, second, result, sums.data());
      store(sums.data(), result);
    });
    return kSuccess;
  }
  auto *sums = static_cast<float *>(workspace);
  emulator::addWork(stream, "cublasLtMatmul", [=] { multiply(first, second, result, sums); });
  emulator::addWork(stream, "cublasLtMatmul, its results", [=] { store(sums, result); });
  return kSuccess;
}
