// What the model was asked and what it answered, one JSON object a line: recorded when the user asks for it
// (`daemon --record`), run again by `cinnabar replay`.
//
//   {"cinnabar": 1, "language": "python", "before": TEXT, "behind": TEXT, "settings": {"mode": ..., "model": ...},
//    "candidates": 1, "former": TEXT[, "above": TEXT][, "heading": TEXT][, "context": [TEXT]][, "resume": {"tokens": [1], "forbidden":
//    [2]}], "nfe": 3, "device": "cpu (amx, 2 threads)", "answers": [{"text": TEXT, "reason": "hole_end", "tokens": 4}]}
//
// The texts are the user's: a recording is for the user's own eyes and for whoever the user gives it to. Documents are
// named in it, but not their folders.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "daemon/config/options.h"
#include "lsp/fields.h"

namespace cinnabar::daemon {

struct Recording {
  std::string language;        // of the tree that planned the hole; empty: there was none
  std::string above;           // of a notebook's cell: the cells above
  std::string heading = {};    // what the model is told of the document (heading.h): with its name, without its folder
  std::string before, behind;  // the whole document around the cursor
  Options options;             // what settings_of keeps of them
  int candidates = 1;
  std::string former;            // see engine::InfillRequest
  engine::Context context = {};  // the same
  engine::Resume resume = {};    // the same; the tokens' ids alone
  std::string device;            // where the model ran
  int nfe = 0;
  std::vector<engine::InfillAnswer> answers;  // as the engine gave them, before anything was cut for presentation
};

lsp::Json to_json(const Recording& recording);
// Of a line of a recording, on top of default options. Errors name the field or setting.
Result<Recording> parse_recording(std::string_view line);

// Adds to a file until it is full. Thread-safe. A failure ends the recording and is said in the log; nobody else
// notices.
class Recorder {
 public:
  struct Limits {
    std::size_t file = std::size_t{64} << 20;  // bytes
    std::size_t line = std::size_t{4} << 20;   // a longer request is left out
  };
  using Log = std::function<void(const std::string&)>;

  // Makes the file (0600) or adds to one that is there. Error: it is a link or no file, belongs to another user, or
  // others may read it. Says in the log that it records.
  static Result<std::unique_ptr<Recorder>> open(const std::string& path, Log log, Limits limits);
  static Result<std::unique_ptr<Recorder>> open(const std::string& path, Log log) {
    return open(path, std::move(log), Limits());
  }

  void add(const Recording& recording);

 private:
  Recorder(std::string path, Descriptor file, std::size_t size, Log log, Limits limits);
  void end(const std::string& why);

  const std::string path_;
  const Log log_;
  const Limits limits_;
  std::mutex mutex_;
  Descriptor file_;  // none: the recording has ended
  std::size_t size_;
};

}  // namespace cinnabar::daemon
