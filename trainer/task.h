// SPDX-License-Identifier: Apache-2.0
// What the loop needs to know of a task: which values of the graph it reads, what is wrong with them, and how
// good they are. train.cpp knows nothing of classes, boxes or masks; the objectives know nothing of epochs.
#pragma once

#include "trainer/graph_file.h"
#include "trainer/job.h"
#include "trainer/net.h" // Refused

#include <ATen/ATen.h>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

// A true box, in pixels of the network's input, clipped to it.
struct Truth {
	float x0, y0, x1, y1;
	int32_t label; // of job.labels
	bool crowd; // COCO: a region of many. Only when validating; what falls into it is neither right nor
		    // wrong
};

// Pictures as the network takes them, with what is true of them. Only what the task needs is filled.
struct Batch {
	at::Tensor images; // float, N x C x H x W (N x H x W x C where the recipe says so)
	std::vector<std::vector<Truth>> boxes; // detection: of each picture
	at::Tensor classes;                    // classification: N, int64, of job.labels
	at::Tensor masks;         // segmentation: N x H x W, int64: of job.labels, their count for
				  // what is none of them, -1 where it does not count
	std::vector<int64_t> ids; // of the pictures, different for each of a set
};

using Named = std::vector<std::pair<std::string, double>>;

struct Losses {
	at::Tensor total; // a scalar, mean over the batch, to be backpropagated
	Named parts;      // what it is made of, for people; may be empty
};

class Objective
{
      public:
	virtual ~Objective() = default;
	// Names of the graph's values that loss and judge are given, in this order.
	virtual std::vector<std::string> taps() const = 0;
	// The start model's values for some pictures of the validation set, once, before all else.
	virtual void look(const std::vector<at::Tensor> &tapped)
	{
		(void)tapped;
	}
	virtual Losses loss(const std::vector<at::Tensor> &tapped, const Batch &batch) = 0;
	// Adds a batch of the validation set; without gradients.
	virtual void judge(const std::vector<at::Tensor> &tapped, const Batch &batch) = 0;
	// Of all that was judged since the last call, 0…1, higher is better. The first one decides.
	virtual Named metrics() = 0;
	// Names of the weights that are trained when job.freeze is set; empty: the later half of the layers.
	virtual std::set<std::string> head() const
	{
		return {};
	}
};

// By the task, the recipe's layout and the graph. Refused: no such head is known, in a sentence.
std::unique_ptr<Objective> objective_make(const graph_file &file, const job &job);

std::unique_ptr<Objective> classification_objective(const graph_file &file, const job &job);
std::unique_ptr<Objective> semantic_objective(const graph_file &file, const job &job);
std::unique_ptr<Objective> dense_objective(const graph_file &file, const job &job);
