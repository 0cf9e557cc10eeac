// SPDX-License-Identifier: Apache-2.0
// The loop. Everything in it is counted in steps that depend on the job and its seed alone, so that a run
// that was stopped and resumed ends in the same weights as one that was not.
#include "trainer/train.h"

#include "trainer/arch.h"
#include "trainer/batches.h"
#include "trainer/checkpoint.h"
#include "trainer/events.h"
#include "trainer/head.h"
#include "trainer/metadata.h"
#include "trainer/optimizer.h"
#include "trainer/settings.h"
#include "trainer/stop.h"

extern "C" {
#include "os/file.h"
}

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <sstream>

#include <unistd.h>

namespace
{
const size_t model_bytes_max = size_t{2} << 30;
const uint32_t skipped_max = 10;      // steps in a row without a finite loss
const double clip = 10;               // of the gradients' norm
const double checkpoint_seconds = 30; // between two, at least
const double nothing_yet = std::numeric_limits<double>::quiet_NaN();

// What C functions say becomes an end of the run.
void must(enum status st, const err &error, int code)
{
	if (st == ST_OK)
		return;
	if (st == ST_TIMEOUT && stop_asked())
		code = EXIT_CODE_STOPPED;
	else if (st == ST_UNAVAILABLE)
		code = EXIT_CODE_RESOURCES;
	throw Ended(code, error.text);
}

struct Arena {
	arena a;
	Arena()
	{
		arena_init(&a);
	}
	~Arena()
	{
		arena_release(&a);
	}
	Arena(const Arena &) = delete;
};

struct Set {
	dataset d{};
	~Set()
	{
		dataset_release(&d);
	}
};

std::string folder(const char *variable, const char *otherwise)
{
	const char *value = std::getenv(variable);
	return value && *value ? value : otherwise;
}

// A tensor that training changes, and what is remembered of it.
struct Weight {
	at::Tensor value;
	bool trained; // else a statistic, which follows by itself
	bool decays;
	std::vector<float> first, second, mean, best;

	float *data() const
	{
		return value.data_ptr<float>();
	}
	size_t count() const
	{
		return static_cast<size_t>(value.numel());
	}
};

// What a C function made with malloc(), which is freed.
std::vector<char> taken(void *made, size_t size)
{
	std::vector<char> bytes(static_cast<char *>(made), static_cast<char *>(made) + size);
	std::free(made);
	return bytes;
}

std::vector<char> new_model(job &job)
{
	char error[GRAPH_ERROR_SIZE] = "";
	void *made = nullptr;
	size_t size = 0;
	input_size_default(&job);
	if (!arch_make(job.arch, job.labels, job.label_count, job.width, job.height, job.seed, &job.recipe,
		    &made, &size, error))
		throw Ended(EXIT_CODE_USAGE, error);
	return taken(made, size);
}

// With a head for the job's labels.
std::vector<char> base_model(job &job)
{
	Arena arena;
	span file{};
	err error{};
	must(file_read(job.base_file, model_bytes_max, &arena.a, &file, &error), error, EXIT_CODE_USAGE);
	bool same = job.label_count == job.base_label_count;
	for (size_t i = 0; same && i < job.label_count; i++)
		same = std::strcmp(job.labels[i], job.base_labels[i]) == 0;
	if (same)
		return {file.data, file.data + file.size};
	char sentence[GRAPH_ERROR_SIZE] = "";
	void *made = nullptr;
	size_t size = 0;
	if (!head_resize(file.data, file.size, &job, &job.recipe, &made, &size, sentence))
		throw Refused(sentence);
	return taken(made, size);
}

class Training
{
      public:
	explicit Training(const char *job_path);
	void run();

      private:
	void read_data();
	void prepare();
	void freeze();
	void begin();
	bool resume();
	void train_epoch();
	void step(Batch &batch);
	void update(double norm);
	double norm();
	Named evaluate();
	void end_epoch();
	void judge_start();
	void keep_best(uint32_t epoch, const Named &metrics);
	void save(bool said);
	void finish();
	void write_model();
	void stop_here();

	Pass pass(bool training, size_t first) const;
	bool is_over() const;
	bool is_late() const;
	double seconds() const;
	double left() const;
	checkpoint as_checkpoint(std::vector<checkpoint_part> &parts);

	Arena arena_;
	job job_{};
	settings set_{};
	Set train_, val_;
	std::unique_ptr<ModelFile> model_;
	std::unique_ptr<Net> net_;
	std::unique_ptr<Objective> objective_;
	std::vector<std::string> taps_;
	std::vector<Weight> weights_;
	optimizer optimizer_{};
	uint32_t batches_ = 0; // an epoch
	int64_t weight_count_ = 0;

	progress now_{};
	std::string history_, best_metrics_;
	std::vector<std::string> loss_names_;
	const char *stopped_ = "epochs";
	std::string state_, output_;
	sha256 fingerprint_{};
	double began_ = clock_seconds(), epoch_began_ = 0, saved_ = 0;
	double judging_seconds_ = 0, steps_seconds_ = 0; // of one evaluation; of the steps of this process
	uint32_t steps_here_ = 0;
};

Training::Training(const char *job_path)
    : state_(folder("GYRE_STATE", "state")), output_(folder("GYRE_OUTPUT", "output"))
{
	err error{};
	must(job_read(job_path, &arena_.a, &job_, &error), error, EXIT_CODE_USAGE);
	must(file_make_folders(state_.c_str(), &error), error, EXIT_CODE_FAILED);
	must(file_make_folders(output_.c_str(), &error), error, EXIT_CODE_FAILED);
	at::globalContext().setFlushDenormal(
		true); // moments of weights that rest become such numbers, which are slow
	model_ = std::make_unique<ModelFile>(job_.arch ? new_model(job_) : base_model(job_));
	net_ = std::make_unique<Net>(model_->file);
	at::set_num_threads(static_cast<int>(settings_threads(&job_)));
	objective_ = objective_make(model_->file, job_);
	taps_ = objective_->taps();
	read_data();
	prepare();
}

void Training::read_data()
{
	err error{};
	int64_t room = cache_bytes();
	must(dataset_read(&job_, &job_.train, job_.threads, &room, &train_.d, &error), error,
		EXIT_CODE_DATASET);
	if (job_.val.annotations)
		must(dataset_read(&job_, &job_.val, job_.threads, &room, &val_.d, &error), error,
			EXIT_CODE_DATASET);
	if (val_.d.count == 0 && train_.d.count < 2)
		throw Ended(EXIT_CODE_DATASET,
			"There is one picture only: training needs two or more, and many more to be of use.");
	if (val_.d.count == 0)
		dataset_split(&train_.d, job_.seed, &val_.d);
	dataset_warn_unseen(&train_.d, &job_);
	settings_choose(&job_, train_.d.count, &set_);
	if (room < 0)
		event_warning("The pictures do not all fit into memory: some are read again in each epoch, "
			      "which is slower.");
	batches_ = static_cast<uint32_t>(batches_of(pass(true, 0)));
	optimizer_ = {job_.optimizer, set_.learning_rate, set_.weight_decay, batches_ * job_.epochs, 0};
	optimizer_.warm_up = settings_warm_up(batches_, job_.epochs);
}

void Training::prepare()
{
	for (const Parameter &p : net_->parameters())
		weight_count_ += p.value.numel();
	if (weight_count_ == 0)
		throw Refused("The model has no weights that can be trained.");
	if (job_.freeze)
		freeze();
	Batch batch;
	Batches(pass(false, 0)).next(batch);
	net_->try_batches(batch.images, taps_);
	{
		at::NoGradGuard none;
		objective_->look(net_->forward(batch.images, taps_, false));
	}
	for (const Parameter &p : net_->parameters())
		weights_.push_back({p.value, true, p.tensor->rank > 1, {}, {}, {}, {}});
	for (const Parameter &p : net_->statistics())
		weights_.push_back({p.value, false, false, {}, {}, {}, {}});
	for (Weight &w : weights_) {
		w.mean.assign(w.data(), w.data() + w.count());
		w.best = w.mean;
		w.first.assign(w.trained ? w.count() : 0, 0);
		w.second.assign(w.trained && job_.optimizer == JOB_ADAMW ? w.count() : 0, 0);
	}
	err error{};
	must(settings_fingerprint(&job_, &set_, span_of(model_->bytes.data(), model_->bytes.size()),
		     &fingerprint_, &error),
		error, EXIT_CODE_DATASET);
}

void Training::freeze()
{
	std::set<std::string> head = objective_->head();
	const std::vector<Parameter> &all = net_->parameters();
	for (size_t i = all.size() / 2; head.empty() && i < all.size(); i++)
		head.insert(all[i].tensor->name);
	net_->train_only(head);
}

Pass Training::pass(bool training, size_t first) const
{
	augment how = augment_none;
	if (training && job_.augment) {
		how = set_.how;
		if (now_.epoch > settings_mosaic_epochs(job_.epochs))
			how.mosaic = 0;
	}
	return {training ? &train_.d : &val_.d, &job_, how, set_.batch, training ? now_.epoch : 0, first};
}

// ---- time ----

double Training::seconds() const
{
	return now_.seconds + clock_seconds() - began_;
}

bool Training::is_late() const
{
	return job_.time_limit_s > 0 && seconds() >= static_cast<double>(job_.time_limit_s);
}

double Training::left() const
{
	if (steps_here_ < 3)
		return -1;
	double left = steps_seconds_ / steps_here_ * (optimizer_.steps - now_.step) +
		      judging_seconds_ * (job_.epochs + 1.0 - now_.epoch);
	return job_.time_limit_s > 0 ? std::min(left, static_cast<double>(job_.time_limit_s) - seconds())
				     : left;
}

// ---- checkpoints ----

checkpoint Training::as_checkpoint(std::vector<checkpoint_part> &parts)
{
	for (Weight &w : weights_) {
		parts.push_back({w.data(), w.count()});
		for (std::vector<float> *list : {&w.first, &w.second, &w.mean, &w.best})
			parts.push_back({list->data(), list->size()});
	}
	return {fingerprint_, now_, history_.c_str(), best_metrics_.c_str(), parts.data(), parts.size()};
}

void Training::save(bool said)
{
	std::vector<checkpoint_part> parts;
	checkpoint c = as_checkpoint(parts);
	c.progress.seconds = seconds();
	err error{};
	must(checkpoint_write((state_ + "/checkpoint").c_str(), &c, &error), error, EXIT_CODE_FAILED);
	saved_ = clock_seconds();
	if (said)
		event_checkpoint(now_.epoch);
}

bool Training::resume()
{
	std::vector<checkpoint_part> parts;
	checkpoint c = as_checkpoint(parts);
	err error{};
	Arena arena;
	enum status st = checkpoint_read((state_ + "/checkpoint").c_str(), &arena.a, &c, &error);
	if (st != ST_OK && st != ST_MISSING)
		event_warning("%s The run starts anew.", error.text);
	if (st != ST_OK)
		return false;
	now_ = c.progress;
	history_ = c.history;
	best_metrics_ = c.metrics;
	return true;
}

void Training::stop_here()
{
	save(true);
	throw Ended(EXIT_CODE_STOPPED, "The run was asked to stop; it can be resumed.");
}

// ---- steps ----

double Training::norm()
{
	double sum = 0;
	for (const Weight &w : weights_)
		if (w.trained && w.value.grad().defined())
			sum += std::pow(w.value.grad().norm().item<double>(), 2);
	return std::sqrt(sum);
}

void Training::update(double norm)
{
	float scale = norm > clip ? static_cast<float>(clip / norm) : 1;
	for (Weight &w : weights_) {
		at::Tensor gradient = w.trained ? w.value.grad() : at::Tensor();
		if (gradient.defined() && gradient.strides() != w.value.strides())
			gradient = at::empty_like(w.value).copy_(gradient);
		weights one{w.data(), w.first.data(), w.second.data(), w.count(), w.decays};
		if (gradient.defined())
			optimizer_step(&optimizer_, now_.step, scale, gradient.data_ptr<float>(), &one);
		running_mean(w.mean.data(), w.data(), w.count(), running_share(&optimizer_, now_.step));
	}
}

void Training::step(Batch &batch)
{
	Losses losses = objective_->loss(net_->forward(batch.images, taps_, true), batch);
	double loss = losses.total.item<double>(), length = nothing_yet;
	if (std::isfinite(loss)) {
		losses.total.backward();
		length = norm();
	}
	if (std::isfinite(length)) {
		update(length);
		now_.skipped = 0;
		now_.counted++;
		now_.loss += loss;
		loss_names_.clear();
		for (size_t i = 0; i < losses.parts.size() && i < CHECKPOINT_LOSSES_MAX; i++) {
			loss_names_.push_back(losses.parts[i].first);
			now_.losses[i] += losses.parts[i].second;
		}
	} else if (++now_.skipped > skipped_max) {
		throw Ended(EXIT_CODE_DIVERGED, "The loss is no number any more, " +
							std::to_string(now_.skipped) +
							" steps in a row: try a lower learning rate.");
	}
	for (Weight &w : weights_)
		w.value.mutable_grad() = at::Tensor();
	now_.step++;
	now_.batch++;
}

void Training::train_epoch()
{
	if (now_.batch >= batches_)
		return;
	Batches batches(pass(true, now_.batch));
	Batch batch;
	for (double before = clock_seconds(); batches.next(batch); before = clock_seconds()) {
		step(batch);
		steps_seconds_ += clock_seconds() - before;
		steps_here_++;
		event_step(now_.epoch, static_cast<double>(now_.step) / optimizer_.steps, left());
		if (stop_asked())
			stop_here();
		if (clock_seconds() - saved_ >= checkpoint_seconds)
			save(false);
		if (is_late())
			break;
	}
}

// ---- epochs ----

// By the running means of the weights, which are what the run would give back.
Named Training::evaluate()
{
	at::NoGradGuard none;
	double before = clock_seconds();
	std::vector<std::vector<float>> kept;
	for (Weight &w : weights_) {
		kept.emplace_back(w.data(), w.data() + w.count());
		std::copy(w.mean.begin(), w.mean.end(), w.data());
	}
	Batches batches(pass(false, 0));
	Batch batch;
	while (!stop_asked() && batches.next(batch))
		objective_->judge(net_->forward(batch.images, taps_, false), batch);
	Named metrics = objective_->metrics();
	for (size_t i = 0; i < weights_.size(); i++)
		std::copy(kept[i].begin(), kept[i].end(), weights_[i].data());
	judging_seconds_ = clock_seconds() - before;
	if (stop_asked())
		stop_here();
	return metrics;
}

void Training::keep_best(uint32_t epoch, const Named &metrics)
{
	now_.best = metrics.at(0).second;
	now_.best_epoch = epoch;
	now_.has_best = 1;
	std::ostringstream text;
	text.precision(17);
	for (const auto &[name, value] : metrics)
		text << name << " " << value << "\n";
	best_metrics_ = text.str();
	for (Weight &w : weights_)
		w.best = w.mean;
}

void Training::judge_start()
{
	now_ = progress{};
	now_.epoch = 1;
	now_.metric_start = now_.best = nothing_yet;
	if (job_.arch)
		return;
	Named metrics = evaluate();
	now_.metric_start = metrics.at(0).second;
	keep_best(0, metrics);
}

std::vector<named_number> numbers_of(const Named &named)
{
	std::vector<named_number> numbers;
	for (const auto &[name, value] : named)
		numbers.push_back({name.c_str(), value});
	return numbers;
}

Named parse_metrics(const std::string &text)
{
	Named metrics;
	std::istringstream lines(text);
	std::string name, value;
	while (lines >> name >> value)
		metrics.emplace_back(name, std::strtod(value.c_str(), nullptr));
	return metrics;
}

void Training::end_epoch()
{
	Named metrics = evaluate(), losses;
	double metric = metrics.at(0).second, counted = std::max(now_.counted, 1u);
	bool better = !now_.has_best || metric > now_.best;
	// Of two equals the later one has seen more; but the start model has been in use.
	bool best = better || (metric == now_.best && now_.best_epoch > 0);
	now_.stale = better ? 0 : now_.stale + 1;
	if (best)
		keep_best(now_.epoch, metrics);
	for (size_t i = 0; i < loss_names_.size(); i++)
		losses.emplace_back(loss_names_[i], now_.losses[i] / counted);
	std::vector<named_number> m = numbers_of(metrics), l = numbers_of(losses);
	double rate = optimizer_rate(&optimizer_, now_.step > 0 ? now_.step - 1 : 0), ends = left();
	uint32_t epoch = now_.epoch;
	double loss = now_.loss / counted;
	now_.epoch++;
	now_.batch = now_.counted = 0;
	now_.loss = 0;
	std::fill(std::begin(now_.losses), std::end(now_.losses), 0);
	event_epoch e{epoch, job_.epochs, loss, rate, clock_seconds() - epoch_began_, std::max(ends, 0.0),
		l.data(), m.data(), l.size(), m.size(), best};
	str line;
	event_epoch_say(&e, &line);
	history_ += (history_.empty() ? "" : ",") + std::string(str_text(&line));
	str_release(&line);
	if (clock_seconds() - saved_ >= checkpoint_seconds)
		save(true);
}

bool Training::is_over() const
{
	return now_.epoch > job_.epochs || is_late() || now_.stale >= set_.patience;
}

void Training::begin()
{
	bool resumed = resume();
	if (!resumed || (!job_.arch && !now_.has_best)) // it was stopped while its start was being judged
		judge_start();
	int64_t trainable = 0;
	for (const Weight &w : weights_)
		trainable += w.trained ? w.value.numel() : 0;
	Named names = objective_->metrics();
	const tensor_spec &input = job_.recipe.input;
	event_start e{weight_count_, trainable, train_.d.count, val_.d.count, job_.epochs, input.width,
		input.height, set_.batch, names.at(0).first.c_str(), now_.metric_start};
	event_start_say(&e);
	saved_ = clock_seconds();
}

void Training::run()
{
	begin();
	while (!is_over()) {
		epoch_began_ = clock_seconds();
		train_epoch();
		end_epoch();
		if (stop_asked())
			stop_here();
	}
	if (now_.epoch <= job_.epochs)
		stopped_ = now_.stale >= set_.patience ? "patience" : "time";
	finish();
}

// ---- the end ----

void Training::write_model()
{
	for (Weight &w : weights_)
		std::copy(w.best.begin(), w.best.end(), w.data());
	net_->write(model_->bytes.data());
	str file;
	err error{};
	str_init(&file, std::numeric_limits<size_t>::max() / 2);
	metadata_write_labels(
		span_of(model_->bytes.data(), model_->bytes.size()), job_.labels, job_.label_count, &file);
	enum status st = file_write_durable(
		(output_ + "/model.onnx").c_str(), span_of(file.text, file.size), 0600, &error);
	str_release(&file);
	must(st, error, EXIT_CODE_FAILED);
}

void write_text(const std::string &path, const str &text)
{
	err error{};
	must(file_write_durable(path.c_str(), span_of(text.text, text.size), 0600, &error), error,
		EXIT_CODE_FAILED);
}

void Training::finish()
{
	write_model();
	err error{};
	if (job_.arch) {
		yyjson_mut_doc *doc = json_new(&arena_.a);
		yyjson_mut_doc_set_root(doc, recipe_json(&job_.recipe, doc));
		must(file_write_durable(
			     (output_ + "/recipe.json").c_str(), json_print(doc, &arena_.a), 0600, &error),
			error, EXIT_CODE_FAILED);
	}
	Named metrics = parse_metrics(best_metrics_);
	std::vector<named_number> numbers = numbers_of(metrics);
	event_done e{now_.best_epoch, now_.epoch - 1, numbers.data(), numbers.size(), now_.metric_start,
		seconds(), stopped_};
	str report;
	str_init(&report, model_bytes_max);
	report_print(&e, history_.c_str(), job_.labels, job_.label_count, &report);
	write_text(output_ + "/report.json", report);
	str_release(&report);
	std::remove((state_ + "/checkpoint").c_str());
	event_done_say(&e);
}

// libtorch says so in words only.
bool is_lack_of_memory(const std::exception &e)
{
	return dynamic_cast<const std::bad_alloc *>(&e) || std::strstr(e.what(), "allocate memory");
}
} // namespace

int train_command(const char *job_path)
{
	int code = EXIT_CODE_FAILED;
	std::string sentence;
	stop_listen();
	try {
		Training(job_path).run();
		return EXIT_CODE_DONE;
	} catch (const Ended &ended) {
		code = ended.code;
		sentence = ended.what();
	} catch (const Refused &refused) {
		code = EXIT_CODE_NOT_TRAINABLE;
		sentence = refused.what();
	} catch (const c10::Error &failed) {
		code = is_lack_of_memory(failed) ? EXIT_CODE_RESOURCES : EXIT_CODE_FAILED;
		sentence = failed.what_without_backtrace();
	} catch (const std::exception &failed) {
		code = is_lack_of_memory(failed) ? EXIT_CODE_RESOURCES : EXIT_CODE_FAILED;
		sentence = failed.what();
	}
	if (code == EXIT_CODE_RESOURCES)
		sentence = "There is not enough memory or room on the disk: " + sentence +
			   " A smaller batch or a smaller input needs less.";
	event_error(code, sentence.c_str());
	std::fprintf(stderr, "gyre-train: %s\n", sentence.c_str());
	return code;
}
