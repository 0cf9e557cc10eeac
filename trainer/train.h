// SPDX-License-Identifier: Apache-2.0
// A job from its start model to output/model.onnx.
#pragma once

#include "trainer/command.h"

#include <stdexcept>
#include <string>

// How a run ends before its end, with the exit code of the trainer's contract.
struct Ended : std::runtime_error {
	int code;
	Ended(int code, const std::string &sentence) : std::runtime_error(sentence), code(code)
	{
	}
};

// gyre-train train --job FILE: returns the exit code, after the event that says why.
int train_command(const char *job_path);
