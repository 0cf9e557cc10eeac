/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Average precision of the boxes in a file, timed: for bench_score.py. The file has int32 counts of images,
 * truths and guesses; then of each truth and each guess, by rising image, int32 image and label and doubles
 * x, y, width, height, and of a guess its score. Prints one line of JSON: seconds of adding and of reading
 * the twelve numbers, these, memory, and the milliseconds of one more review: an image of up to three labels
 * added again and the numbers read.
 */
#include "base/check.h"
#include "os/clock.h"
#include "os/thread.h"
#include "task/score.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MORE 41 /* reviews that are timed */

struct input {
	int32_t image_count, truth_count, guess_count;
	struct match_truth *truths;
	struct match_guess *guesses;
	size_t *first_truth, *first_guess; /* of each image, and past the last one */
};

static void must_read(void *out, size_t size, FILE *f)
{
	CHECK(fread(out, 1, size, f) == size);
}

static struct match_box read_box(FILE *f)
{
	struct match_box b;
	must_read(&b, sizeof(b), f);
	return b;
}

static void read_input(struct input *in, const char *path)
{
	FILE *f = fopen(path, "rb");
	int32_t head[2], at = 0;
	CHECK(f != NULL);
	must_read(&in->image_count, 3 * sizeof(int32_t), f);
	in->truths = calloc((size_t)in->truth_count + 1, sizeof(*in->truths));
	in->guesses = calloc((size_t)in->guess_count + 1, sizeof(*in->guesses));
	in->first_truth = calloc((size_t)in->image_count + 1, sizeof(size_t));
	in->first_guess = calloc((size_t)in->image_count + 1, sizeof(size_t));
	CHECK(in->truths && in->guesses && in->first_truth && in->first_guess);
	for (int32_t i = 0; i < in->truth_count; i++) {
		must_read(head, sizeof(head), f);
		while (at <= head[0])
			in->first_truth[at++] = (size_t)i;
		in->truths[i] = (struct match_truth){.label = head[1], .box = read_box(f), .area = -1};
	}
	while (at <= in->image_count)
		in->first_truth[at++] = (size_t)in->truth_count;
	at = 0;
	for (int32_t i = 0; i < in->guess_count; i++) {
		must_read(head, sizeof(head), f);
		while (at <= head[0])
			in->first_guess[at++] = (size_t)i;
		in->guesses[i] = (struct match_guess){.label = head[1], .box = read_box(f)};
		must_read(&in->guesses[i].score, sizeof(double), f);
	}
	while (at <= in->image_count)
		in->first_guess[at++] = (size_t)in->guess_count;
	fclose(f);
}

static void add(struct score *s, const struct input *in, int32_t image)
{
	size_t t = in->first_truth[image], g = in->first_guess[image];
	score_add(s, image, in->truths + t, in->first_truth[image + 1] - t, in->guesses + g,
		in->first_guess[image + 1] - g);
}

struct part {
	const struct input *in;
	struct score *score;
	int32_t first, end;
};

static void add_part(void *arg)
{
	struct part *p = arg;
	for (int32_t i = p->first; i < p->end; i++)
		add(p->score, p->in, i);
}

/* The most memory so far, MiB. Not getrusage()'s, which remembers the program that started this one. */
static double peak_mib(void)
{
	char line[256];
	double kib = 0;
	FILE *f = fopen("/proc/self/status", "r");
	CHECK(f != NULL);
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, "VmHWM:", 6) == 0)
			kib = strtod(line + 6, NULL);
	fclose(f);
	return kib / 1024;
}

static double cpu_s(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Images of at most three labels, as they come; the median. */
static double refresh_ms(struct score *s, const struct input *in, struct arena *a)
{
	double times[MORE] = {0};
	int count = 0;
	for (int32_t i = 0; i < in->image_count && count < MORE; i++) {
		int32_t labels[3];
		size_t different = 0;
		for (size_t g = in->first_guess[i]; g < in->first_guess[i + 1] && different <= 3; g++) {
			size_t k = 0;
			while (k < different && k < 3 && labels[k] != in->guesses[g].label)
				k++;
			if (k == different && different++ < 3)
				labels[k] = in->guesses[g].label;
		}
		if (different == 0 || different > 3)
			continue;
		struct score_summary summary;
		int64_t start_us = clock_mono_us();
		add(s, in, i);
		score_read(s, a, &summary);
		times[count++] = (double)(clock_mono_us() - start_us) / 1e3;
	}
	qsort(times, (size_t)count, sizeof(times[0]), by_size);
	return count ? times[count / 2] : -1;
}

int main(int argc, char **argv)
{
	enum { PARTS_MAX = 16 };
	struct input in;
	struct arena a;
	struct score_summary summary;
	struct part parts[PARTS_MAX];
	thread_handle threads[PARTS_MAX];
	CHECK(argc == 3);
	int part_count = atoi(argv[2]);
	CHECK(part_count >= 1 && part_count <= PARTS_MAX);
	arena_init(&a);
	read_input(&in, argv[1]);
	double before_mib = peak_mib(), before_s = cpu_s();
	const struct match_rules rules = score_rules_coco(false);
	int64_t start_us = clock_mono_us();
	for (int i = 0; i < part_count; i++) {
		parts[i] = (struct part){&in, score_new(&rules),
			(int32_t)((int64_t)in.image_count * i / part_count),
			(int32_t)((int64_t)in.image_count * (i + 1) / part_count)};
		thread_start(&threads[i], "score", add_part, &parts[i]);
	}
	for (int i = 0; i < part_count; i++)
		thread_join(threads[i]);
	for (int i = 1; i < part_count; i++)
		score_merge(parts[0].score, parts[i].score);
	int64_t added_us = clock_mono_us();
	score_read(parts[0].score, &a, &summary);
	int64_t read_us = clock_mono_us();
	double cpu = cpu_s() - before_s, peak = peak_mib();
	const struct score_numbers *n = &summary.numbers;
	printf("{\"add_s\": %.6f, \"read_s\": %.6f, \"cpu_s\": %.6f, \"peak_mib\": %.1f, \"more_mib\": %.1f, "
	       "\"numbers\": "
	       "[%.17g, %.17g, %.17g, %.17g, %.17g, %.17g, %.17g, %.17g, %.17g, %.17g, %.17g, %.17g], ",
		(double)(added_us - start_us) / 1e6, (double)(read_us - added_us) / 1e6, cpu, peak,
		peak - before_mib, n->ap, n->ap50, n->ap75, n->ap_small, n->ap_medium, n->ap_large, n->ar1,
		n->ar10, n->ar100, n->ar_small, n->ar_medium, n->ar_large);
	printf("\"refresh_ms\": %.3f}\n", refresh_ms(parts[0].score, &in, &a));
	for (int i = 0; i < part_count; i++)
		score_free(parts[i].score);
	arena_release(&a);
	return 0;
}
