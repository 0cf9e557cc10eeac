/* SPDX-License-Identifier: Apache-2.0 */
/* learn/dataset_import.h and learn/dataset_export.h: from files to rows and back to files; the files are
 * given back once, whatever happens; what a full disk interrupts is done by the next try. */
#include "learn/dataset_export.h"
#include "learn/dataset_import.h"
#include "store/dataset_rows.h"

#include "serve_world.h"

#define PICTURES 70u

static struct world w;
static struct jobs *jobs;
static struct uuid version_id;
static _Atomic int released;

static void release(void *arg)
{
	assert_ptr_equal(arg, &w);
	atomic_fetch_add(&released, 1);
}

static enum status start(
	const struct dataset_import_file *files, size_t count, struct job_row *job, struct err *err)
{
	const struct dataset_import_world world = {jobs, w.readers, w.recorder, w.blobs};
	const struct dataset_import_request request = {.dataset_version_id = version_id,
		.files = files,
		.file_count = count,
		.who = "ann",
		.release = release,
		.arg = &w};
	return dataset_import_start(&world, &request, &w.arena, job, err);
}

static struct job_row ended(struct uuid id)
{
	struct job_row row = {0};
	WORLD_UNTIL(jobs_get(jobs, id, &w.arena, &row, WORLD_ERR) == ST_OK && row.finished_us != 0);
	return row;
}

static struct job_row import(const struct dataset_import_file *files, size_t count)
{
	struct job_row job;
	WORLD_OK(start(files, count, &job, WORLD_ERR));
	assert_string_equal(job.kind, "dataset_import");
	return ended(job.id);
}

static int64_t result_of(struct job_row job, const char *key)
{
	yyjson_doc *doc;
	if (strcmp(job.status, "SUCCESS") != 0)
		fail_msg("%s: %s", job.status, job.error);
	WORLD_OK(json_parse(span_of_text(job.result), &w.arena, &doc, WORLD_ERR));
	yyjson_val *value = yyjson_obj_get(yyjson_doc_get_root(doc), key);
	return yyjson_is_arr(value) ? (int64_t)yyjson_arr_size(value) : yyjson_get_sint(value);
}

/* Pictures of 32 × 16, each with a car in its middle; the names of the classes come first. */
static size_t draw_files(struct dataset_import_file files[2 * PICTURES + 1])
{
	static const char names[] = "names: [tree, car]\n", car[] = "1 0.5 0.5 0.25 0.5\n";
	size_t count = 0;
	files[count++] = (struct dataset_import_file){.name = "data.yaml", .bytes = span_of_text(names)};
	for (unsigned i = 0; i < PICTURES; i++) {
		files[count++] =
			(struct dataset_import_file){.name = arena_printf(&w.arena, "images/%u.png", i),
				.bytes = world_draw(&w.arena, 32, 16, (uint8_t)i, NULL, 0),
				.picture = true};
		files[count++] = (struct dataset_import_file){
			.name = arena_printf(&w.arena, "labels/%u.txt", i), .bytes = span_of_text(car)};
	}
	return count;
}

static void test_from_files_to_rows_and_to_files_again(void **state)
{
	struct dataset_import_file files[2 * PICTURES + 1];
	size_t count = draw_files(files);
	struct job_row job = import(files, count);
	assert_int_equal(result_of(job, "images"), PICTURES);
	assert_int_equal(result_of(job, "assets_new"), PICTURES);
	assert_int_equal(result_of(job, "shapes"), PICTURES);
	assert_int_equal(result_of(job, "labels_new"), 2);
	assert_int_equal(result_of(job, "problems"), 0);
	assert_int_equal(
		world_number(&w, "SELECT count(*) FROM annotation WHERE who = 'ann' AND revision = 1"),
		PICTURES);
	int64_t revision = world_number(&w, "SELECT revision FROM dataset_version");
	job = import(files, count); /* again */
	assert_int_equal(result_of(job, "assets_new") + result_of(job, "annotated"), 0);
	assert_int_equal(world_number(&w, "SELECT revision FROM dataset_version"), revision);
	assert_int_equal(world_number(&w, "SELECT count(*) FROM data"), PICTURES);
	assert_int_equal(released, 2);

	struct db_conn *c;
	struct dataset_export e;
	const struct dataset_export_options options = {
		.dataset_version_id = version_id, .format = FORMAT_YOLO};
	WORLD_OK(db_reader_take(w.readers, &c, WORLD_ERR));
	WORLD_OK(dataset_export_make(c, &options, &w.arena, &e, WORLD_ERR));
	db_reader_give(w.readers, c);
	assert_int_equal(e.set.image_count, PICTURES);
	assert_int_equal(e.image_count, PICTURES);
	assert_int_equal(e.files.file_count, PICTURES + 1);
	assert_string_equal(e.set.labels[1], "car");
	for (size_t i = 0; i < e.set.image_count; i++) {
		const struct box b = e.set.images[i].shapes[0].box;
		assert_true(b.x1 == 12 && b.y1 == 4 && b.x2 == 20 && b.y2 == 12);
	}
}

static void test_what_cannot_be_started(void **state)
{
	struct dataset_import_file file = {.name = "a.json", .bytes = span_of_text("{}")};
	struct job_row job;
	struct err err;
	world_refused(start(&file, 0, &job, &err), ST_INVALID, &err, "nothing to import");
	file.bytes.size = DATASET_IMPORT_ANNOTATION_BYTES_MAX + 1;
	world_refused(start(&file, 1, &job, &err), ST_TOO_LARGE, &err, "a request takes at most 256");
	assert_int_equal(released, 2);
	assert_int_equal(world_number(&w, "SELECT count(*) FROM job"), 0);
}

static void test_a_full_disk_fails_it_and_the_same_again_does_the_rest(void **state)
{
	struct dataset_import_file files[2 * PICTURES + 1];
	size_t count = draw_files(files);
	blob_faulty_plan(w.blobs, 40, BLOB_FAULTY_BEFORE, ST_UNAVAILABLE);
	struct job_row job = import(files, count);
	assert_string_equal(job.status, "FAILED");
	job = import(files, count);
	assert_int_equal(result_of(job, "images"), PICTURES);
	assert_int_equal(world_number(&w, "SELECT count(*) FROM asset"), PICTURES);
	assert_int_equal(world_number(&w, "SELECT count(*) FROM annotation"), PICTURES);
	assert_int_equal(released, 2);
}

static enum status add_version(struct db_conn *c, void *arg, struct err *err)
{
	const struct dataset_row dataset = {.id = uuid_v7(1),
		.organization_id = w.organization_id,
		.name = "cars",
		.description = "",
		.created_us = 1};
	version_id = uuid_v7(2);
	const struct dataset_version_row version = {.id = version_id,
		.dataset_id = dataset.id,
		.version = "v1",
		.description = "",
		.type = "NOT_CONFIGURED",
		.created_us = 1};
	TRY(dataset_rows_insert(c, &dataset, err));
	return dataset_version_rows_insert(c, &version, err);
}

static int open_world(void **state)
{
	world_open(&w);
	released = 0;
	const struct jobs_options options = {.readers = w.readers, .recorder = w.recorder, .threads = 1};
	WORLD_OK(jobs_new(&options, &jobs, WORLD_ERR));
	world_write(&w, add_version, NULL);
	return 0;
}

static int close_world(void **state)
{
	jobs_free(jobs);
	world_close(&w);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(int argc, char **argv)
{
	WORLD_MAIN(argc, argv);
	const struct CMUnitTest tests[] = {
		TEST(test_from_files_to_rows_and_to_files_again),
		TEST(test_what_cannot_be_started),
		TEST(test_a_full_disk_fails_it_and_the_same_again_does_the_rest),
	};
	return cmocka_run_group_tests(tests, world_set_up, NULL);
}
