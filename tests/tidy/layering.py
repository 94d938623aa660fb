#!/usr/bin/env python3
"""The layers: who may include and link whom, and what may not appear where (ARCHITECTURE.md, invariants)."""
import re

import tidy

# room -> rooms whose headers it may include, beside its own and base/. A file's room is the longest of these names that its
# path begins with. ROADS holds single headers beyond the rows.
DAEMON = {"daemon/models", "daemon/syntax", "daemon/editing", "daemon/workspace", "daemon/completion", "daemon/config",
          "daemon/server", "daemon/transport", "daemon/proxy"}
ENGINE = {"engine", "engine/model", "engine/tokenizer", "engine/forward", "engine/decoding"}
ROOMS = {
    "base": set(),
    "kernels": set(),
    "lsp": set(),
    "engine/model": {"kernels"},
    "engine/tokenizer": {"engine/model"},
    "engine/forward": {"kernels", "engine/model"},
    "engine/decoding": {"kernels", "engine/model", "engine/tokenizer", "engine/forward"},
    "engine": {"kernels"} | ENGINE,
    "daemon/syntax": set(),
    "daemon/workspace": {"lsp", "daemon/syntax"},
    "daemon/completion": {"engine", "daemon/syntax", "daemon/workspace"},
    "daemon/editing": {"engine", "daemon/syntax", "daemon/completion"},
    "daemon/config": {"lsp", "engine", "daemon/completion"},
    "daemon/models": {"engine", "engine/model", "engine/tokenizer", "daemon/completion"},
    "daemon/transport": {"lsp"},
    "daemon/proxy": {"lsp", "daemon/transport"},
    "daemon/server": {"lsp", "engine", "daemon/syntax", "daemon/workspace", "daemon/completion", "daemon/editing",
                      "daemon/config", "daemon/models", "daemon/transport"},
    "daemon/commands": {"lsp"} | ENGINE | DAEMON,
    "daemon/commands/bench": {"kernels", "lsp", "daemon/commands"} | ENGINE | DAEMON,
    "daemon": {"daemon/commands"},
}
ROADS = {
    "daemon/models": {"daemon/editing/next_edit_form.h"},
    "daemon/config": {"daemon/editing/next_edit_form.h"},
    "engine/model": {"engine/decoding/denoise_options.h"},
    "daemon/transport": {"daemon/version.h"},
    "daemon/proxy": {"daemon/version.h", "daemon/workspace/documents/store.h"},
    "daemon/server": {"daemon/version.h"},
    "daemon/commands": {"daemon/version.h"},
}
# Headers of plain values, for those who need no model: all that they may include of ours.
PLAIN = {"engine/request.h": {"engine/decoding/options.h"}, "engine/decoding/options.h": {"engine/decoding/denoise_options.h"},
         "engine/decoding/denoise_options.h": set()}
TOPS = {room.split("/")[0] for room in ROOMS}
# folder -> CMake targets of ours it may link.
LINKS = {"base": set(), "kernels": {"base"}, "engine": {"kernels"}, "lsp": {"base"}, "daemon": {"lsp", "engine"}}

LIBRARIES = ("base", "kernels", "engine", "lsp")  # they return results: no output, no environment, no end of the process
FORBIDDEN_CALL = re.compile(r"(?<![\w.>~])(?:std::|::)?(v?f?printf|f?puts|putchar|perror|(?:secure_)?getenv|setenv|putenv|"
                            r"abort|_?exit|_Exit|quick_exit|terminate|system)\s*\(")
FORBIDDEN_STREAM = re.compile(r"\bstd::(cout|cerr|clog)\b")
# The type names of a member function called `exit` and so on are no calls of the C library's.
DECLARED = re.compile(r"(?:void|bool|int|auto|Status|\w::)\s*$")
EDITOR_WORD = re.compile(r"\b(lsp|text_?document|json-?rpc|inline_?completion|language ?server|ghost text|"
                         r"position encoding)\b", re.I)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.M)
CUDA_HEADER = re.compile(r"(^|/)(cuda|cublas|cudnn|cufft|curand|nvtx|nvml|mma\.h|cooperative_groups)")
CUDA_SWITCH = re.compile(r"^[ \t]*#[ \t]*(?:el)?if\w*[^\n]*(?:CUDA|HIP|GPU)", re.M)


def _room_of(path):
    return next((room for room in sorted(ROOMS, key=len, reverse=True) if path.startswith(room + "/")), None)


def _check_include(room, path, opening, target):
    top = target.split("/")[0]
    if CUDA_HEADER.search(target) and top not in TOPS:
        return None if path.startswith("kernels/cuda/") else f"includes {target}: CUDA headers only in kernels/cuda"
    if "json" in target.split(".")[0].split("/")[-1] and room == "kernels" and opening == "<":
        return f"includes {target}: no JSON in kernels"
    if opening == "<":
        return f"includes <{target}>: our own files are included with quotes" if top in TOPS else None
    if "/" not in target or top not in TOPS:
        return f'includes "{target}": includes are rooted at the repository'
    if path in PLAIN and target not in PLAIN[path]:
        return f"includes {target}: {path} holds plain values alone"
    other = _room_of(target)
    allowed = ROOMS[room] | {room, "base"}
    return None if other in allowed or target in ROADS.get(room, ()) else f"includes {target}: {room} may not know {other}"


def _check_source(root, folder, path):
    text = tidy.read(root, path)
    code, bare = tidy.without_comments(text), tidy.bare_code(text)
    found = []
    room = _room_of(path)
    for match in INCLUDE.finditer(code):
        complaint = _check_include(room, path, match[1], match[2])
        if complaint:
            found.append((match.start(), complaint))
    if folder in LIBRARIES:
        found += [(m.start(), f"calls {m[1]}(): libraries neither print, end the process nor read the environment")
                  for m in FORBIDDEN_CALL.finditer(bare) if not DECLARED.search(bare[:m.start()][-40:])]
        found += [(m.start(), f"uses std::{m[1]}: libraries do not print") for m in FORBIDDEN_STREAM.finditer(bare)]
    if folder == "engine":
        found += [(m.start(), f"says '{m[0]}': engine knows tokens, not editors") for m in EDITOR_WORD.finditer(text)]
    if not path.startswith("kernels/cuda/"):
        found += [(m.start(), "asks the preprocessor for a GPU: no feature switch exists") for m in CUDA_SWITCH.finditer(bare)]
    return [f"{path}:{tidy.line_of(text, offset)}: {complaint}" for offset, complaint in sorted(found)]


def _check_links(root, folder):
    path = f"{folder}/CMakeLists.txt"
    try:
        text = re.sub(r"#[^\n]*", "", tidy.read(root, path))
    except FileNotFoundError:
        return []
    complaints = []
    for name, arguments in re.findall(r"cinnabar_folder\(\s*(\w+)([^)]*)\)", text):
        for linked in re.findall(r"\bcinnabar_(base|kernels|engine|lsp|daemon)\b", arguments):
            if linked not in LINKS.get(name, set()):
                complaints.append(f"{path}: {name} may not link {linked}")
    return complaints


def check(root):
    complaints = []
    for folder in tidy.FOLDERS:
        for path in tidy.files(root, [folder], tidy.CPP):
            complaints += _check_source(root, folder, path)
        complaints += _check_links(root, folder)
    return complaints


GOOD = {
    "base/a.h": '#include <vector>\n',
    "kernels/a.h": '#include <vector>\n#include "kernels/b.h"\n// printf( is a word here\nconst char* k = "abort()";\n',
    "kernels/cuda/a.cu": "#include <cuda_runtime.h>\n#if __CUDA_ARCH__ >= 900\n#endif\n",
    "engine/a.cc": '#include "engine/a.h"\n#include "kernels/backend.h"\nint n = snprintf(b, 1, "");\nvoid f() { x.exit(); }\n',
    "lsp/a.cc": '#include "lsp/a.h"\n#include <nlohmann/json.hpp>\nvoid Server::exit() {}\n',
    "daemon/commands/a.cc": '#include "lsp/a.h"\n#include "engine/a.h"\n#include "base/result.h"\nint f() { exit(1); }\n',
    "daemon/main.cc": '#include "daemon/commands/command_line.h"\nint f() { exit(1); }\n',
    "engine/CMakeLists.txt": "cinnabar_folder(engine LINK cinnabar_kernels X::Y)\n",
}
CASES = [
    ("kernels knows engine", {"kernels/a.h": '#include "engine/a.h"\n'}, "kernels/a.h:1: includes engine/a.h"),
    ("engine knows lsp", {"engine/a.cc": '\n#include "lsp/a.h"\n'}, "engine/a.cc:2: includes lsp/a.h"),
    ("engine knows daemon", {"engine/a.cc": '#include "daemon/a.h"\n'}, "may not know daemon"),
    ("lsp knows engine", {"lsp/a.cc": '# include "engine/a.h"\n'}, "may not know engine"),
    ("lsp knows kernels", {"lsp/a.cc": '#include "kernels/backend.h"\n'}, "may not know kernels"),
    ("base knows kernels", {"base/a.h": '#include "kernels/backend.h"\n'}, "may not know kernels"),
    ("model knows forward", {"engine/model/a.h": '#include "engine/forward/b.h"\n'}, "engine/model may not know engine/forward"),
    ("tokenizer knows decoding", {"engine/tokenizer/a.h": '#include "engine/decoding/b.h"\n'}, "may not know engine/decoding"),
    ("forward knows decoding", {"engine/forward/a.h": '#include "engine/decoding/b.h"\n'}, "may not know engine/decoding"),
    ("decoding knows the front door", {"engine/decoding/a.h": '#include "engine/b.h"\n'}, "may not know engine"),
    ("a request knows the engine", {"engine/request.h": '#include "engine/forward/network.h"\n'}, "holds plain values alone"),
    ("syntax knows the engine", {"daemon/syntax/a.h": '#include "engine/engine.h"\n'}, "may not know engine"),
    ("workspace knows completion", {"daemon/workspace/a.h": '#include "daemon/completion/b.h"\n'}, "may not know daemon/completion"),
    ("completion knows the protocol", {"daemon/completion/a.h": '#include "lsp/message.h"\n'}, "may not know lsp"),
    ("config knows the server", {"daemon/config/a.h": '#include "daemon/server/b.h"\n'}, "may not know daemon/server"),
    ("transport knows models", {"daemon/transport/a.h": '#include "engine/engine.h"\n'}, "may not know engine"),
    ("proxy knows the server", {"daemon/proxy/a.h": '#include "daemon/server/b.h"\n'}, "may not know daemon/server"),
    ("server knows commands", {"daemon/server/a.h": '#include "daemon/commands/b.h"\n'}, "may not know daemon/commands"),
    ("commands know a kernel", {"daemon/commands/a.cc": '#include "kernels/backend.h"\n'}, "may not know kernels"),
    ("bench knows the main file's neighbours", {"daemon/commands/bench/a.cc": '#include "daemon/b.h"\n'}, "may not know daemon"),
    ("main knows the engine", {"daemon/main.cc": '#include "engine/engine.h"\n'}, "may not know engine"),
    ("unrooted include", {"engine/a.cc": '#include "a.h"\n'}, "rooted at the repository"),
    ("relative include", {"engine/a.cc": '#include "../lsp/a.h"\n'}, "rooted at the repository"),
    ("angle brackets", {"lsp/a.cc": "#include <engine/a.h>\n"}, "with quotes"),
    ("CUDA outside its folder", {"kernels/a.h": "#include <cuda_runtime.h>\n"}, "only in kernels/cuda"),
    ("CUDA switch", {"kernels/a.h": "#ifdef CINNABAR_CUDA\n#endif\n"}, "no feature switch"),
    ("JSON in kernels", {"kernels/a.h": "#include <nlohmann/json.hpp>\n"}, "no JSON in kernels"),
    ("printing", {"engine/a.cc": 'void f() { printf("x"); }\n'}, "calls printf()"),
    ("printing by stream", {"lsp/a.cc": "void f() { std::cerr << 1; }\n"}, "uses std::cerr"),
    ("environment", {"kernels/a.h": 'auto e = std::getenv("X");\n'}, "calls getenv()"),
    ("ends the process", {"engine/a.cc": "\n\nvoid f() { std::abort(); }\n"}, "engine/a.cc:3: calls abort()"),
    ("exit after a raw string", {"lsp/a.cc": 'auto r = R"x( " )x"; void f() { exit(0); }\n'}, "calls exit()"),
    ("editor words", {"engine/a.cc": "// for textDocument/inlineCompletion\n"}, "engine knows tokens"),
    ("link edge", {"engine/CMakeLists.txt": "cinnabar_folder(engine LINK cinnabar_lsp)\n"}, "engine may not link lsp"),
]

if __name__ == "__main__":
    tidy.main(check, GOOD, CASES)
