/* SPDX-License-Identifier: Apache-2.0 */
/* gyre sample: a model of ours and drawn scenes for it, so that a first prediction needs no download. */
#include "base/check.h"
#include "cli/cli.h"
#include "engine/sample.h"
#include "os/file.h"
#include "vision/image.h"

#include <stdio.h>
#include <stdlib.h>

#define SCENES 12
#define SCENE_WIDTH 640u
#define SCENE_HEIGHT 480u
#define CELLS_ACROSS 3u /* a cell holds at most one part, so that parts stand apart */
#define CELLS_DOWN 2u

/* Repeatable: the scenes are the same for everybody. */
static uint32_t next_random(uint32_t *state, uint32_t below)
{
	*state = *state * 1664525u + 1013904223u;
	return (*state >> 8) % below;
}

static void fill(
	struct image *scene, uint32_t x, uint32_t y, uint32_t width, uint32_t height, const uint8_t colour[3])
{
	for (uint32_t row = y; row < y + height; row++)
		for (uint32_t column = x; column < x + width; column++)
			memcpy(scene->pixels + 3 * ((size_t)row * scene->width + column), colour, 3);
}

/* A grey belt with the light falling off to one side. */
static void draw_belt(struct image *scene, uint32_t *random)
{
	uint32_t light = 150 + next_random(random, 60);
	for (uint32_t y = 0; y < scene->height; y++) {
		for (uint32_t x = 0; x < scene->width; x++) {
			uint8_t grey = (uint8_t)(light - x * 40 / scene->width + (y % 48 < 2 ? 12 : 0));
			memset(scene->pixels + 3 * ((size_t)y * scene->width + x), grey, 3);
		}
	}
}

static void draw_parts(struct image *scene, uint32_t *random)
{
	static const uint8_t colours[3][3] = {{214, 32, 36}, {30, 170, 60}, {36, 64, 210}};
	uint32_t cell_width = scene->width / CELLS_ACROSS, cell_height = scene->height / CELLS_DOWN;
	for (uint32_t cell = 0; cell < CELLS_ACROSS * CELLS_DOWN; cell++) {
		if (next_random(random, 4) == 0)
			continue;
		uint32_t width = 48 + next_random(random, 72), height = 48 + next_random(random, 72);
		uint32_t x =
			cell % CELLS_ACROSS * cell_width + 30 + next_random(random, cell_width - width - 60);
		uint32_t y = cell / CELLS_ACROSS * cell_height + 30 +
			     next_random(random, cell_height - height - 60);
		fill(scene, x, y, width, height, colours[next_random(random, 3)]);
	}
}

static enum status write_scene(const char *path, uint32_t number, struct err *err)
{
	struct image scene = {SCENE_WIDTH, SCENE_HEIGHT, malloc(3u * SCENE_WIDTH * SCENE_HEIGHT)};
	CHECK(scene.pixels != NULL);
	uint32_t random = 2026 + number * 7919;
	draw_belt(&scene, &random);
	draw_parts(&scene, &random);
	uint8_t *bytes;
	size_t size;
	enum status st = image_encode_png(&scene, &bytes, &size, err);
	if (st == ST_OK) {
		st = file_write_durable(path, span_of(bytes, size), 0644, err);
		free(bytes);
	}
	free(scene.pixels);
	return st;
}

static enum status write_labels(const char *path, struct arena *a, struct err *err)
{
	static const char *const labels[] = ENGINE_SAMPLE_LABELS;
	const char *text = "";
	for (size_t i = 0; i < COUNT_OF(labels); i++)
		text = arena_printf(a, "%s%s\n", text, labels[i]);
	return file_write_durable(path, span_of_text(text), 0644, err);
}

static enum status write_sample(const char *folder, struct arena *a, struct err *err)
{
	TRY(file_make_folders(arena_printf(a, "%s/scenes", folder), err));
	TRY(file_write_durable(
		arena_printf(a, "%s/model.onnx", folder), engine_sample_detector(a), 0644, err));
	TRY(write_labels(arena_printf(a, "%s/labels.txt", folder), a, err));
	for (uint32_t i = 0; i < SCENES; i++)
		TRY(write_scene(arena_printf(a, "%s/scenes/scene-%02u.png", folder, i + 1), i, err));
	return ST_OK;
}

int cli_sample(int argc, char **argv)
{
	if (argc != 1 || argv[0][0] == '-')
		return cli_usage("sample", "Say into which folder to write.");
	struct arena a;
	struct err err;
	arena_init(&a);
	enum status st = write_sample(argv[0], &a, &err);
	arena_release(&a);
	if (st != ST_OK)
		return cli_failed(&err);
	printf("Wrote model.onnx, labels.txt and %d scenes into %s. Store the model:\n"
	       "  gyre model push %s/model.onnx --name sample --type detection --labels %s/labels.txt\n",
		SCENES, argv[0], argv[0], argv[0]);
	return EXIT_DONE;
}
