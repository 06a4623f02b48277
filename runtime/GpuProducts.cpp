// Products by cuBLASLt. Its matrices are column-major: what is row-major here is transposed there,
// so it computes the transposed result, of rhs and lhs.
#include "GpuProducts.h"

namespace gen::runtime {
namespace {

// cudaDataType, cublasComputeType_t, cublasOperation_t.
constexpr int kFloat = 0, kHalf = 2, kBrain = 14, kSumsInFloat = 68, kProductsInTf32 = 77;
constexpr int32_t kAsStored = 0, kTransposed = 1;
// CUBLASLT_MATMUL_DESC_, CUBLASLT_MATRIX_LAYOUT_, CUBLASLT_MATMUL_PREF_.
constexpr int kTransposeFirst = 3, kTransposeSecond = 4;
constexpr int kBatchCount = 5, kBatchOffset = 6;
constexpr int kMostWorkspace = 1, kLeastAlignments[] = {5, 6, 7, 8};

int typeOf(uint32_t dtype) {
  return dtype == GEN_F16 ? kHalf : dtype == GEN_BF16 ? kBrain : kFloat;
}

template <class T> using Owned = std::unique_ptr<std::remove_pointer_t<T>, CublasLt::Status (*)(T)>;

void check(CublasLt::Status status) {
  if (status)
    fail(GEN_INTERNAL, "GPU: cuBLASLt cannot compute a product (its error %d)", status);
}

// A batch of row-major matrices.
Owned<CublasLt::Layout> makeLayout(const CublasLt &library, uint32_t dtype, int64_t count,
                                   int64_t rows, int64_t columns) {
  CublasLt::Layout made = nullptr;
  check(library.layoutCreate(&made, typeOf(dtype), uint64_t(columns), uint64_t(rows), columns));
  Owned<CublasLt::Layout> layout(made, library.layoutDestroy);
  auto number = int32_t(count);
  int64_t offset = rows * columns;
  check(library.layoutSet(made, kBatchCount, &number, sizeof number));
  check(library.layoutSet(made, kBatchOffset, &offset, sizeof offset));
  return layout;
}

Owned<CublasLt::Layout> makeOperand(const CublasLt &library, const gen_device_product &product,
                                    int number, int64_t rows, int64_t columns) {
  if (product.transposed[number])
    std::swap(rows, columns);
  return makeLayout(library, product.dtypes[number], product.count, rows, columns);
}

Owned<CublasLt::Product> makeProduct(const CublasLt &library, const gen_device_product &product) {
  CublasLt::Product made = nullptr;
  int computed = product.tf32 ? kProductsInTf32 : kSumsInFloat;
  check(library.productCreate(&made, computed, kFloat));
  Owned<CublasLt::Product> owned(made, library.productDestroy);
  const int attributes[] = {kTransposeSecond, kTransposeFirst}; // of lhs, of rhs
  for (int number = 0; number < 2; ++number) {
    int32_t operation = product.transposed[number] ? kTransposed : kAsStored;
    check(library.productSet(made, attributes[number], &operation, sizeof operation));
  }
  return owned;
}

Owned<CublasLt::Preference> makePreference(const CublasLt &library) {
  CublasLt::Preference made = nullptr;
  check(library.preferenceCreate(&made));
  Owned<CublasLt::Preference> owned(made, library.preferenceDestroy);
  uint64_t bytes = GpuWorkspace::kBytes;
  uint32_t alignment = GpuWorkspace::kAlignment;
  check(library.preferenceSet(made, kMostWorkspace, &bytes, sizeof bytes));
  for (int attribute : kLeastAlignments)
    check(library.preferenceSet(made, attribute, &alignment, sizeof alignment));
  return owned;
}

} // namespace

struct GpuProducts::Plan {
  Plan(const CublasLt &library, CublasLt::Handle handle, const gen_device_product &product)
      : product(makeProduct(library, product)),
        lhs(makeOperand(library, product, 0, product.rows, product.depth)),
        rhs(makeOperand(library, product, 1, product.depth, product.columns)),
        result(
            makeLayout(library, product.dtypes[2], product.count, product.rows, product.columns)) {
    Owned<CublasLt::Preference> preference = makePreference(library);
    int found = 0;
    CublasLt::Status status =
        library.findAlgorithms(handle, this->product.get(), rhs.get(), lhs.get(), result.get(),
                               result.get(), preference.get(), /*most=*/1, &algorithm, &found);
    isUsable = status == 0 && found > 0 && algorithm.status == 0;
  }

  Owned<CublasLt::Product> product;
  Owned<CublasLt::Layout> lhs, rhs, result;
  CublasLt::Algorithm algorithm = {};
  bool isUsable = false;
};

GpuProducts::GpuProducts(GpuWorkspace &workspace, CUstream stream)
    : library(CublasLt::get()), workspace(workspace), stream(stream) {
  if (library && library->create(&handle))
    library = nullptr;
}

GpuProducts::~GpuProducts() {
  plans.clear();
  if (library)
    library->destroy(handle);
}

const GpuProducts::Plan &GpuProducts::planOf(const gen_device_product &product) {
  std::unique_ptr<Plan> &plan = plans[&product];
  if (!plan) {
    workspace.reserve();
    plan = std::make_unique<Plan>(*library, handle, product);
  }
  return *plan;
}

bool GpuProducts::launch(const gen_device_product &product, const uint64_t *frame) {
  void *memory[3];
  if (!library || !GpuWorkspace::findMemory(product.words, frame, memory))
    return false;
  const Plan &plan = planOf(product);
  if (!plan.isUsable)
    return false;
  const float one = 1, zero = 0;
  check(library->multiply(handle, plan.product.get(), &one, memory[1], plan.rhs.get(), memory[0],
                          plan.lhs.get(), &zero, memory[2], plan.result.get(), memory[2],
                          plan.result.get(), plan.algorithm.data, workspace.data(),
                          GpuWorkspace::kBytes, stream));
  return true;
}

} // namespace gen::runtime
