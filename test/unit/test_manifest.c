/* SPDX-License-Identifier: Apache-2.0 */
/* learn/manifest: the hash says whether two versions say the same, and the comparison how they differ. */
#include "dataset_world.h"
#include "learn/manifest.h"
#include "store/annotation_rows.h"

#define PICTURES 12
#define LABELS 4
#define ROUNDS 60

static const char *const label_names[LABELS] = {"car", "bus", "a man", "M\xc3\xbcll"};

static int set_up(void **state)
{
	static struct dataset_world world;
	dw_open(&world);
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	dw_close(*state);
	return 0;
}

static struct manifest manifest_of(struct dataset_world *w, struct uuid version)
{
	struct manifest m;
	DW_OK(manifest_read(w->c, version, &w->arena, &m, DW_ERR));
	return m;
}

static void annotate(struct dataset_world *w, struct uuid version, struct uuid asset,
	const struct annotation_shape_row *shapes, size_t count)
{
	struct annotation_row row = {.id = dw_id(w),
		.asset_id = asset,
		.status = "PENDING",
		.who = "ann",
		.created_us = w->now_us,
		.shapes = ARENA_ARRAY(&w->arena, struct annotation_shape_row, count + 1),
		.shape_count = count};
	for (size_t i = 0; i < count; i++) {
		struct label_row label;
		bool made;
		DW_OK(label_rows_ensure(w->c, version, shapes[i].label, &w->arena, &label, &made, DW_ERR));
		row.shapes[i] = shapes[i];
		row.shapes[i].label_id = label.id;
	}
	DW_OK(annotation_rows_insert(w->c, &row, &w->arena, DW_ERR));
}

static const struct annotation_shape_row car = {
	.kind = ANNOTATION_RECTANGLE, .label = "car", .x = 1, .y = 2.5, .w = 30, .h = 40, .area = -1};
static const struct annotation_shape_row bus = {
	.kind = ANNOTATION_POLYGON, .label = "bus", .points = "[[0, 0], [10,0], [1e1, 10.5]]", .area = 52.5};

/* The form of docs/internals/manifest.md, to the byte. */
static void test_form(void **state)
{
	struct dataset_world *w = *state;
	struct uuid version = dw_version(w, "first");
	struct manifest m = manifest_of(w, version);
	char hash[SHA256_HEX_SIZE], shapes_hash[SHA256_HEX_SIZE], nothing_hash[SHA256_HEX_SIZE];
	hash_sha256_hex(span_of_text(""), nothing_hash);
	assert_int_equal(m.count, 0);
	assert_string_equal(m.hash, nothing_hash);

	char blob_a[65], blob_b[65];
	memset(blob_a, 'a', 64);
	memset(blob_b, 'b', 64);
	blob_a[64] = blob_b[64] = '\0';
	struct uuid on_b = dw_asset(w, version, dw_data(w, "b.png", blob_b));
	struct uuid on_a = dw_asset(w, version, dw_data(w, "a b.png", blob_a));
	annotate(w, version, on_a, (const struct annotation_shape_row[]){car, bus}, 2);
	const char *shapes = "POLYGON 3:bus [[0,0],[10,0],[10,10.5]] 52.5 0 -\n"
			     "RECTANGLE 3:car [1,2.5,30,40] - 0 -\n";
	hash_sha256_hex(span_of_text(shapes), shapes_hash);
	char *lines = arena_printf(
		&w->arena, "%s %s training 7:a b.png\n%s - training 5:b.png\n", blob_a, shapes_hash, blob_b);
	hash_sha256_hex(span_of_text(lines), hash);
	assert_string_equal(manifest_of(w, version).hash, hash);

	/* Nothing is not the same as not looked at. */
	annotate(w, version, on_b, NULL, 0);
	lines = arena_printf(&w->arena, "%s %s training 7:a b.png\n%s %s training 5:b.png\n", blob_a,
		shapes_hash, blob_b, nothing_hash);
	hash_sha256_hex(span_of_text(lines), hash);
	assert_string_equal(manifest_of(w, version).hash, hash);
	DW_REFUSED(manifest_read(w->c, on_a, &w->arena, &m, DW_ERR), ST_MISSING, "no dataset version");
}

/* Everything that is said of a shape counts. */
static void test_shapes(void **state)
{
	struct dataset_world *w = *state;
	struct annotation_shape_row shapes[9];
	const char *hashes[9];
	for (int i = 0; i < 9; i++)
		shapes[i] = car;
	shapes[1].x = 1.0000000000000002;
	shapes[2].label = "bus";
	shapes[3].area = 1200;
	shapes[4].flags = ANNOTATION_CROWD;
	shapes[5].text = "AB 12";
	shapes[6].text = "-";
	shapes[7] = bus;
	shapes[8] =
		(struct annotation_shape_row){.kind = ANNOTATION_CLASSIFICATION, .label = "car", .area = -1};
	for (int i = 0; i < 9; i++) {
		char blob[65], name[16];
		memset(blob, 'a', 64);
		blob[64] = '\0';
		snprintf(name, sizeof(name), "v%d", i);
		struct uuid version = dw_version(w, name);
		annotate(w, version, dw_asset(w, version, dw_data(w, "a.png", blob)), &shapes[i], 1);
		hashes[i] = arena_strdup(&w->arena, manifest_of(w, version).hash);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(hashes[i], hashes[k]);
	}
}

/* ---- random histories ---- */

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

struct history {
	struct dataset_world *w;
	struct uuid version;
	struct uuid data[PICTURES], assets[PICTURES]; /* zero: not in the version */
	uint32_t shapes_seed[PICTURES];               /* 0: no annotation */
	bool evaluation[PICTURES];
};

static void make_shapes(uint32_t seed, struct annotation_shape_row *shapes, size_t *count, bool backwards)
{
	*count = seed % 4;
	for (size_t i = 0; i < *count; i++) {
		size_t to = backwards ? *count - 1 - i : i;
		shapes[to] = car;
		shapes[to].label = label_names[next_random(&seed) % LABELS];
		shapes[to].x = next_random(&seed) % 1000 / 7.0;
	}
}

static void put(struct history *h, int i, bool evaluation)
{
	bool inserted;
	struct asset_row row = {.id = dw_id(h->w),
		.dataset_version_id = h->version,
		.created_us = h->w->now_us,
		.evaluation = evaluation,
		.data = {.id = h->data[i]}};
	DW_OK(asset_rows_insert(h->w->c, &row, &inserted, DW_ERR));
	assert_true(inserted);
	h->assets[i] = row.id;
	h->evaluation[i] = evaluation;
}

static void draw(struct history *h, int i, uint32_t seed, bool backwards)
{
	struct annotation_shape_row shapes[4];
	size_t count;
	DW_OK(annotation_rows_delete_of_asset(h->w->c, h->assets[i], DW_ERR));
	h->shapes_seed[i] = seed;
	if (seed == 0)
		return;
	make_shapes(seed, shapes, &count, backwards);
	annotate(h->w, h->version, h->assets[i], shapes, count);
}

static void take(struct history *h, int i)
{
	DW_OK(asset_rows_delete(h->w->c, h->assets[i], DW_ERR));
	h->assets[i] = (struct uuid){{0}};
}

/* A change, and what was there before it is put back: by other rows, in another order. */
static void there_and_back(struct history *h, uint32_t *seed)
{
	int i = (int)(next_random(seed) % PICTURES);
	uint32_t before = h->shapes_seed[i];
	bool evaluation = h->evaluation[i];
	if (uuid_is_zero(h->assets[i])) {
		put(h, i, next_random(seed) % 2);
		draw(h, i, next_random(seed) | 1, false);
		take(h, i);
	} else if (next_random(seed) % 2) {
		draw(h, i, next_random(seed) | 1, false);
		draw(h, i, before, true);
	} else {
		take(h, i);
		put(h, i, evaluation);
		draw(h, i, before, next_random(seed) % 2);
	}
}

static void step(struct history *h, uint32_t *seed)
{
	int i = (int)(next_random(seed) % PICTURES);
	if (uuid_is_zero(h->assets[i])) {
		put(h, i, next_random(seed) % 2);
		h->shapes_seed[i] = 0;
	} else if (next_random(seed) % 3) {
		draw(h, i, next_random(seed) % 5 ? next_random(seed) | 1 : 0, false);
	} else {
		take(h, i);
	}
}

/* The same again as a version of its own, the last picture first. */
static struct uuid retell(struct history *h, const char *name)
{
	struct history again = *h;
	again.version = dw_version(h->w, name);
	for (int i = PICTURES - 1; i >= 0; i--) {
		if (uuid_is_zero(h->assets[i]))
			continue;
		put(&again, i, h->evaluation[i]);
		draw(&again, i, h->shapes_seed[i], true);
	}
	return again.version;
}

static void test_histories(void **state)
{
	struct dataset_world *w = *state;
	struct history h = {.w = w, .version = dw_version(w, "first")};
	uint32_t seed = getenv("GYRE_SEED") ? (uint32_t)strtoul(getenv("GYRE_SEED"), NULL, 10)
					    : (uint32_t)clock_unix_us();
	print_message("GYRE_SEED=%u\n", seed);
	for (int i = 0; i < PICTURES; i++)
		h.data[i] = dw_data(w, i % 2 ? "same name.png" : "other.png", NULL);
	for (int round = 0; round < ROUNDS; round++) {
		char name[16];
		snprintf(name, sizeof(name), "v%d", round);
		struct manifest before = manifest_of(w, h.version);
		there_and_back(&h, &seed);
		assert_string_equal(manifest_of(w, h.version).hash, before.hash);
		assert_string_equal(manifest_of(w, retell(&h, name)).hash, before.hash);
		step(&h, &seed);
	}
}

/* ---- comparison ---- */

static void test_compare(void **state)
{
	struct dataset_world *w = *state;
	struct uuid old_version = dw_version(w, "old"), new_version = dw_version(w, "new");
	struct uuid same = dw_data(w, "same.png", NULL), gone = dw_data(w, "gone.png", NULL);
	struct uuid more = dw_data(w, "more.png", NULL), changed = dw_data(w, "changed.png", NULL);
	struct uuid version_of_old[] = {same, gone, changed}, version_of_new[] = {more, changed, same};
	struct uuid changed_asset = {{0}}, gone_asset = {{0}};
	for (int i = 0; i < 3; i++) {
		struct uuid asset = dw_asset(w, old_version, version_of_old[i]);
		if (i == 1)
			gone_asset = asset;
		asset = dw_asset(w, new_version, version_of_new[i]);
		if (i == 1)
			changed_asset = asset;
	}
	annotate(w, new_version, changed_asset, &car, 1);
	struct manifest here = manifest_of(w, new_version), there = manifest_of(w, old_version);
	struct manifest_diff d;
	manifest_compare(&here, &there, 100, &w->arena, &d);
	assert_int_equal(d.only_here, 1);
	assert_int_equal(d.only_there, 1);
	assert_int_equal(d.changed, 1);
	assert_int_equal(d.same, 1);
	assert_int_equal(d.count, 3);
	assert_string_equal(d.items[0].filename, "changed.png");
	assert_int_equal(d.items[0].what, MANIFEST_CHANGED);
	assert_true(uuid_equal(d.items[0].asset_id, changed_asset));
	assert_string_equal(d.items[1].filename, "gone.png");
	assert_int_equal(d.items[1].what, MANIFEST_REMOVED);
	assert_true(uuid_equal(d.items[1].asset_id, gone_asset));
	assert_string_equal(d.items[2].filename, "more.png");
	assert_int_equal(d.items[2].what, MANIFEST_ADDED);
	manifest_compare(&here, &there, 1, &w->arena, &d);
	assert_int_equal(d.count, 1);
	assert_int_equal(d.only_here + d.only_there + d.changed, 3);
	manifest_compare(&here, &here, 100, &w->arena, &d);
	assert_int_equal(d.same, 3);
	assert_int_equal(d.count, 0);
}

/* One picture several times under one name: pairs that are equal first, then pairs that are not. */
static void test_compare_equal_pictures(void **state)
{
	struct dataset_world *w = *state;
	struct uuid old_version = dw_version(w, "old"), new_version = dw_version(w, "new"), data[3];
	char blob[65];
	memset(blob, 'c', 64);
	blob[64] = '\0';
	for (int i = 0; i < 3; i++)
		data[i] = dw_data(w, "a.png", blob);
	annotate(w, old_version, dw_asset(w, old_version, data[0]), &car, 1);
	dw_asset(w, old_version, data[1]);
	annotate(w, new_version, dw_asset(w, new_version, data[2]), &bus, 1);
	annotate(w, new_version, dw_asset(w, new_version, data[1]), &car, 1);
	annotate(w, new_version, dw_asset(w, new_version, data[0]), &bus, 1);
	struct manifest here = manifest_of(w, new_version), there = manifest_of(w, old_version);
	struct manifest_diff d;
	manifest_compare(&here, &there, 100, &w->arena, &d);
	assert_int_equal(d.same, 1);
	assert_int_equal(d.changed, 1);
	assert_int_equal(d.only_here, 1);
	assert_int_equal(d.only_there, 0);
	manifest_compare(&there, &here, 100, &w->arena, &d);
	assert_int_equal(d.same, 1);
	assert_int_equal(d.changed, 1);
	assert_int_equal(d.only_here, 0);
	assert_int_equal(d.only_there, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_form, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_shapes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_histories, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_compare, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_compare_equal_pictures, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
