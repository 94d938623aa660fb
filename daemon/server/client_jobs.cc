#include "daemon/server/client_jobs.h"

#include <memory>
#include <optional>
#include <utility>

namespace cinnabar::daemon {

engine::JobId ClientJobs::submit(engine::Job job, Done done, Observer observer) {
  job.client = client_;
  // The runner knows the id only after this; the session's lock, which is held here, keeps its answer waiting until then.
  const auto id = std::make_shared<engine::JobId>(0);
  if (done || observer) {
    job.done = [id, guard = guard_, done = std::move(done), observer = std::move(observer)](engine::Outcome outcome) {
      if (observer) observer(outcome);
      if (done) guard([&] { done(*id, std::move(outcome)); });
    };
  }
  if (job.prepare) {
    job.prepare = [guard = guard_, prepare = std::move(job.prepare)] {
      std::optional<engine::InfillRequest> request;
      guard([&] { request = prepare(); });
      return request;
    };
  }
  return *id = runner_.submit(std::move(job));
}

}  // namespace cinnabar::daemon
