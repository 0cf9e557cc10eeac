/* SPDX-License-Identifier: Apache-2.0 */
/* gyre alert: list, set, events */
#include "base/check.h"
#include "cli/where.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *text_of(yyjson_val *object, const char *key)
{
	const char *text = yyjson_get_str(yyjson_obj_get(object, key));
	return text ? text : "";
}

static long long count_of(yyjson_val *object, const char *key)
{
	return (long long)yyjson_get_sint(yyjson_obj_get(object, key));
}

/* ---- printing ---- */

static void print_window(long long seconds)
{
	if (seconds % 86400 == 0)
		printf(" over %lld day%s", seconds / 86400, seconds == 86400 ? "" : "s");
	else if (seconds % 3600 == 0)
		printf(" over %lld hour%s", seconds / 3600, seconds == 3600 ? "" : "s");
	else
		printf(" over %lld minute%s", seconds / 60, seconds == 60 ? "" : "s");
}

static void print_alert(yyjson_val *alert)
{
	const char *unit = text_of(alert, "unit"), *label = text_of(alert, "label");
	printf("%-16s %-4s ", text_of(alert, "kind"),
		yyjson_get_bool(yyjson_obj_get(alert, "active")) ? "on" : "off");
	printf("%s", text_of(alert, "title"));
	if (count_of(alert, "window_s")) {
		printf(" %s %g%s%s", text_of(alert, "operator"),
			yyjson_get_num(yyjson_obj_get(alert, "value")), *unit ? " " : "", unit);
		print_window(count_of(alert, "window_s"));
		printf(", from %lld images on", count_of(alert, "images_min"));
	}
	if (*label)
		printf(", %s alone", label);
	yyjson_val *open = yyjson_obj_get(alert, "open");
	if (yyjson_is_obj(open))
		printf("\n  open since %.19s: %s", text_of(open, "opened_at"), text_of(open, "sentence"));
	printf("\n");
}

static void print_event(yyjson_val *event)
{
	const char *closed = text_of(event, "closed_at");
	printf("%.19s  %s\n", text_of(event, "opened_at"), text_of(event, "sentence"));
	if (*closed)
		printf("  closed %.19s by %s: %s\n", closed, text_of(event, "closed_by"),
			text_of(yyjson_obj_get(event, "detail"), "closed"));
}

static enum status print_all(struct client *c, const char *id, bool events, bool json, struct err *err)
{
	yyjson_val *answer, *item;
	TRY(client_call(c, "GET", NULL, &answer, err, "/api/deployment/%s/alerts", id));
	yyjson_val *list = yyjson_obj_get(answer, events ? "events" : "items");
	if (yyjson_arr_size(list) == 0 && !json)
		printf(events ? "No alert has fired yet.\n" : "There are no alerts.\n");
	yyjson_arr_iter each = yyjson_arr_iter_with(list);
	while ((item = yyjson_arr_iter_next(&each)))
		if (json)
			client_print(item);
		else if (events)
			print_event(item);
		else
			print_alert(item);
	return ST_OK;
}

/* ---- setting ---- */

/* What `gyre alert set` was told; NAN, NULL and 0 where it was not. */
struct setting {
	const char *kind, *operator, * label;
	const char *active; /* "on", "off" */
	double value;
	int64_t window_s, images_min;
};

/* "15m", "2h", "7d", or seconds. */
static bool read_window(const char *text, int64_t *out)
{
	char *end;
	double number = strtod(text, &end);
	double unit = strcmp(end, "d") == 0                   ? 86400
		      : strcmp(end, "h") == 0                 ? 3600
		      : strcmp(end, "m") == 0                 ? 60
		      : *end == '\0' || strcmp(end, "s") == 0 ? 1
							      : 0;
	if (end == text || unit == 0 || !(number > 0 && number < 1e9))
		return false;
	*out = llround(number * unit);
	return true;
}

static bool read_number(const char *text, double *out)
{
	char *end;
	*out = strtod(text, &end);
	return end != text && *end == '\0' && isfinite(*out);
}

static yyjson_mut_doc *body_of(struct client *c, const struct setting *s, bool is_new)
{
	yyjson_mut_doc *doc = json_new(&c->arena);
	yyjson_mut_val *body = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, body);
	if (is_new)
		yyjson_mut_obj_add_str(doc, body, "kind", s->kind);
	if (s->operator)
		yyjson_mut_obj_add_str(doc, body, "operator", s->operator);
	if (!isnan(s->value))
		yyjson_mut_obj_add_real(doc, body, "value", s->value);
	if (s->window_s)
		yyjson_mut_obj_add_int(doc, body, "window_s", s->window_s);
	if (s->images_min)
		yyjson_mut_obj_add_int(doc, body, "images_min", s->images_min);
	if (s->label)
		yyjson_mut_obj_add_str(doc, body, "label", s->label);
	yyjson_mut_obj_add_bool(doc, body, "active", s->active == NULL || strcmp(s->active, "off") != 0);
	return doc;
}

/* The alert of that kind (and label) is changed, or made when there is none. */
static enum status set(struct client *c, const char *id, const struct setting *s, bool json, struct err *err)
{
	yyjson_val *answer, *item, *found = NULL;
	TRY(client_call(c, "GET", NULL, &answer, err, "/api/deployment/%s/alerts", id));
	yyjson_arr_iter each = yyjson_arr_iter_with(yyjson_obj_get(answer, "items"));
	while ((item = yyjson_arr_iter_next(&each)))
		if (strcmp(text_of(item, "kind"), s->kind) == 0 &&
			strcmp(text_of(item, "label"), s->label ? s->label : "") == 0)
			found = item;
	yyjson_mut_doc *body = body_of(c, s, found == NULL);
	if (found)
		TRY(client_call(c, "PATCH", body, &answer, err, "/api/alert/%s", text_of(found, "id")));
	else
		TRY(client_call(c, "POST", body, &answer, err, "/api/deployment/%s/alerts", id));
	if (json)
		client_print(answer);
	else
		print_alert(answer);
	return ST_OK;
}

/* NULL, or what is wrong with the words. */
static const char *read_setting(
	const struct cli_words *w, const char *window, const char *images, struct setting *s)
{
	double count;
	s->kind = w->words[2];
	s->value = (double)NAN;
	if (w->count == 4)
		s->active = w->words[3];
	if (s->active && strcmp(s->active, "on") != 0 && strcmp(s->active, "off") != 0)
		return "Say on, off, or an operator and a value.";
	if (w->count == 5) {
		s->operator= w->words[3];
		if (!read_number(w->words[4], &s->value))
			return "The value is a number.";
	}
	if (window && !read_window(window, &s->window_s))
		return "A window is like 15m, 2h or 7d.";
	if (images && (!read_number(images, &count) || count < 1 || count > 1e6))
		return "--images takes a number from 1 on.";
	if (images)
		s->images_min = llround(count);
	return NULL;
}

int cli_alert(int argc, char **argv)
{
	bool json = false;
	const char *window = NULL, *images = NULL;
	struct setting setting = {0};
	static struct cli_words words;
	const struct cli_option options[] = {{"--json", NULL, &json}, {"--window", &window, NULL},
		{"--images", &images, NULL}, {"--label", &setting.label, NULL}};
	int code = cli_parse("alert", argc, argv, options, COUNT_OF(options), &words);
	if (code)
		return code;
	const char *verb = words.count ? words.words[0] : "";
	bool lists = words.count == 2 && strcmp(verb, "list") == 0;
	bool events = words.count == 2 && strcmp(verb, "events") == 0;
	bool sets = words.count >= 3 && words.count <= 5 && strcmp(verb, "set") == 0;
	if (!lists && !events && !sets)
		return cli_usage("alert", "Say list, set or events, and of which deployment.");
	const char *wrong = sets ? read_setting(&words, window, images, &setting) : NULL;
	if (wrong)
		return cli_usage("alert", "%s", wrong);
	struct client c;
	struct err err;
	yyjson_val *deployment;
	enum status st = client_open(&c, &err);
	if (st == ST_OK)
		st = client_deployment(&c, words.words[1], &deployment, &err);
	const char *id = st == ST_OK ? text_of(deployment, "id") : NULL;
	if (st == ST_OK)
		st = sets ? set(&c, id, &setting, json, &err) : print_all(&c, id, events, json, &err);
	code = st == ST_OK ? EXIT_DONE : cli_failed(&err);
	client_close(&c);
	return code;
}
