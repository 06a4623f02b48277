// The C interface of a session's device: calls in its memory, its stream, events.
#include "Session.h"

using namespace gen::runtime;

namespace {

Gpu &gpuOf(gen_session *session, const char *function) {
  if (!session->gpu)
    fail(GEN_INVALID_ARGUMENT, "%s: the session runs on the CPU; hint: choose the device 'cuda'",
         function);
  session->gpu->gpu.select();
  return session->gpu->gpu;
}

} // namespace

gen_status *gen_session_call_on_device(gen_session *session, const char *entry,
                                       const gen_tensor *arguments, size_t argumentCount,
                                       gen_tensor *results, size_t resultCount) {
  return guard([&] {
    requireNonNull(entry, "gen_session_call_on_device", "entry");
    SessionUse use(session, "gen_session_call_on_device");
    const gen_entry_info &info = session->findEntry(entry, results, resultCount);
    session->callOnDevice(info, arguments, argumentCount, results);
  });
}

gen_status *gen_session_wait(gen_session *session) {
  return guard([&] {
    SessionUse use(session, "gen_session_wait");
    if (session->gpu)
      gpuOf(session, "gen_session_wait").wait();
  });
}

gen_status *gen_session_stream(gen_session *session, void **stream) {
  return guard([&] {
    requireNonNull(stream, "gen_session_stream", "stream");
    *stream = nullptr;
    SessionUse use(session, "gen_session_stream");
    *stream = gpuOf(session, "gen_session_stream").streamOf();
  });
}

gen_status *gen_session_wait_event(gen_session *session, void *event) {
  return guard([&] {
    requireNonNull(event, "gen_session_wait_event", "event");
    SessionUse use(session, "gen_session_wait_event");
    gpuOf(session, "gen_session_wait_event").waitEvent(static_cast<CUevent>(event));
  });
}

gen_status *gen_session_record_event(gen_session *session, void *event) {
  return guard([&] {
    requireNonNull(event, "gen_session_record_event", "event");
    SessionUse use(session, "gen_session_record_event");
    gpuOf(session, "gen_session_record_event").recordEvent(static_cast<CUevent>(event));
  });
}
