// SPDX-License-Identifier: Apache-2.0
// What head.h declares of resizing, and what is shared with it in C++.
#pragma once

#include "trainer/head.h"
#include "trainer/net.h"

// Noise of a recipe's size and range, one picture of it; the same for a seed.
at::Tensor head_probe_input(const graph_file &file, const recipe &recipe, uint64_t seed);
