// The C interface of profiles.
#include "Session.h"

using namespace gen::runtime;

gen_status *gen_profile_start(gen_session *session) {
  return guard([&] {
    SessionUse use(session, "gen_profile_start");
    session->profile.start();
  });
}

gen_status *gen_profile_stop(gen_session *session) {
  return guard([&] {
    SessionUse use(session, "gen_profile_stop");
    session->profile.stop();
  });
}

size_t gen_profile_kernel_count(const gen_session *session) {
  return session ? session->profile.kernelCount() : 0;
}

gen_status *gen_profile_kernel(const gen_session *session, size_t index,
                               gen_kernel_profile *profile) {
  return guard([&] {
    requireNonNull(session, "gen_profile_kernel", "session");
    requireNonNull(profile, "gen_profile_kernel", "profile");
    *profile = {};
    if (index >= session->profile.kernelCount())
      fail(GEN_INVALID_ARGUMENT, "gen_profile_kernel: number %zu of %zu", index,
           session->profile.kernelCount());
    *profile = session->profile.kernel(index);
  });
}

double gen_profile_flops(const gen_session *session) {
  return session ? session->profile.flops() : 0;
}

// Those of a GPU are not measured.
static const Limits &limitsOf(const gen_session &session) {
  static const Limits unknown = {0, {}};
  return session.gpu ? unknown : limitsOf(session.threads);
}

gen_status *gen_profile_write(gen_session *session, const char *path) {
  return guard([&] {
    requireNonNull(path, "gen_profile_write", "path");
    SessionUse use(session, "gen_profile_write");
    session->profile.write(path, limitsOf(*session));
  });
}

gen_status *gen_profile_limit(gen_session *session, double *seconds) {
  return guard([&] {
    requireNonNull(seconds, "gen_profile_limit", "seconds");
    *seconds = 0;
    SessionUse use(session, "gen_profile_limit");
    *seconds = session->profile.limitSeconds(limitsOf(*session));
  });
}
