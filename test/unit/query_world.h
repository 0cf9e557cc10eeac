/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of queries: a database with the real schema and a few rows, and what a filter leaves of a noun's.
 */
#ifndef GYRE_TEST_QUERY_WORLD_H
#define GYRE_TEST_QUERY_WORLD_H

#include "base/check.h"
#include "query/filter.h"
#include "store/db_sqlite.h"
#include "store/migrate.h"

#include <stdio.h>

static const char *const query_tables[QUERY_NOUN_COUNT] = {
#define NOUN(noun, text) #noun,
#define FIELD(noun, path, type, sql, text)
#define LINK(noun, part, other, how_many, from, text)
#include "query/fields.def"
#undef NOUN
#undef FIELD
#undef LINK
};

static inline const char *query_table(enum query_noun noun)
{
	return noun == QUERY_NOUN_shape ? "annotation_shape" : query_tables[noun];
}

/* Four images, a.jpg … d.jpg; a is in a dataset version with boxes, a and b were predicted on. */
static const char query_rows[] =
	"INSERT INTO organization VALUES (x'01', 'o', x'01', x'00', 1);"
	"INSERT INTO datalake VALUES (x'11', x'01', 'lake', 1);"
	"INSERT INTO data_source VALUES (x'21', 'gate', 1), (x'22', 'yard', 1);"
	"INSERT INTO object (name, created_us) VALUES ('oa', 1), ('ob', 1), ('oc', 1), ('od', 1);"
	"INSERT INTO data (id, datalake_id, source_id, object_name, filename, content_type, width, height,"
	" metadata, custom_metadata, created_us) VALUES"
	/* 2026-11-24T00:00:00Z, a second before, noon, and the day after */
	" (x'0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a', x'11', x'21', 'oa', 'a.jpg', 'image/jpeg', 640, 480, NULL,"
	"  '{\"n\": 5, \"s\": \"x\", \"b\": true, \"deep\": {\"er\": 1.5}, \"nothing\": null}', "
	"1795478400000000),"
	" (x'0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b', x'11', x'22', 'ob', 'b.jpg', 'image/jpeg', 1280, 720,"
	"  '{\"camera id\": \"k\"}', '{\"n\": \"5\", \"b\": 1}', 1795478399000000),"
	" (x'0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c', x'11', NULL, 'oc', 'c.png', 'image/png', 64, 64, NULL,"
	"  '{\"n\": 7, \"b\": false}', 1795521600500000),"
	" (x'0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d', x'11', NULL, 'od', 'd \"q\" %.png', 'image/png', 65, 64, "
	"NULL,"
	"  NULL, 1795564800000000);"
	"INSERT INTO tag VALUES (x'31', 'night', 'DATA', x'11', 1), (x'32', 'rain', 'DATA', x'11', 1),"
	" (x'33', 'hard', 'ASSET', x'51', 1);"
	"INSERT INTO tag_target VALUES (x'31', x'0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a'),"
	" (x'32', x'0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a'), (x'32', x'0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b'),"
	" (x'33', x'61');"
	"INSERT INTO dataset (id, organization_id, name, created_us) VALUES (x'41', x'01', 'streets', 1);"
	"INSERT INTO dataset_version (id, dataset_id, version, type, created_us)"
	" VALUES (x'51', x'41', 'first', 'OBJECT_DETECTION', 1);"
	"INSERT INTO asset (id, dataset_version_id, data_id, evaluation, created_us) VALUES"
	" (x'61', x'51', x'0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a', 1, 1),"
	" (x'62', x'51', x'0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b', 0, 2),"
	" (x'63', x'51', x'0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c', 0, 3);"
	"INSERT INTO label (id, dataset_version_id, name, position, created_us) VALUES (x'71', x'51', 'car', "
	"0, 1),"
	" (x'72', x'51', 'bus', 1, 1);"
	"INSERT INTO annotation (id, asset_id, status, who, created_us, updated_us) VALUES"
	" (x'81', x'61', 'ACCEPTED', 'ana', 1, 1), (x'82', x'62', 'PENDING', 'bo', 1, 1);"
	"INSERT INTO annotation_shape (id, annotation_id, position, kind, label_id, x, y, w, h) VALUES"
	" (x'91', x'81', 0, 'RECTANGLE', x'71', 1, 2, 30, 40), (x'92', x'81', 1, 'POLYGON', x'72', 1, 2, 3, "
	"4);";

static inline struct db_conn *query_world_open(struct db **db)
{
	struct db_conn *c = NULL;
	struct err err;
	enum status st = db_sqlite_open_temporary(db, &err);
	if (st == ST_OK)
		st = db_connect(*db, true, &c, &err);
	if (st == ST_OK)
		st = migrate_up(c, &err);
	if (st == ST_OK)
		st = db_script(c, query_rows, &err);
	if (st != ST_OK)
		fprintf(stderr, "%s\n", err.text);
	CHECK(st == ST_OK);
	return c;
}

/* One column of the rows of the noun that the page has, each followed by a space. */
static inline const char *query_world_list(struct db_conn *c, enum query_noun noun, const char *column,
	const struct rows_page *page, struct arena *a)
{
	struct err err;
	const char *text = "", *table = query_table(noun);
	const struct rows_source source = {
		.select = arena_printf(a, "SELECT %s FROM %s", column, table),
		.count = arena_printf(a, "SELECT count(*) FROM %s", table),
		.id = arena_printf(a, "%s.rowid", table),
		.created = "1",
		.name = "1",
	};
	struct db_query q = rows_query(c, a, &source, page);
	rows_bind(&q, page);
	while (db_next(&q))
		text = arena_printf(a, "%s%s ", text, db_text(&q, 0, a));
	enum status st = db_done(&q, &err);
	if (st != ST_OK)
		fprintf(stderr, "%.2000s\n%s\n", page->filter.where ? page->filter.where : "", err.text);
	CHECK(st == ST_OK);
	return text;
}

#endif
