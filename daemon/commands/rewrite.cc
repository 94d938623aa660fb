// cinnabar rewrite FILE:LINE[:COL]-LINE[:COL] INSTRUCTION: the lines rewritten by the model, printed or as a diff.
#include <chrono>
#include <iostream>

#include "daemon/commands/commands.h"
#include "daemon/commands/setup.h"
#include "daemon/commands/spot.h"
#include "daemon/commands/unified_diff.h"
#include "daemon/editing/minimal_edit.h"
#include "daemon/editing/rewrite.h"

