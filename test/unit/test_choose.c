/* SPDX-License-Identifier: Apache-2.0 */
/* learn/choose.h and learn/lease.h: chances are what they say they are, and estimates weighted by them are
 * right. */
#include "learn/choose.h"

#include "learn/lease.h"
#include "review_world.h"
#include "store/verdict_rows.h"

#include <math.h>

static void close_to(double a, double b, double by)
{
	if (!(fabs(a - b) <= by))
		fail_msg("%.12g is not %.12g (by %.3g)", a, b, by);
}

/* ---- weights ---- */

static double unsure_of(const float *scores, size_t count)
{
	struct shape items[64];
	CHECK(count <= COUNT_OF(items));
	for (size_t i = 0; i < count; i++)
		items[i] = (struct shape){.kind = SHAPE_BOX, .score = scores[i]};
	return choose_unsure(&(struct shapes){items, count});
}

static void test_unsure(void **state)
{
	const float half[] = {0.5F}, sure[] = {1, 0.25F}, none[] = {0};
	close_to(unsure_of(half, 0), 0, 0);
	close_to(unsure_of(half, 1), 1, 1e-12);
	close_to(unsure_of(none, 1), 0, 0);
	close_to(unsure_of(sure, 2), 0.8112781244591328 / 2, 1e-12); /* H(1/4) by hand */
	/* Of many the ten least sure count, wherever they stand. */
	float many[40];
	for (size_t i = 0; i < 40; i++)
		many[i] = 1 - (float)i * 0.0249F; /* 1 … 0.03 */
	double top[40], sum = 0;
	for (size_t i = 0; i < 40; i++) {
		double p = (double)many[i];
		top[i] = p < 1 ? -(p * log2(p) + (1 - p) * log2(1 - p)) : 0;
	}
	for (size_t k = 0; k < 10; k++) {
		size_t best = 0;
		for (size_t i = 1; i < 40; i++)
			best = top[i] > top[best] ? i : best;
		sum += top[best];
		top[best] = -1;
	}
	close_to(unsure_of(many, 40), sum / 10, 1e-9);
}

static void test_outlier(void **state)
{
	struct choose_stats s = {0};
	double usual[CHOOSE_STATS], far[CHOOSE_STATS];
	srand(3);
	double sum = 0, squares = 0;
	for (int i = 0; i < 1000; i++) {
		for (size_t k = 0; k < CHOOSE_STATS; k++)
			usual[k] = (double)k + rand() / (RAND_MAX + 1.0);
		if (i == 20)
			close_to(choose_outlier(&s, (double[]){9, 9, 9}), 0, 0); /* too few to say */
		choose_stats_add(&s, usual);
		sum += usual[0];
		squares += usual[0] * usual[0];
	}
	double mean = sum / 1000, deviation = sqrt((squares - sum * mean) / 999);
	memcpy(far, usual, sizeof(far));
	far[0] = mean + 3 * deviation;
	for (size_t k = 1; k < CHOOSE_STATS; k++)
		far[k] = s.of[k].mean;
	close_to(choose_outlier(&s, far), 0.5, 1e-9);
	far[0] = mean + 30 * deviation;
	close_to(choose_outlier(&s, far), 1, 0);
	far[0] = (double)NAN; /* not known */
	close_to(choose_outlier(&s, far), 0, 1e-12);
	choose_stats_add(&s, far);
	assert_true(s.of[0].count == 1000 && s.of[1].count == 1001);
}

static void test_weights(void **state)
{
	struct queue_image image = {.unsure = 0.5, .outlier = 1, .created_us = 1000};
	close_to(choose_weight("unsure", &image, 0), 0.05 + 0.95 * 0.5, 1e-12);
	close_to(choose_weight("outlier", &image, 0), 1, 1e-12);
	close_to(choose_weight("newest", &image, 1000), 1, 1e-12);
	close_to(choose_weight("newest", &image, 1000 + 60000000), 0.05 + 0.95 / 2, 1e-12);
	close_to(choose_weight("newest", &image, 0), 1, 1e-12); /* a clock that was set back */
}

/* ---- chances ---- */

static void test_chance(void **state)
{
	struct queue_batch b = {.budget = 10, .pool = 100, .weight_sum = 40, .random_share = 0.3};
	close_to(choose_chance(&b, 0.4), 10 * (0.7 * 0.4 / 40 + 0.3 / 100), 1e-12);
	close_to(choose_random_chance(&b), 0.03, 1e-12);
	double sum = 0; /* over all images: the budget */
	for (int i = 0; i < 100; i++)
		sum += choose_chance(&b, i < 60 ? 0.1 : 0.85);
	close_to(sum, 10, 1e-9);
	close_to(choose_chance(&b, 1e9), 1, 0);
	b.pool = 10;
	close_to(choose_chance(&b, 0.0001), 1, 0);
	b.pool = 100;
	b.random_share = 1;
	close_to(choose_chance(&b, 0), 0.1, 1e-12);
	close_to(choose_random_chance(&b), 0.1, 1e-12);
}

static void test_hash(void **state)
{
	double sum = 0, squares = 0, product = 0;
	int buckets[10] = {0};
	for (int i = 0; i < 20000; i++) {
		struct uuid id = uuid_v7(1700000000000 + i / 50);
		double u = choose_hash(id, 4), other = choose_hash(id, 6);
		assert_true(u >= 0 && u < 1 && u == choose_hash(id, 4));
		sum += u;
		squares += u * u;
		product += (u - 0.5) * (other - 0.5);
		buckets[(int)(u * 10)]++;
	}
	close_to(sum / 20000, 0.5, 0.012); /* 6 standard errors of 0.002 */
	close_to(squares / 20000, 1.0 / 3, 0.013);
	close_to(product / 20000 * 12, 0, 0.045); /* of two salts: no correlation */
	for (int k = 0; k < 10; k++)
		close_to(buckets[k], 2000, 260);
}

/*
 * A stream of images in which people choose in batches, many times over. How often each image is chosen is
 * the chance that is computed for it, and the share of a property that goes with the weight is estimated
 * rightly by weights of 1 / chance, and wrongly without.
 */
#define SIM_IMAGES 300
#define SIM_ARRIVE 60 /* between batches */
#define SIM_BATCHES 6
#define SIM_ROUNDS 1500
#define SIM_BUDGET 25

struct simulation {
	struct queue_image images[SIM_IMAGES];
	struct queue_batch batches[SIM_BATCHES];
	double chosen_often[SIM_IMAGES], chance_sum[SIM_IMAGES];
	double weighted_error, plain_error;
};

static void sim_batch(struct simulation *s, size_t b)
{
	struct queue_batch *batch = &s->batches[b];
	size_t here = (b + 1) * SIM_ARRIVE < SIM_IMAGES ? (b + 1) * SIM_ARRIVE : SIM_IMAGES;
	*batch = (struct queue_batch){.position = (int64_t)b + 1,
		.queue_order = b % 2 ? "outlier" : "unsure",
		.budget = SIM_BUDGET,
		.random_share = 0.3};
	for (size_t i = 0; i < here; i++) {
		if (s->images[i].chosen_batch)
			continue;
		batch->pool++;
		batch->weight_sum += choose_weight(batch->queue_order, &s->images[i], 0);
	}
	for (size_t i = 0; i < here; i++) {
		struct queue_image *image = &s->images[i];
		double chance = choose_chance(batch, choose_weight(batch->queue_order, image, 0));
		if (image->chosen_batch == 0 && rand() / (RAND_MAX + 1.0) < chance)
			image->chosen_batch = batch->position;
	}
}

static void sim_round(struct simulation *s)
{
	double wrong = 0, weights = 0, plain = 0, count = 0, truth = 0;
	for (size_t i = 0; i < SIM_IMAGES; i++)
		s->images[i].chosen_batch = 0;
	for (size_t b = 0; b < SIM_BATCHES; b++)
		sim_batch(s, b);
	for (size_t i = 0; i < SIM_IMAGES; i++) {
		const struct queue_image *image = &s->images[i];
		double is_wrong = image->unsure > 0.5;
		truth += is_wrong / SIM_IMAGES;
		double chance = choose_chance_now(s->batches, SIM_BATCHES, image);
		s->chance_sum[i] += chance;
		if (image->chosen_batch == 0)
			continue;
		s->chosen_often[i]++;
		wrong += is_wrong / chance;
		weights += 1 / chance;
		plain += is_wrong;
		count++;
	}
	s->weighted_error += wrong / weights - truth;
	s->plain_error += plain / count - truth;
}

static void test_chances_against_a_simulation(void **state)
{
	struct simulation *s = calloc(1, sizeof(*s));
	assert_non_null(s);
	srand(11);
	for (size_t i = 0; i < SIM_IMAGES; i++)
		s->images[i] = (struct queue_image){.unsure = rand() / (RAND_MAX + 1.0),
			.outlier = pow(rand() / (RAND_MAX + 1.0), 3),
			.considered_from = (int64_t)(i / SIM_ARRIVE) + 1};
	for (int r = 0; r < SIM_ROUNDS; r++)
		sim_round(s);
	double worst = 0;
	for (size_t i = 0; i < SIM_IMAGES; i++) {
		double often = s->chosen_often[i] / SIM_ROUNDS, chance = s->chance_sum[i] / SIM_ROUNDS;
		double error = sqrt(chance * (1 - chance) / SIM_ROUNDS);
		worst = fmax(worst, fabs(often - chance) / error);
	}
	/* 300 images, each within 4.5 standard errors. */
	if (worst > 4.5)
		fail_msg("an image is chosen more or less often than its chance says: %.2f", worst);
	close_to(s->weighted_error / SIM_ROUNDS, 0, 0.004);
	assert_true(s->plain_error / SIM_ROUNDS > 0.02);
	free(s);
}

static void test_chance_now(void **state)
{
	const struct queue_batch batches[] = {{.position = 3,
						      .queue_order = "unsure",
						      .budget = 10,
						      .pool = 100,
						      .weight_sum = 50,
						      .random_share = 0},
		{.position = 7,
			.queue_order = "unsure",
			.budget = 10,
			.pool = 90,
			.weight_sum = 45,
			.random_share = 1},
		{.position = 9,
			.queue_order = "unsure",
			.budget = 10,
			.pool = 80,
			.weight_sum = 40,
			.random_share = 0}};
	struct queue_image image = {.unsure = 1, .considered_from = 4, .chosen_batch = 7};
	/* Not in the first; in the second 10/90; in the third it would have added its weight of 1 to the 40.
	 */
	close_to(choose_chance_now(batches, 3, &image), 1 - (1 - 10.0 / 90) * (1 - 10.0 / 41), 1e-12);
	image.considered_from = 1;
	close_to(choose_chance_now(batches, 1, &image), 0.2, 1e-12);
	image.considered_from = 10;
	close_to(choose_chance_now(batches, 3, &image), 0, 0);
}

/* ---- with a database ---- */

static struct review_world w;
static struct recorder *recorder;
static struct db_readers *readers;

static int set_up(void **state)
{
	rw_open(&w);
	RW_OK(&w, recorder_start(w.db, 100, 16, &recorder, &w.err));
	RW_OK(&w, db_readers_new(w.db, 2, &readers, &w.err));
	return 0;
}

static int tear_down(void **state)
{
	db_readers_free(readers);
	recorder_stop(recorder);
	rw_close(&w);
	return 0;
}

static void digest(void)
{
	RW_OK(&w, choose_digest(readers, recorder, w.deployment_id, &w.err));
}

static void test_the_digest(void **state)
{
	struct shape items[] = {{.kind = SHAPE_BOX, .label = 2, .score = 0.9F, .box = {1, 1, 5, 5}},
		{.kind = SHAPE_BOX, .label = 0, .score = 0.5F, .box = {1, 1, 5, 5}},
		{.kind = SHAPE_BOX, .label = 2, .score = 0.25F, .box = {1, 1, 5, 5}}};
	struct uuid id = rw_add_image_of(&w, w.deployment_id, &(struct shapes){items, 3});
	struct uuid other = rw_add_deployment(&w, "other"), nobody = {{0}};
	rw_add_image_of(&w, other, &(struct shapes){items, 1});
	digest();
	assert_int_equal(
		rw_number(&w, "SELECT count(*) FROM predicted_asset WHERE considered_from = 1", nobody), 1);
	assert_int_equal(rw_number(&w, "SELECT shape_count FROM predicted_asset WHERE id = $1", id), 3);
	assert_int_equal(
		rw_number(&w, "SELECT CAST(unsure * 1e6 AS INTEGER) FROM predicted_asset WHERE id = $1", id),
		(int64_t)(1e6 * choose_unsure(&(struct shapes){items, 3})));
	assert_string_equal(rw_text(&w,
				    "SELECT group_concat(n.name || l.score, ' ') FROM predicted_label l JOIN"
				    " predicted_label_name n ON n.id = l.label_id JOIN predicted_asset a ON"
				    " a.position = l.position WHERE a.id = $1 ORDER BY n.name DESC",
				    id),
		"blue0.899999976158142 red0.5");
	/* A deleted image leaves no labels. */
	struct uuid gone = rw_add_image_of(&w, w.deployment_id, &(struct shapes){items, 3});
	digest();
	bool existed;
	RW_OK(&w, prediction_rows_delete_asset(w.conn, gone, &existed, &w.err));
	assert_int_equal(rw_number(&w, "SELECT count(*) FROM predicted_label", nobody), 2);
	/* More than a job's worth, and again from where it was. */
	for (int i = 0; i < 450; i++)
		rw_add_image(&w, 0.5F, i % 3);
	digest();
	digest();
	assert_int_equal(
		rw_number(&w, "SELECT count(*) FROM predicted_asset WHERE unsure IS NOT NULL", nobody), 451);
	assert_int_equal(rw_number(&w, "SELECT count(*) FROM predicted_label_name WHERE deployment_id = $1",
				 w.deployment_id),
		3);
}

static void test_batches(void **state)
{
	struct uuid nobody = {{0}};
	size_t chosen, pool;
	for (int i = 0; i < 400; i++)
		rw_add_image(&w, i % 4 ? 0.99F : 0.5F, 0);
	digest();
	RW_OK(&w, choose_batch(readers, recorder, w.deployment_id, RW_FIRST_US, &chosen, &pool, &w.err));
	assert_int_equal(pool, 400);
	assert_true(chosen > 20 && chosen < 90); /* 50, give or take 6 standard deviations */
	assert_int_equal(
		rw_number(&w, "SELECT count(*) FROM predicted_asset WHERE chosen_batch = 1", nobody), chosen);
	/* What is less sure is chosen more often, and all chances are what the batch says. */
	int64_t unsure = rw_number(
		&w, "SELECT count(*) FROM predicted_asset WHERE chosen_batch = 1 AND unsure > 0.5", nobody);
	assert_true(unsure * 3 > (int64_t)chosen); /* they are a quarter of all */
	struct review_chances chances;
	struct queue_image *images;
	size_t count;
	RW_OK(&w, review_chances_read(w.conn, w.deployment_id, &w.arena, &chances, &w.err));
	RW_OK(&w, queue_rows_chosen(w.conn, w.deployment_id, &w.arena, &images, &count, &w.err));
	assert_true(count == chosen && chances.count == 1);
	for (size_t i = 0; i < count; i++) {
		double now;
		RW_OK(&w, review_chance(w.conn, &chances, images[i].id, &now, &w.err));
		close_to(now, choose_chance(&chances.batches[0], choose_weight("unsure", &images[i], 0)),
			1e-12);
		assert_int_equal((int64_t)(now * 1e9),
			rw_number(&w,
				"SELECT CAST(chance * 1e9 AS INTEGER) FROM predicted_asset WHERE id = $1",
				images[i].id));
	}
	/* Batches go on until nobody waits; each image is chosen once. */
	for (int i = 0; i < 60 && pool; i++)
		RW_OK(&w, choose_batch(
				  readers, recorder, w.deployment_id, RW_FIRST_US, &chosen, &pool, &w.err));
	assert_int_equal(pool, 0);
	assert_int_equal(
		rw_number(&w, "SELECT count(*) FROM predicted_asset WHERE chosen_us IS NOT NULL", nobody),
		400);
	struct uuid one;
	RW_OK(&w, review_chances_read(w.conn, w.deployment_id, &w.arena, &chances, &w.err));
	double now;
	RW_OK(&w, review_chance(w.conn, &chances, images[0].id, &now, &w.err));
	assert_true(now > 0.95 && now <= 1); /* the last batches asked for all that there were, or nearly */
	one = rw_add_image(&w, 0.5F, 0);
	RW_OK(&w, review_chance(w.conn, &chances, one, &now, &w.err));
	close_to(now, 0, 0);
}

static void set_reviewed(struct uuid id)
{
	struct db_query q = db_query(w.conn, "UPDATE predicted_asset SET status = 'REVIEWED' WHERE id = $1");
	db_bind_uuid(&q, id);
	RW_OK(&w, db_done(&q, &w.err));
}

/* A disagreement of a shadow that was reviewed is drawn as if it waited; what somebody picked by hand is not.
 */
static void test_reviewed_disagreements_stay_in_the_pool(void **state)
{
	struct uuid ids[200], shadow = rw_id(), nobody = {{0}};
	size_t chosen, pool;
	for (size_t i = 0; i < COUNT_OF(ids); i++)
		ids[i] = rw_add_image(&w, i % 4 ? 0.99F : 0.5F, 0);
	digest();
	RW_OK(&w, sample_rows_add(w.conn, shadow, w.version_id, ids, 60, RW_FIRST_US, &w.err));
	RW_OK(&w, sample_rows_add(
			  w.conn, rw_id(), w.version_id, ids, 30, RW_FIRST_US, &w.err)); /* of another, too */
	for (size_t i = 0; i < 50; i++)
		set_reviewed(ids[i]);
	for (size_t i = 190; i < 200; i++)
		set_reviewed(ids[i]);
	RW_OK(&w, choose_batch(readers, recorder, w.deployment_id, RW_FIRST_US, &chosen, &pool, &w.err));
	assert_int_equal(pool, 190);
	struct review_chances chances;
	struct queue_image *images;
	size_t count;
	RW_OK(&w, review_chances_read(w.conn, w.deployment_id, &w.arena, &chances, &w.err));
	RW_OK(&w, queue_rows_chosen(w.conn, w.deployment_id, &w.arena, &images, &count, &w.err));
	for (size_t i = 0; i < count; i++) {
		double now;
		RW_OK(&w, review_chance(w.conn, &chances, images[i].id, &now, &w.err));
		close_to(now, choose_chance(&chances.batches[0], choose_weight("unsure", &images[i], 0)),
			1e-12);
	}
	int64_t reviewed = rw_number(&w,
		"SELECT count(*) FROM predicted_asset WHERE chosen_us IS NOT NULL AND status = 'REVIEWED'",
		nobody);
	assert_true(reviewed > 0 && reviewed < 50);
	for (int i = 0; i < 40 && pool; i++)
		RW_OK(&w, choose_batch(
				  readers, recorder, w.deployment_id, RW_FIRST_US, &chosen, &pool, &w.err));
	assert_int_equal(
		rw_number(&w, "SELECT count(*) FROM predicted_asset WHERE chosen_us IS NOT NULL", nobody),
		190);
	/* Nobody is shown them again. */
	struct uuid *next;
	RW_OK(&w, queue_rows_next(w.conn, w.deployment_id, 1000, &w.arena, &next, &count, &w.err));
	assert_int_equal(count, 140);
}

static void test_leases(void **state)
{
	struct uuid ids[20];
	for (size_t i = 0; i < COUNT_OF(ids); i++)
		ids[i] = rw_add_image(&w, 0.5F, 0);
	struct lease_request mine = {.deployment_id = w.deployment_id,
		.client = "a",
		.user_id = w.model_id,
		.who = "ann",
		.count = 12,
		.now_us = RW_FIRST_US};
	struct lease_result first, second, third;
	RW_OK(&w, lease_take(readers, recorder, NULL, &mine, &w.arena, &first, &w.err));
	assert_int_equal(first.taken_count, 12);
	struct lease_request yours = mine;
	yours.user_id = w.version_id; /* the same client name, another person */
	RW_OK(&w, lease_take(readers, recorder, NULL, &yours, &w.arena, &second, &w.err));
	assert_int_equal(second.taken_count, 8);
	for (size_t i = 0; i < 12; i++)
		for (size_t k = 0; k < 8; k++)
			assert_false(uuid_equal(first.taken[i], second.taken[k]));
	/* The moment it runs out it is anybody's. */
	mine.now_us += LEASE_US - 1;
	mine.held = first.taken;
	mine.held_count = 1;
	RW_OK(&w, lease_take(readers, recorder, NULL, &mine, &w.arena, &third, &w.err));
	assert_true(
		third.taken_count == 11 && third.lost_count == 0); /* its own, given back and taken again */
	yours.now_us += LEASE_US;
	yours.count = 16;
	RW_OK(&w, lease_take(readers, recorder, NULL, &yours, &w.arena, &third, &w.err));
	assert_int_equal(third.taken_count, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unsure),
		cmocka_unit_test(test_outlier),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_chance),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_chance_now),
		cmocka_unit_test(test_chances_against_a_simulation),
		cmocka_unit_test_setup_teardown(test_the_digest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_batches, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_reviewed_disagreements_stay_in_the_pool, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_leases, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
