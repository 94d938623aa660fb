#include "lsp/command.h"

namespace cinnabar::lsp {
namespace {

// A JSON value that must be an array.
struct Arguments {
  Json& values;
};

bool from_json(const Field& at, const Arguments& out) {
  if (!at.value().is_array()) return at.fail("array");
  out.values = at.value();
  return true;
}

}  // namespace

bool from_json(const Field& at, Command& out) {
  const Arguments arguments{out.arguments};
  return at.optional("title", out.title) && at.required("command", out.name) && at.optional("arguments", arguments);
}

bool from_json(const Field& at, ExecuteCommandParams& out) {
  const Arguments arguments{out.arguments};
  return at.required("command", out.command) && at.optional("arguments", arguments);
}

Json to_json(const Command& command) {
  return {{"title", command.title}, {"command", command.name}, {"arguments", command.arguments}};
}

}  // namespace cinnabar::lsp
