// The loader: an order from seed and epoch, and one batch ahead.
#include "gen/loader.hpp"
#include "CounterRandom.h"

#include <fmt/format.h>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace gen::data {

Loader::Loader(std::shared_ptr<const Source> from, const LoaderOptions &given)
    : source(std::move(from)), options(given) {
  if (options.batch < 1 || options.batch > source->count())
    throw std::runtime_error(fmt::format("batch: expected 1 to {}, the number of examples, got {}",
                                         source->count(), options.batch));
  if (source->count() > std::numeric_limits<uint32_t>::max())
    throw std::runtime_error(
        fmt::format("expected fewer than 2^32 examples, got {}", source->count()));
}

void Loader::seek(int64_t position) {
  if (position < 0)
    throw std::runtime_error(fmt::format("position: expected 0 or more batches, got {}", position));
  if (coming.valid())
    coming.get();
  step = position;
}

// Fisher and Yates' shuffle, with the epoch as the stream of random numbers.
void Loader::orderEpoch(int64_t epoch) {
  order.resize(static_cast<size_t>(source->count()));
  std::iota(order.begin(), order.end(), 0);
  CounterRandom random(options.seed, static_cast<uint64_t>(epoch));
  for (auto i = static_cast<uint32_t>(order.size()); i > 1; --i)
    std::swap(order[i - 1], order[random.below(i)]);
  orderedEpoch = epoch;
}

Batch Loader::make(int64_t number) {
  int64_t batches = batchesPerEpoch(), inEpoch = number % batches;
  bool shuffled = options.order == Order::Shuffled;
  if (shuffled && number / batches != orderedEpoch)
    orderEpoch(number / batches);
  Batch made;
  made.features.resize(source->features().size());
  for (int64_t row = 0; row < options.batch; ++row)
    source->read(shuffled ? order[inEpoch * options.batch + row] : row * batches + inEpoch, made);
  return made;
}

const Batch &Loader::next() {
  batch = coming.valid() ? coming.get() : make(step);
  ++step;
  coming = std::async(std::launch::async, [this, number = step] { return make(number); });
  return batch;
}

} // namespace gen::data
