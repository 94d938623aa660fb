// What a file is, said to the model: one line in front of the prefix, a comment with the file's name in the language's own
// form. At the top of a new file nothing else says which language it is. The line is the same as long as the file is, so
// keys and values behind it stay valid. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "daemon/workspace/documents/snapshot.h"

namespace cinnabar::daemon {

// "# solution.py\n" for a document of any path or language; empty where neither says anything, or a name is no plain line
// of text. A notebook's cell and a name without an extension go by their language: "# notebook.py".
std::string heading_of(const DocumentSnapshot& document);

// The same by the last part of a path, and LSP's identifier or empty.
std::string heading_of(std::string_view path, std::string_view language_id);

// The name in it: a file's last part, with its language's extension where it has none. Empty like the heading.
std::string told_name(const DocumentSnapshot& document);
std::string told_name(std::string_view path, std::string_view language_id);

}  // namespace cinnabar::daemon
