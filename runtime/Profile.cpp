// Recording launches and writing them as a Chrome trace (Trace Event Format, "complete" events).
#include "Profile.h"

#include "File.h"
#include "Json.h"

#include <algorithm>
#include <new>

namespace gen::runtime {

static constexpr size_t kMaxEvents = size_t(1) << 20;

void Profile::start() {
  events.clear();
  sums.clear();
  origin = Clock::now();
  recording = true;
}

Profile::Sum &Profile::sumOf(const gen_kernel_info *kernel) {
  auto less = [](const Sum &sum, const gen_kernel_info *key) { return sum.kernel < key; };
  auto place = std::lower_bound(sums.begin(), sums.end(), kernel, less);
  if (place == sums.end() || place->kernel != kernel)
    place = sums.insert(place, Sum{kernel, 0, 0, 0, 0});
  return *place;
}

void Profile::addEvent(const Event &event) {
  if (events.size() < kMaxEvents)
    events.push_back(event);
}

void Profile::addLaunch(const gen_kernel_info *kernel, Clock::time_point begin,
                        Clock::time_point end, int64_t tasks, int64_t flops,
                        int64_t bytes) noexcept {
  try {
    double seconds = std::chrono::duration<double>(end - begin).count();
    Sum &sum = sumOf(kernel);
    ++sum.calls;
    sum.seconds += seconds;
    sum.flops += double(flops);
    sum.bytes += double(bytes);
    addEvent({kernel, nullptr, since(begin), seconds, tasks, flops, bytes});
  } catch (const std::bad_alloc &) {
    recording = false; // a profile is worth less than the run
  }
}

void Profile::addCall(const char *entry, Clock::time_point begin, Clock::time_point end) noexcept {
  try {
    addEvent({nullptr, entry, since(begin), since(end) - since(begin), 0, 0, 0});
  } catch (const std::bad_alloc &) {
    recording = false;
  }
}

gen_kernel_profile Profile::kernel(size_t rank) const {
  std::vector<const Sum *> order;
  for (const Sum &sum : sums)
    order.push_back(&sum);
  std::nth_element(order.begin(), order.begin() + rank, order.end(),
                   [](const Sum *a, const Sum *b) {
                     return a->seconds != b->seconds ? a->seconds > b->seconds : a < b;
                   });
  const Sum &sum = *order[rank];
  const char *location = sum.kernel->location;
  return {sum.kernel->name, location ? location : "", sum.calls, sum.seconds, sum.flops, sum.bytes};
}

double Profile::flops() const {
  double total = 0;
  for (const Sum &sum : sums)
    total += sum.flops;
  return total;
}

// Launches of one kernel are taken as equal.
static double limitOf(const gen_kernel_profile &sum, const Limits &limits) {
  double calls = double(sum.calls);
  return calls * limits.seconds(sum.flops / calls, sum.bytes / calls);
}

double Profile::limitSeconds(const Limits &limits) const {
  double total = 0;
  for (size_t rank = 0; rank < sums.size(); ++rank)
    total += limitOf(kernel(rank), limits);
  return total;
}

static double percent(double part, double whole) { return whole > 0 ? 100 * part / whole : 0; }

static double rate(double amount, double seconds) {
  return seconds > 0 ? amount / seconds * 1e-9 : 0;
}

void Profile::write(const std::string &path, const Limits &limits) const {
  AtomicFile file(path);
  file.write("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n"
             "{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,\"tid\":1,"
             "\"args\":{\"name\":\"session\"}}");
  for (const Event &event : events) {
    const char *name = event.kernel ? event.kernel->name : event.entry;
    file.write(format(",\n{\"name\":%s,\"cat\":\"%s\",\"ph\":\"X\",\"pid\":1,\"tid\":1,"
                      "\"ts\":%.3f,\"dur\":%.3f",
                      quoteJson(name).c_str(), event.kernel ? "kernel" : "entry", event.begin * 1e6,
                      event.seconds * 1e6));
    if (event.kernel)
      file.write(
          format(",\"args\":{\"location\":%s,\"tasks\":%lld,\"flops\":%lld,\"bytes\":%lld,"
                 "\"gflop_per_s\":%.3f,\"gbyte_per_s\":%.3f,"
                 "\"percent_of_limit\":%.1f}",
                 quoteJson(event.kernel->location ? event.kernel->location : "").c_str(),
                 (long long)event.tasks, (long long)event.flops, (long long)event.bytes,
                 rate(double(event.flops), event.seconds), rate(double(event.bytes), event.seconds),
                 percent(limits.seconds(double(event.flops), double(event.bytes)), event.seconds)));
    file.write("}");
  }
  file.write("\n],\"kernels\":[");
  for (size_t rank = 0; rank < sums.size(); ++rank) {
    gen_kernel_profile sum = kernel(rank);
    file.write(format("%s\n{\"name\":%s,\"location\":%s,\"calls\":%llu,\"ms\":%.6f,\"flops\":%.0f,"
                      "\"bytes\":%.0f,\"gflop_per_s\":%.3f,\"gbyte_per_s\":%.3f,"
                      "\"percent_of_limit\":%.1f}",
                      rank ? "," : "", quoteJson(sum.name).c_str(), quoteJson(sum.location).c_str(),
                      (unsigned long long)sum.calls, sum.seconds * 1e3, sum.flops, sum.bytes,
                      rate(sum.flops, sum.seconds), rate(sum.bytes, sum.seconds),
                      percent(limitOf(sum, limits), sum.seconds)));
  }
  file.write(format("\n],\"limits\":{\"gflop_per_s\":%.3f,\"gbyte_per_s\":{",
                    limits.flopsPerSecond * 1e-9));
  for (const Limits::Bandwidth &level : limits.bandwidth)
    file.write(format("%s\"%lld\":%.3f", &level == &limits.bandwidth.front() ? "" : ",",
                      (long long)level.bytes, level.bytesPerSecond * 1e-9));
  file.write("}}}\n");
  file.commit();
}

} // namespace gen::runtime
