//===- Classification.cpp - how well classes are told ---------------------===//

#include "gen/classification.hpp"
#include "gen/confusion.hpp"
#include "gen/files.hpp"

namespace gen {

namespace {
class Classification : public Report {
public:
  void add(const Results &results, const data::Source &source, const data::Batch &batch) override {
    const auto *classes = results["classes"].data<int64_t>();
    for (int64_t label : batch.features[source.find("labels")].integers)
      confusion.add(label, *classes++);
  }
  Figures figures() const override {
    return {{"accuracy", confusion.accuracy()},
            {"precision", macro(confusion, &Confusion::precision)},
            {"recall", macro(confusion, &Confusion::recall)},
            {"f1", macro(confusion, &Confusion::f1)}};
  }
  std::string text() const override { return confusion.table(); }
  void write(const std::string &folder) const override {
    writeFileAtomically(folder + "/confusion.svg", confusion.svg());
  }

private:
  Confusion confusion;
};
} // namespace

std::unique_ptr<Report> classification() { return std::make_unique<Classification>(); }

} // namespace gen
