// Which documents are left alone: what they are called, where they lie, and what the user has said.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/workspace/ignore_files.h"
#include "daemon/workspace/uri.h"

namespace cinnabar::daemon {

// What the user has said about files.
struct Exclusions {
  bool enabled = true;
  std::map<std::string, bool> languages;  // by LSP's language id, "*" for the rest; not named: on
  std::vector<std::string> exclude;       // globs over paths
};

// Why a document is not completed, as a sentence for the status item; empty when it is. `folders` are the workspace's
// paths; of those that hold the document the innermost counts. Looks at the file system: where links lead, and what
// `ignores` has to read.
//
// Off are: other schemes than file:, untitled: and notebook cells; files that hold secrets by their name
// (secret_names.h); options.exclude; what the folder's .gitignore and .cinnabarignore files
// leave out; languages that are switched off. A name that is a link, or lies behind one, is judged by where it leads,
// too.
std::string exclusion_reason(std::string_view uri, std::string_view language, const Exclusions& options,
                             const std::vector<std::string>& folders, IgnoreFiles& ignores);

// The same of a file by its path, for one that no client has opened.
bool may_be_read(const std::string& path, std::string_view language, const Exclusions& options,
                 const std::vector<std::string>& folders, IgnoreFiles& ignores);

// Shell globs over paths: "*.pem" matches a file's name, "secrets/" any folder of that name, "build/*.cc" and
// "/build/*.cc" a path below `folder` ("*" does not cross a slash, "**" does). Letter case does not count.
bool matches_glob(std::string_view path, std::string_view folder, std::string_view glob);

}  // namespace cinnabar::daemon
