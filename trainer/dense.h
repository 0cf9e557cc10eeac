// SPDX-License-Identifier: Apache-2.0
// Detectors that say a box and scores at every place of a grid: what their outputs mean, what is wrong with
// them.
#pragma once

#include "trainer/assign.h"
#include "trainer/task.h"

#include <ATen/ATen.h>

#include <vector>

// What an output says of each place, decoded; gradients flow through.
struct Said {
	at::Tensor boxes;      // N x A x 4: corners, pixels
	at::Tensor scores;     // N x A x C, 0…1
	at::Tensor objectness; // N x A, 0…1; undefined where the layout has none
};

// The places of A boxes on an input of this size: levels of strides 8 to 32, or one more at either end, with
// one box a cell or three. Refused: there is no such grid.
std::vector<assign_place> dense_places(int64_t count, int64_t width, int64_t height);

// recipe.output is yolo_v8, yolo_v5 or yolox_raw; output is the graph's.
Said dense_said(const at::Tensor &output, const recipe &recipe, const std::vector<assign_place> &places);

// Complete IoU (Zheng et al. 2020, Distance-IoU Loss) of pairs of boxes, … x 4: IoU, less how far apart the
// centres are, less how unlike the proportions are. The weight of the last takes no part in the gradient.
at::Tensor complete_iou(const at::Tensor &a, const at::Tensor &b);
