// Commands and workspace/executeCommand: LSP 3.18, "Command" and "Execute a command".
#pragma once

#include <string>

#include "lsp/fields.h"
#include "lsp/method.h"

namespace cinnabar::lsp {

// `name` is one of ServerCapabilities::commands; `arguments` is an array, handed back to us unchanged.
struct Command {
  std::string title;
  std::string name;
  Json arguments = Json::array();
};

struct ExecuteCommandParams {
  std::string command;
  Json arguments = Json::array();  // an array
};

bool from_json(const Field& at, Command& out);
bool from_json(const Field& at, ExecuteCommandParams& out);
Json to_json(const Command& command);

inline constexpr RequestMethod<ExecuteCommandParams, Json> kExecuteCommand{"workspace/executeCommand"};

}  // namespace cinnabar::lsp
