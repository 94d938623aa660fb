#include "daemon/server/recording.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "daemon/config/settings.h"
#include "lsp/json.h"

namespace cinnabar::daemon {
namespace {

constexpr std::int32_t kFormat = 1;

std::optional<engine::StopReason> parse_reason(std::string_view text) {
  using engine::StopReason;
  for (const auto reason : {StopReason::hole_end, StopReason::end_token, StopReason::length, StopReason::steps,
                            StopReason::deadline, StopReason::cancelled}) {
    if (text == name(reason)) return reason;
  }
  return std::nullopt;
}

// Wire forms, for the readers of lsp/fields.h.
struct AnswerLine {
  engine::InfillAnswer answer;
};
struct ResumeLine {
  engine::Resume& resume;
};
struct Line {
  std::int32_t format = 0;
  Recording recording;
  lsp::Json settings;
  std::vector<AnswerLine> answers;
};

bool from_json(const lsp::Field& at, AnswerLine& out) {
  std::string reason;
  std::int32_t tokens = 0;
  if (!at.required("text", out.answer.text) || !at.required("reason", reason) || !at.required("tokens", tokens))
    return false;
  const auto known = parse_reason(reason);
  if (!known) return at.fail("an answer whose reason is one of ours");
  out.answer.reason = *known;
  out.answer.tokens = tokens;
  return true;
}

bool from_json(const lsp::Field& at, const ResumeLine& out) {
  std::vector<std::int32_t> tokens;
  if (!at.required("tokens", tokens) || !at.required("forbidden", out.resume.forbidden)) return false;
  for (const std::int32_t token : tokens) out.resume.tokens.push_back({.id = token});
  return true;
}

bool from_json(const lsp::Field& at, Line& out) {
  Recording& recording = out.recording;
  const ResumeLine resume{recording.resume};
  std::int32_t candidates = 0, nfe = 0;
  const bool ok = at.required("cinnabar", out.format) && at.required("language", recording.language) &&
                  at.required("before", recording.before) && at.required("behind", recording.behind) &&
                  at.required("settings", out.settings) && at.required("candidates", candidates) &&
                  at.required("former", recording.former) && at.optional("above", recording.above) &&
                  at.optional("heading", recording.heading) && at.optional("context", recording.context) &&
                  at.optional("resume", resume) && at.required("device", recording.device) && at.required("nfe", nfe) &&
                  at.required("answers", out.answers);
  recording.candidates = candidates;
  recording.nfe = nfe;
  return ok;
}

Status system_error(const std::string& what) { return Status::error(what + ": " + std::strerror(errno)); }

}  // namespace

lsp::Json to_json(const Recording& recording) {
  lsp::Json answers = lsp::Json::array();
  for (const auto& answer : recording.answers)
    answers.push_back({{"text", answer.text}, {"reason", name(answer.reason)}, {"tokens", answer.tokens}});
  lsp::Json out = {{"cinnabar", kFormat},
                   {"language", recording.language},
                   {"before", recording.before},
                   {"behind", recording.behind},
                   {"settings", settings_of(recording.options)},
                   {"candidates", recording.candidates},
                   {"former", recording.former},
                   {"device", recording.device},
                   {"nfe", recording.nfe},
                   {"answers", std::move(answers)}};
  if (!recording.above.empty()) out["above"] = recording.above;
  if (!recording.heading.empty()) out["heading"] = recording.heading;
  if (!recording.context.empty()) out["context"] = recording.context;
  if (!recording.resume.empty()) {
    std::vector<std::int32_t> tokens;
    for (const auto& token : recording.resume.tokens) tokens.push_back(token.id);
    out["resume"] = {{"tokens", tokens}, {"forbidden", recording.resume.forbidden}};
  }
  return out;
}

Result<Recording> parse_recording(std::string_view line) {
  const auto value = lsp::parse_json(line);
  if (!value.ok()) return Status::error("not a whole line of a recording: " + value.error().message);
  auto read = lsp::read<Line>(*value, "record", lsp::ErrorCode::invalid_request);
  if (!read.ok()) return Status::error(read.error().message);
  if (read->format != kFormat)
    return Status::error("record.cinnabar: format " + std::to_string(read->format) + ", expected " +
                         std::to_string(kFormat) + "; replay it with the version that recorded it");
  Recording recording = std::move(read->recording);
  for (auto& answer : read->answers) recording.answers.push_back(std::move(answer.answer));
  const auto problems = apply_settings(read->settings, recording.options);
  if (!problems.empty()) return Status::error("record.settings: " + problems.front());
  return recording;
}

Recorder::Recorder(std::string path, Descriptor file, std::size_t size, Log log, Limits limits)
    : path_(std::move(path)), log_(std::move(log)), limits_(limits), file_(std::move(file)), size_(size) {}

Result<std::unique_ptr<Recorder>> Recorder::open(const std::string& path, Log log, Limits limits) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  struct stat found {};
  if (!file || fstat(file.get(), &found) != 0) return system_error("cannot record in " + path);
  if (!S_ISREG(found.st_mode)) return Status::error("cannot record in " + path + ": it is no file");
  if (found.st_uid != geteuid() || (found.st_mode & 077) != 0)
    return Status::error("cannot record in " + path + ": others may read it; expected mode 0600 and your own");
  log("records every request to the model, with its text, in " + path + ", up to " + std::to_string(limits.file >> 20) +
      " MiB");
  return std::unique_ptr<Recorder>(
      new Recorder(path, std::move(file), static_cast<std::size_t>(found.st_size), std::move(log), limits));
}

void Recorder::add(const Recording& recording) {
  const std::lock_guard lock(mutex_);
  if (!file_) return;
  if (recording.before.size() + recording.behind.size() > limits_.line)
    return log_("a request of more than " + std::to_string(limits_.line >> 20) + " MiB of text is not recorded");
  const std::string line = lsp::write_json(to_json(recording)) + "\n";
  if (size_ + line.size() > limits_.file) return end("it is full");
  const auto written = write(file_.get(), line.data(), line.size());
  if (written != static_cast<ssize_t>(line.size())) return end("it cannot be written");
  size_ += line.size();
}

void Recorder::end(const std::string& why) {
  log_("records no more in " + path_ + ": " + why);
  file_.close();
}

}  // namespace cinnabar::daemon
