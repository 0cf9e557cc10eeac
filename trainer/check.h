// SPDX-License-Identifier: Apache-2.0
// gyre-train check: whether a model can be trained, found by doing it once with made-up truth; said when a
// model is uploaded, long before anybody needs it.
#pragma once

// --model FILE [--recipe FILE] [--labels N] [--json]: a line of JSON on standard output, and where the model
// cannot be trained the reason on standard error too, with exit code 3.
int check_command(int argc, char **argv);
