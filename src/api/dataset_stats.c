/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a dataset version: statistics, its manifest, and how it differs from another. */
#include "learn/dataset_stats.h"
#include "api/dataset_json.h"
#include "api/nouns.h"
#include "learn/manifest.h"

#define DIFF_ITEMS_MAX 1000

enum status api_dataset_version_stats(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct dataset_stats stats;
	struct uuid id;
	TRY(api_id(req, "id", "dataset version", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(dataset_stats_read(reader.conn, id, req->arena, &stats, err));
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	yyjson_mut_val *shapes = yyjson_mut_obj_add_obj(doc, root, "label_repartition");
	yyjson_mut_val *images = yyjson_mut_obj_add_obj(doc, root, "label_images");
	for (size_t i = 0; i < stats.label_count; i++) {
		yyjson_mut_obj_add_int(doc, shapes, stats.labels[i].name, stats.labels[i].shapes);
		yyjson_mut_obj_add_int(doc, images, stats.labels[i].name, stats.labels[i].images);
	}
	yyjson_mut_obj_add_int(doc, root, "nb_objects", stats.objects);
	yyjson_mut_obj_add_int(doc, root, "nb_annotations", stats.annotations);
	yyjson_mut_obj_add_int(doc, root, "nb_assets", stats.assets);
	yyjson_mut_obj_add_int(doc, root, "nb_annotated", stats.annotated);
	yyjson_mut_obj_add_int(doc, root, "nb_evaluation", stats.evaluation);
	yyjson_mut_val *sizes = yyjson_mut_obj_add_obj(doc, root, "sizes");
	yyjson_mut_obj_add_int(doc, sizes, "small", stats.small);
	yyjson_mut_obj_add_int(doc, sizes, "medium", stats.medium);
	yyjson_mut_obj_add_int(doc, sizes, "large", stats.large);
	yyjson_mut_val *histogram = yyjson_mut_obj_add_arr(doc, root, "objects_per_image");
	for (size_t k = 0; stats.annotated && k <= stats.objects_most; k++)
		yyjson_mut_arr_add_int(doc, histogram, stats.objects_per_image[k]);
	return http_reply_json(req, reply, doc);
}

enum status api_dataset_version_tag_analytics(
	struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct dataset_version_row version;
	struct dataset_tag_count *tags;
	size_t count;
	const char *type;
	TRY(api_query_text(req, "tag_type", &type, err));
	if (strcmp(type, "ASSET") != 0 && strcmp(type, "DATA") != 0)
		return err_set(err, ST_INVALID, "\"tag_type\" must be ASSET or DATA, not \"%.100s\".", type);
	TRY(api_read(req, &reader, err));
	TRY(dataset_version_of_path(req, reader.conn, &version, err));
	TRY(dataset_stats_tags(
		reader.conn, version.id, strcmp(type, "DATA") == 0, req->arena, &tags, &count, err));
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	for (size_t i = 0; i < count; i++)
		yyjson_mut_obj_add_int(doc, root, tags[i].name, tags[i].assets);
	return http_reply_json(req, reply, doc);
}

enum status api_dataset_version_manifest(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct manifest manifest;
	struct uuid id;
	TRY(api_id(req, "id", "dataset version", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(manifest_read(reader.conn, id, req->arena, &manifest, err));
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	yyjson_mut_obj_add_int(doc, root, "revision", manifest.revision);
	api_add_text(doc, root, "hash", manifest.hash);
	yyjson_mut_obj_add_int(doc, root, "assets", (int64_t)manifest.count);
	return http_reply_json(req, reply, doc);
}

static enum status reply_diff(
	struct http_request *req, struct http_reply *reply, const struct manifest_diff *diff)
{
	static const char *const changes[MANIFEST_CHANGE_COUNT] = {
		[MANIFEST_ADDED] = "added", [MANIFEST_REMOVED] = "removed", [MANIFEST_CHANGED] = "changed"};
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	yyjson_mut_obj_add_int(doc, root, "only_here", (int64_t)diff->only_here);
	yyjson_mut_obj_add_int(doc, root, "only_there", (int64_t)diff->only_there);
	yyjson_mut_obj_add_int(doc, root, "changed", (int64_t)diff->changed);
	yyjson_mut_obj_add_int(doc, root, "same", (int64_t)diff->same);
	yyjson_mut_val *items = yyjson_mut_obj_add_arr(doc, root, "items");
	for (size_t i = 0; i < diff->count; i++) {
		yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, items);
		api_add_text(doc, item, "filename", diff->items[i].filename);
		api_add_text(doc, item, "what", changes[diff->items[i].what]);
		api_add_id(doc, item, "asset_id", diff->items[i].asset_id);
	}
	return http_reply_json(req, reply, doc);
}

enum status api_dataset_version_diff(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct manifest here, there;
	struct manifest_diff diff;
	struct uuid id, other;
	const char *text;
	TRY(api_id(req, "id", "dataset version", &id, err));
	TRY(api_query_text(req, "other", &text, err));
	if (!uuid_parse(text, &other))
		return err_set(err, ST_MISSING, "There is no dataset version with the id %.100s.", text);
	TRY(api_read(req, &reader, err));
	TRY(manifest_read(reader.conn, id, req->arena, &here, err));
	TRY(manifest_read(reader.conn, other, req->arena, &there, err));
	manifest_compare(&here, &there, DIFF_ITEMS_MAX, req->arena, &diff);
	return reply_diff(req, reply, &diff);
}
