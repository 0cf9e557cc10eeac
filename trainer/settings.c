/* SPDX-License-Identifier: Apache-2.0 */
#include "trainer/settings.h"

#include "base/str.h"
#include "os/file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define CACHE_BYTES_MAX ((int64_t)2 << 30)
#define FEW_IMAGES 500
#define SHARED_PIXELS_MIN ((uint64_t)256 * 256)
#define TEXT_BYTES_MAX ((size_t)64 << 20)

/* How much pictures are changed, by what the task can bear. */
static struct augment augment_of(enum task task)
{
	switch (task) {
	case TASK_DETECTION:
		return (struct augment){.mirror = 0.5f,
			.zoom_min = 0.7f,
			.zoom_max = 1.5f,
			.shift = 0.15f,
			.mosaic = 0.2f,
			.light = 0.3f};
	case TASK_SEGMENTATION:
		return (struct augment){
			.mirror = 0.5f, .zoom_min = 0.8f, .zoom_max = 1.5f, .shift = 0.1f, .light = 0.3f};
	case TASK_CLASSIFICATION:
		return (struct augment){
			.mirror = 0.5f, .zoom_min = 0.85f, .zoom_max = 1.25f, .shift = 0.08f, .light = 0.3f};
	case TASK_COUNT: break;
	}
	return augment_none;
}

/* Few pictures: smaller batches, for more steps; some eight an epoch, but of 4 pictures or more. */
static uint32_t batch_of(enum task task, size_t images)
{
	uint32_t batch = task == TASK_CLASSIFICATION ? 32 : 16;
	size_t eighth = images / 8 < 4 ? 4 : images / 8;
	batch = images < FEW_IMAGES ? batch / 2 : batch;
	return eighth < batch ? (uint32_t)eighth : batch;
}

static double rate_of(const struct job *job)
{
	if (job->optimizer == JOB_SGD)
		return job->arch ? 0.02 : 0.01;
	/* A new detector tells classes apart late, and the later the smaller the steps are. */
	return !job->arch ? 1e-3 : job->task == TASK_DETECTION ? 5e-3 : 2e-3;
}

/* A new model's metric may stand still for long before it learns to tell classes apart. */
static uint32_t patience_of(const struct job *job)
{
	return job->arch ? job->epochs : 10 + job->epochs / 3;
}

void settings_choose(const struct job *job, size_t train_images, struct settings *out)
{
	*out = (struct settings){
		.learning_rate = job->learning_rate > 0 ? job->learning_rate : rate_of(job),
		.weight_decay = job->weight_decay >= 0 ? job->weight_decay : 5e-4,
		.batch = job->batch ? job->batch : batch_of(job->task, train_images),
		.patience = job->patience ? job->patience : patience_of(job),
		.how = augment_of(job->task),
	};
	if (job->recipe.input.colour == COLOUR_GREY)
		out->how.mirror =
			0; /* grey inputs are often of digits and texts, which have no mirror image */
}

uint32_t settings_warm_up(uint32_t batches, uint32_t epochs)
{
	uint64_t steps = (uint64_t)batches * epochs, wanted = (uint64_t)batches * 2;
	wanted = wanted > 20 ? wanted : 20;
	return (uint32_t)(wanted < steps / 3 ? wanted : steps / 3);
}

uint32_t settings_mosaic_epochs(uint32_t epochs)
{
	return epochs - (uint32_t)ceil(0.15 * epochs);
}

void input_size_default(struct job *job)
{
	uint32_t side = job->task == TASK_CLASSIFICATION ? 128 : 320;
	job->width = job->width ? job->width : side;
	job->height = job->height ? job->height : side;
}

int64_t cache_bytes(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[128];
	long long free_kib = 0;
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %lld kB", &free_kib) == 1)
			break;
	if (file)
		fclose(file);
	int64_t quarter = free_kib * 1024 / 4;
	return quarter < CACHE_BYTES_MAX ? quarter : CACHE_BYTES_MAX;
}

/* ---- what makes two runs the same ---- */

static enum status add_file(struct str *text, const struct job_data *data, struct err *err)
{
	struct span file;
	char hash[SHA256_HEX_SIZE];
	if (data->annotations == NULL)
		return ST_OK;
	TRY(file_map(data->annotations, &file, err));
	hash_sha256_hex(file, hash);
	file_unmap(file);
	str_printf(text, "%s %s\n", data->images, hash);
	return ST_OK;
}

static enum status add_all(
	const struct job *job, const struct settings *s, struct span model, struct str *text, struct err *err)
{
	char hash[SHA256_HEX_SIZE];
	hash_sha256_hex(model, hash);
	str_printf(text, "%s %s %s %u\n", TRAINER_VERSION, hash, task_name(job->task), job->epochs);
	str_printf(text, "%.17g %u %d %.17g %u %llu %d %d\n", s->learning_rate, s->batch, (int)job->optimizer,
		s->weight_decay, s->patience, (unsigned long long)job->seed, job->freeze, job->augment);
	for (size_t i = 0; i < job->label_count; i++)
		str_append_json(text, job->labels[i]);
	struct arena a;
	arena_init(&a);
	yyjson_mut_doc *doc = json_new(&a);
	yyjson_mut_doc_set_root(doc, recipe_json(&job->recipe, doc));
	struct span recipe = json_print(doc, &a);
	str_append_bytes(text, recipe.data, recipe.size);
	arena_release(&a);
	TRY(add_file(text, &job->train, err));
	return add_file(text, &job->val, err);
}

enum status settings_fingerprint(const struct job *job, const struct settings *s, struct span model,
	struct sha256 *out, struct err *err)
{
	struct str text;
	str_init(&text, TEXT_BYTES_MAX);
	enum status st = add_all(job, s, model, &text, err);
	*out = hash_sha256(span_of(str_text(&text), text.size));
	str_release(&text);
	return st;
}

uint32_t settings_threads(const struct job *job)
{
	uint64_t pixels = (uint64_t)job->recipe.input.width * job->recipe.input.height;
	return pixels < SHARED_PIXELS_MIN || job->threads <= 2 ? 1 : job->threads - 1;
}
