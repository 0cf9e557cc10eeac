// SPDX-License-Identifier: Apache-2.0
// Pictures on their way to the network: a thread makes the next batches while one is being trained on.
#pragma once

#include "trainer/augment.h"
#include "trainer/data.h"
#include "trainer/task.h"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

// What one pass over a set looks like. The same numbers give the same batches, whatever happened before.
struct Pass {
	const dataset *set;
	const job *what;
	augment how;
	size_t size;    // pictures a batch
	uint64_t epoch; // 0: in the set's order, for validating; the last batch may be smaller
	size_t first;   // batch to begin with
};

size_t batches_of(const Pass &pass);

class Batches
{
      public:
	explicit Batches(const Pass &pass);
	~Batches();
	Batches(const Batches &) = delete;
	bool next(Batch &out); // false: there are no more

      private:
	void produce();
	Batch make(size_t index) const;
	void add(Batch &batch, size_t place, size_t picture, size_t position) const;

	Pass pass_;
	tensor_spec spec_;
	std::vector<size_t> order_;
	std::mutex mutex_;
	std::condition_variable changed_;
	std::deque<Batch> ready_;
	std::exception_ptr failed_;
	bool ended_ = false, stopped_ = false;
	std::thread thread_;
};
