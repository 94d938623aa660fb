// Messages, progress and documents shown to the user: LSP 3.18, "Window Features" and "Work Done Progress".
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lsp/fields.h"
#include "lsp/message.h"
#include "lsp/method.h"

namespace cinnabar::lsp {

enum class MessageType { error = 1, warning = 2, info = 3, log = 4, debug = 5 };

struct WindowMessage {
  MessageType type = MessageType::info;
  std::string message;
};

struct ShowDocumentParams {
  std::string uri;
  bool external = false;  // outside the editor, such as a browser
  bool take_focus = true;
};
struct ShowDocumentResult {
  bool success = false;
};

// The token is made by whoever starts the progress: by us (after kCreateProgress) or by the request it belongs to.
using ProgressToken = RequestId;

struct CreateProgressParams {
  ProgressToken token;
};
struct CancelProgressParams {
  ProgressToken token;
};

// One step of a work-done progress: one begin, any number of reports, one end.
struct WorkDoneProgress {
  enum class Kind { begin, report, end };
  ProgressToken token;
  Kind kind = Kind::report;
  std::string title;                        // begin only
  std::string message;                      // empty: unchanged
  std::optional<std::uint32_t> percentage;  // 0..100, never falling; begin without it: unknown throughout
  bool cancellable = false;                 // begin and report
};

bool from_json(const Field& at, ShowDocumentResult& out);
bool from_json(const Field& at, CancelProgressParams& out);
Json to_json(const WindowMessage& message);
Json to_json(const ShowDocumentParams& params);
Json to_json(const CreateProgressParams& params);
Json to_json(const WorkDoneProgress& progress);

inline constexpr NotificationMethod<WindowMessage> kShowMessage{"window/showMessage"};
inline constexpr NotificationMethod<WindowMessage> kLogMessage{"window/logMessage"};
inline constexpr RequestMethod<ShowDocumentParams, ShowDocumentResult> kShowDocument{"window/showDocument"};
inline constexpr RequestMethod<CreateProgressParams, Nothing> kCreateProgress{"window/workDoneProgress/create"};
inline constexpr NotificationMethod<CancelProgressParams> kCancelProgress{"window/workDoneProgress/cancel"};
inline constexpr NotificationMethod<WorkDoneProgress> kProgress{"$/progress"};

}  // namespace cinnabar::lsp
