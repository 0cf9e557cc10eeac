// SPDX-License-Identifier: Apache-2.0
// What the objectives share.
#pragma once

#include "trainer/task.h"

// The value that a final Softmax or Sigmoid makes an output of (shapes may change in between); the output
// itself where there is none.
std::string before_probabilities(const graph_file &file, const std::string &output);
