/* SPDX-License-Identifier: Apache-2.0 */
/* What a training is made of: pictures by side, labels, parameters; how it is opened, and how it ends. */
#include "base/json.h"
#include "deploy/admission.h"
#include "learn/first_model.h"
#include "learn/publish.h"
#include "learn/run_folder.h"
#include "learn/training.h"
#include "os/file.h"
#include "store/model_rows.h"
#include "store/project_rows.h"

#include "dataset_world.h"

#include <stdatomic.h>

#define DEADLINE_US ((int64_t)60 * 1000000)

/* A picture with these bytes and a box of that label; NULL: not labelled. */
static struct uuid add(
	struct dataset_world *w, struct uuid version, const char *first_digits, const char *label)
{
	char sha256[65];
	snprintf(sha256, sizeof(sha256), "%s%0*d", first_digits, (int)(64 - strlen(first_digits)), 7);
	struct uuid asset = dw_asset(w, version, dw_data(w, "p.png", sha256));
	struct label_row row;
	bool made;
	if (label == NULL)
		return asset;
	DW_OK(label_rows_ensure(w->c, version, label, &w->arena, &row, &made, DW_ERR));
	struct annotation_shape_row shape = {.kind = ANNOTATION_RECTANGLE,
		.label_id = row.id,
		.x = 1,
		.y = 2,
		.w = 30,
		.h = 40,
		.area = -1};
	struct annotation_row annotation = {.id = dw_id(w),
		.asset_id = asset,
		.status = "ACCEPTED",
		.who = "ann",
		.created_us = w->now_us,
		.updated_us = w->now_us,
		.shapes = &shape,
		.shape_count = 1};
	DW_OK(annotation_rows_insert(w->c, &annotation, &w->arena, DW_ERR));
	return asset;
}

static void keep(struct dataset_world *w, struct uuid version, struct uuid asset)
{
	bool changed;
	DW_OK(asset_rows_set_evaluation(w->c, version, asset, true, &changed, DW_ERR));
}

static enum training_side side_of(const struct training_set *set, struct uuid asset)
{
	for (size_t i = 0; i < set->count; i++)
		if (uuid_equal(set->pictures[i].asset_id, asset))
			return set->pictures[i].side;
	return TRAINING_SIDE_COUNT;
}

static void test_sides_and_labels(void **state)
{
	struct dataset_world w;
	struct training_set set;
	dw_open(&w);
	struct uuid one = dw_version(&w, "one"), two = dw_version(&w, "two");
	struct uuid trained = add(&w, one, "f1", "bolt"), twice = add(&w, one, "f2", "bolt");
	struct uuid kept = add(&w, one, "f3", "bolt"), val = add(&w, two, "f4", "Car");
	struct uuid hidden = add(&w, one, "f5", "bolt"), only = add(&w, one, "f6", "screw");
	add(&w, one, "f7", NULL);
	add(&w, two, "f2", "bolt");
	keep(&w, one, kept);
	keep(&w, one, only);
	keep(&w, two,
		add(&w, two, "f5", NULL)); /* nobody labelled it there; its bytes are out all the same */
	const struct experiment_dataset_row datasets[] = {
		{.name = "more", .dataset_version_id = one}, {.name = "val", .dataset_version_id = two}};
	const char *const base[] = {"car", "bus"};
	const struct training_wanted wanted = {datasets, 2, TASK_DETECTION, base, 2};
	DW_OK(training_set_read(w.c, &wanted, &w.arena, &set, DW_ERR));
	assert_int_equal(side_of(&set, trained), TRAINING_TRAIN);
	assert_int_equal(side_of(&set, kept), TRAINING_TEST);
	assert_int_equal(side_of(&set, val), TRAINING_VAL);
	assert_int_equal(side_of(&set, hidden), TRAINING_TEST);
	assert_int_equal(side_of(&set, twice), TRAINING_SIDE_COUNT); /* it is the one of val */
	assert_int_equal(set.count, 6);
	assert_false(set.split);
	assert_int_equal(set.label_count, 3); /* "screw" is on no picture that is trained on */
	assert_string_equal(set.labels[0], "car");
	assert_string_equal(set.labels[2], "bolt");
	assert_true(set.label_shapes[0] == 1 && set.label_shapes[1] == 0 && set.label_shapes[2] == 2);
	dw_close(&w);
}

static void test_a_share_is_drawn_where_nothing_is_kept(void **state)
{
	struct dataset_world w;
	struct training_set set;
	struct uuid low[3], high[7];
	dw_open(&w);
	struct uuid one = dw_version(&w, "one");
	for (int i = 0; i < 7; i++) {
		char digits[3];
		snprintf(digits, sizeof(digits), "e%d", i);
		high[i] = add(&w, one, digits, "bolt");
		snprintf(digits, sizeof(digits), "1%d", i);
		if (i < 3)
			low[i] = add(&w, one, digits, "bolt");
	}
	const struct experiment_dataset_row dataset = {.name = "train", .dataset_version_id = one};
	const struct training_wanted wanted = {&dataset, 1, TASK_DETECTION, NULL, 0};
	DW_OK(training_set_read(w.c, &wanted, &w.arena, &set, DW_ERR));
	assert_true(set.split);
	for (int i = 0; i < 3; i++)
		assert_int_equal(side_of(&set, low[i]), TRAINING_TEST);
	for (int i = 0; i < 7; i++)
		assert_int_equal(side_of(&set, high[i]), TRAINING_TRAIN);
	const struct training_wanted classes = {&dataset, 1, TASK_CLASSIFICATION, NULL, 0};
	DW_REFUSED(
		training_set_read(w.c, &classes, &w.arena, &set, DW_ERR), ST_INVALID, "none of the pictures");
	dw_close(&w);
}

static void test_parameters(void **state)
{
	struct arena a;
	struct err err;
	arena_init(&a);
	yyjson_mut_doc *doc = json_new(&a);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	assert_int_equal(
		run_add_parameters("{\"data\":{\"epochs\":30.0,\"lr\":0.5,\"imgsz\":160,\"own\":[1]}}", doc,
			root, &a, &err),
		ST_OK);
	assert_string_equal((const char *)json_print(doc, &a).data,
		"{\"input_size\":[160,160],\"hyper\":{\"epochs\":30,\"learning_rate\":0.5,\"batch\":null,"
		"\"optimizer\":null,\"weight_decay\":null,\"patience\":null,\"seed\":null,\"freeze\":null,"
		"\"augment\":null,\"own\":[1]}}");
	const char *given;
	assert_int_equal(admission_given("{\"scale\":1}", NULL, &a, &given, &err), ST_OK);
	assert_string_equal(given, "{\"scale\":1}");
	arena_release(&a);
}

/* ---- from its opening to its end ---- */

struct ends {
	_Atomic int count;
	char status[16], error[300];
};

static void ended(void *arg, const struct training_row *row)
{
	struct ends *e = arg;
	snprintf(e->status, sizeof(e->status), "%s", row->status);
	snprintf(e->error, sizeof(e->error), "%s", row->error ? row->error : "");
	atomic_fetch_add(&e->count, 1);
}

struct opening {
	struct first_model_wish wish;
	struct training_row row;
	struct dataset_world *w;
};

static enum status open_job(struct db_conn *c, void *arg, struct err *err)
{
	struct opening *o = arg;
	return first_model_open(c, &o->wish, ++o->w->now_us, &o->w->arena, &o->row, err);
}

static void wait_for(const struct ends *e, int count)
{
	int64_t deadline_us = clock_mono_us() + DEADLINE_US;
	while (atomic_load(&e->count) < count)
		assert_true(clock_mono_us() < deadline_us);
}

static void test_opened_once_failed_and_tried_again(void **state)
{
	struct dataset_world w;
	struct first_model facts;
	struct ends ends = {0};
	char folder[] = P_tmpdir "/gyre-training-XXXXXX";
	assert_non_null(mkdtemp(folder));
	dw_open(&w);
	struct uuid version = dw_version(&w, "one");
	struct opening o = {.w = &w};
	DW_OK(first_model_read(w.c, version, 2, &w.arena, &facts, DW_ERR));
	assert_non_null(strstr(facts.reason, "none of the pictures is labelled"));
	add(&w, version, "f1", "bolt");
	add(&w, version, "f2", "nut");
	DW_OK(first_model_read(w.c, version, 2, &w.arena, &facts, DW_ERR));
	assert_true(facts.reason == NULL && facts.choice_count == 2 && facts.choices[0].side == 320);
	assert_true(facts.choices[0].minutes > 0 && facts.choices[0].minutes < facts.choices[1].minutes);
	dw_start(&w);
	struct blob *blobs = blob_mem_new();
	struct trainings *trainings;
	const struct trainings_options options = {.readers = w.readers,
		.recorder = w.recorder,
		.blobs = blobs, /* which has none of the pictures */
		.folder = folder,
		.command = "true",
		.threads = 1,
		.hooks = {.arg = &ends, .ended = ended}};
	DW_OK(trainings_new(&options, &trainings, DW_ERR));
	DW_OK(trainings_start(trainings, DW_ERR));
	o.wish = (struct first_model_wish){.dataset_version_id = version,
		.organization_id = w.organization_id,
		.name = "parts",
		.who = "ann",
		.facts = &facts};
	DW_OK(recorder_run(w.recorder, open_job, &o, DW_ERR));
	DW_REFUSED(recorder_run(w.recorder, open_job, &o, DW_ERR), ST_CONFLICT, "parts");
	trainings_poke(trainings);
	wait_for(&ends, 1);
	assert_string_equal(ends.status, "FAILED");
	assert_true(strlen(ends.error) > 10);
	DW_REFUSED(training_cancel(trainings, o.row.id, "ann", DW_ERR), ST_CONFLICT, "has ended");
	DW_OK(training_retry(trainings, o.row.id, "ann", DW_ERR));
	wait_for(&ends, 2);
	trainings_free(trainings);
	blob_close(blobs);
	struct db_conn *c;
	struct training_row row;
	DW_OK(db_reader_take(w.readers, &c, DW_ERR));
	DW_OK(training_rows_by_id(c, o.row.id, &w.arena, &row, DW_ERR));
	assert_true(row.attempt == 2 && uuid_is_zero(row.candidate_id) && row.finished_us > 0);
	struct publication p = {.experiment = {.id = row.experiment_id}, .arena = &w.arena};
	DW_OK(publication_read(c, &p, DW_ERR));
	assert_string_equal(p.row.type, "OBJECT_DETECTION");
	assert_string_equal(p.row.parameters, "{\"epochs\":150,\"input_size\":320}");
	db_reader_give(w.readers, c);
	dw_close(&w);
	struct err err;
	assert_int_equal(file_remove_folder(folder, &err), ST_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_sides_and_labels),
		cmocka_unit_test(test_a_share_is_drawn_where_nothing_is_kept),
		cmocka_unit_test(test_parameters), cmocka_unit_test(test_opened_once_failed_and_tried_again)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
