#include "daemon/server/server.h"

#include <unistd.h>

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "base/system.h"
#include "daemon/server/open_engine.h"
#include "daemon/server/services.h"
#include "daemon/server/session.h"
#include "daemon/server/shared_model.h"
#include "daemon/version.h"

namespace cinnabar::daemon {

namespace {

Result<std::unique_ptr<engine::Infiller>> open_from_files(const engine::EngineOptions& chosen) {
  auto engine = open_chosen(chosen);
  if (!engine) return engine.status();
  return std::unique_ptr<engine::Infiller>(std::move(engine).value());
}

std::string_view name(engine::ModelState::Kind kind) {
  switch (kind) {
    case engine::ModelState::Kind::unloaded:
      return "unloaded";
    case engine::ModelState::Kind::loading:
      return "loading";
    case engine::ModelState::Kind::ready:
      return "ready";
    case engine::ModelState::Kind::failed:
      return "failed";
  }
  return "";
}

// As it stands where the current folder is none.
std::string absolute_path(const std::string& path) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(path, error);
  return error ? path : absolute.lexically_normal().string();
}

class Server final : public Host, public Services {
 public:
  explicit Server(ServerOptions options)
      : options_(with_defaults(std::move(options))),
        shared_(options_.options.model),
        started_(std::chrono::steady_clock::now()),
        runner_(loader(shared_.present()), runner_options()) {
    if (options_.load_at_start) runner_.load();
  }

  std::unique_ptr<Connection> connect(std::shared_ptr<lsp::Transport> out) override;

  bool ends_slowly() const override { return runner_.model().kind == engine::ModelState::Kind::loading; }

  engine::Runner& runner() override { return runner_; }
  Stats& stats() override { return stats_; }
  const Options& defaults() const override { return options_.options; }

  void choose_model(engine::ClientId client, const ModelOptions& engine) override {
    const std::lock_guard lock(mutex_);
    host(shared_.request_model(client, engine));
  }

  std::string model_refusal(engine::ClientId client) override {
    const std::lock_guard lock(mutex_);
    if (shared_.is_served(client)) return {};
    return "the daemon's model (" + path_of_model() +
           ") is shared with an editor that was there before; this editor's own choice (cinnabar.model and what goes "
           "with it) takes effect when that one has gone";
  }

  GateWeights gate() override {
    const std::lock_guard lock(mutex_);
    return gate_;
  }
  NextEditForm next_edit_form() override {
    const std::lock_guard lock(mutex_);
    return next_edit_form_;
  }

  bool records() const override { return options_.recorder != nullptr || options_.observer; }
  void record(Recording recording) override {
    {
      const std::lock_guard lock(mutex_);
      static_cast<engine::EngineOptions&>(recording.options.model) = loaded_;
    }
    for (std::string* path : {&recording.options.model.model, &recording.options.model.adapter}) {
      if (!path->empty() && *path != engine::kNoAdapter) *path = absolute_path(*path);
    }
    recording.device = runner_.model().device;
    if (options_.recorder) options_.recorder->add(recording);
    if (options_.observer) options_.observer(recording);
  }

  lsp::Json status() override {
    const auto model = runner_.model();
    const std::lock_guard lock(mutex_);
    const auto up = std::chrono::steady_clock::now() - started_;
    lsp::Json out = stats_.report();
    out["version"] = kVersion;
    out["pid"] = ::getpid();
    out["uptimeSeconds"] = std::chrono::duration_cast<std::chrono::seconds>(up).count();
    out["model"] = {
        {"state", name(model.kind)}, {"description", model.text}, {"device", model.device}, {"path", path_of_model()}};
    if (!model.no_gpu.empty()) out["model"]["noGpu"] = model.no_gpu;
    out["residentBytes"] = resident_bytes();
    out["clients"] = sessions_.size();
    out["queue"] = {{"waiting", runner_.waiting()}, {"running", runner_.running()}};
    return out;
  }

  void leave(engine::ClientId client) {
    const std::lock_guard lock(mutex_);
    sessions_.erase(client);
    host(shared_.client_left(client));
  }

 private:
  static ServerOptions with_defaults(ServerOptions options) {
    if (!options.choose_model) {
      if (options.open_model)
        options.choose_model = [](const ModelOptions& model) {
          return Result<ChosenModel>(ChosenModel{model, {}, {}});
        };
      else
        options.choose_model = chosen_model;
    }
    if (!options.open_model) options.open_model = open_from_files;
    return options;
  }

  engine::Runner::Loader loader(const ModelOptions& engine) {
    return [this, engine]() -> Result<std::unique_ptr<engine::Infiller>> {
      const auto chosen = options_.choose_model(engine);
      if (!chosen) return chosen.status();
      {
        const std::lock_guard lock(mutex_);
        loaded_ = chosen->engine;
        gate_ = chosen->gate;
        next_edit_form_ = chosen->next_edit_form;
      }
      return options_.open_model(chosen->engine);
    };
  }

  // Under the lock.
  void host(const std::optional<ModelOptions>& engine) {
    if (engine) runner_.replace_model(loader(*engine));
  }
  // As it was named; what no name comes to, once that is known.
  std::string path_of_model() const {
    if (!shared_.present().model.empty()) return shared_.present().model;
    return loaded_.model.empty() ? "embedded" : loaded_.model;
  }

  engine::RunnerOptions runner_options() {
    engine::RunnerOptions runner;
    runner.idle_unload = std::chrono::minutes(options_.options.idle_unload_minutes);
    runner.on_state = [this](const engine::ModelState& state) {
      if (state.kind == engine::ModelState::Kind::loading) stats_.count(Count::model_loads);
      if (state.kind == engine::ModelState::Kind::failed) stats_.count(Count::model_failures);
      for (const auto& session : sessions()) session->model_changed(state);
    };
    return runner;
  }

  std::vector<std::shared_ptr<Session>> sessions() {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<Session>> alive;
    for (const auto& [client, session] : sessions_)
      if (auto strong = session.lock()) alive.push_back(std::move(strong));
    return alive;
  }

  const ServerOptions options_;
  std::mutex mutex_;  // of what follows up to stats_; taken under a session's lock, never the other way round
  SharedModel shared_;
  engine::EngineOptions loaded_;  // what the runner's model was opened with; the shared one as soon as it is there
  GateWeights gate_;              // of the same
  NextEditForm next_edit_form_ = NextEditForm::proposals;  // of the same
  std::map<engine::ClientId, std::weak_ptr<Session>> sessions_;
  engine::ClientId last_client_ = 0;
  const std::chrono::steady_clock::time_point started_;
  Stats stats_;
  engine::Runner runner_;  // last: its thread ends before what it uses
};

class SessionConnection final : public Connection {
 public:
  SessionConnection(Server& server, engine::ClientId client, std::shared_ptr<Session> session)
      : server_(server), client_(client), session_(std::move(session)) {}
  ~SessionConnection() override {
    session_->end();
    server_.leave(client_);
  }
  SessionConnection(const SessionConnection&) = delete;
  SessionConnection& operator=(const SessionConnection&) = delete;

  void receive(std::string_view bytes) override { session_->arrive(bytes); }
  bool turn() override { return session_->turn(); }
  std::optional<std::int32_t> editor_process() const override { return session_->editor_process(); }
  bool closed() const override { return session_->closed(); }
  std::optional<int> exit_code() const override { return session_->exit_code(); }
  std::size_t requests_in_flight() const override { return session_->requests_in_flight(); }

 private:
  Server& server_;
  const engine::ClientId client_;
  const std::shared_ptr<Session> session_;
};

std::unique_ptr<Connection> Server::connect(std::shared_ptr<lsp::Transport> out) {
  std::unique_lock lock(mutex_);
  const engine::ClientId client = ++last_client_;
  lock.unlock();
  auto session = Session::create(*this, client, std::move(out));
  lock.lock();
  sessions_.emplace(client, session);
  lock.unlock();
  session->model_changed(runner_.model());  // what changed since it was made
  return std::make_unique<SessionConnection>(*this, client, std::move(session));
}

}  // namespace

std::unique_ptr<Host> make_server(ServerOptions options) { return std::make_unique<Server>(std::move(options)); }

}  // namespace cinnabar::daemon
