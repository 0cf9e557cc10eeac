/* SPDX-License-Identifier: Apache-2.0 */
/* Pascal VOC's XML: what is read, what is refused, and that hostile XML costs nothing. */
#include "formats/formats.h"

#include "base/str.h"
#include "format_samples.h"

static struct sample_files s;

static int set_up(void **state)
{
	files_init(&s);
	return 0;
}

static int tear_down(void **state)
{
	files_release(&s);
	return 0;
}

#define HEAD "<annotation><filename>1.jpg</filename><size><width>100</width><height>80</height></size>"

/* An object of a name and a box, "x1 y1 x2 y2", each as it is to stand in the file. */
static const char *object(const char *name, const char *corners)
{
	static const char *const elements[] = {"xmin", "ymin", "xmax", "ymax"};
	struct str text;
	str_init(&text, 4096);
	str_printf(&text, "<object><name>%s</name><bndbox>", name);
	for (size_t i = 0; i < 4; i++) {
		size_t size = strcspn(corners, " ");
		str_printf(&text, "<%s>%.*s</%s>", elements[i], (int)size, corners, elements[i]);
		corners += size + (corners[size] == ' ');
	}
	str_append(&text, "</bndbox></object>");
	const char *out = arena_strdup(&s.arena, str_text(&text));
	str_release(&text);
	return out;
}

static const char *joined(const char *const *texts, size_t count)
{
	const char *out = "";
	for (size_t i = 0; i < count; i++)
		out = arena_printf(&s.arena, "%s%s", out, texts[i]);
	return out;
}

#define JOINED(...) joined((const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__})))

static void read_xml(const char *text)
{
	add_text(&s, "Annotations/1.xml", text);
	read_as(&s, FORMAT_VOC);
}

static void read_objects(const char *objects)
{
	read_xml(arena_printf(&s.arena, HEAD "%s</annotation>", objects));
	assert_int_equal(s.set.image_count, 1);
	assert_true(s.set.images[0].annotated);
}

static void test_boxes_as_they_stand(void **state)
{
	read_objects(JOINED("<object><name>cat</name><difficult>1</difficult><bndbox><ymax>40</ymax>",
		"<xmax>30.5</xmax><xmin>1</xmin><ymin> 2 </ymin></bndbox></object>",
		object(" Katze &amp; H\xc3\xbcndchen ", "5 6 7 8")));
	const struct labelled_image *image = &s.set.images[0];
	assert_string_equal(image->filename, "1.jpg");
	assert_int_equal(image->width, 100);
	assert_int_equal(image->height, 80);
	assert_int_equal(image->shape_count, 2);
	expect_box(&s.set, &image->shapes[0], "cat", 1, 2, 30.5f, 40);
	expect_box(&s.set, &image->shapes[1], "Katze & H\xc3\xbcndchen", 5, 6, 7, 8);
	assert_true(image->shapes[0].difficult);
	assert_false(image->shapes[1].difficult);
	expect_no_problems(&s.set);
}

static void test_parts_of_an_object_are_passed_over(void **state)
{
	read_objects(
		"<object><name>person</name><part><name>head</name><bndbox><xmin>5</xmin></bndbox></part>"
		"<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax></bndbox>"
		"<actions><name>jumping</name></actions></object>"
		"<source><annotation>PASCAL</annotation><object><name>x</name></object></source>");
	assert_int_equal(s.set.images[0].shape_count, 1);
	expect_box(&s.set, s.set.images[0].shapes, "person", 1, 2, 30, 40);
	assert_int_equal(s.set.label_count, 1);
	expect_no_problems(&s.set);
}

static void test_polygons_beside_the_box(void **state)
{
	read_objects("<object><name>cat</name><polygon><x1>1</x1><y1>2</y1><x2>30</x2><y2>2</y2><x3>30</x3>"
		     "<y3>40.5</y3></polygon>"
		     "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax></bndbox></object>"
		     "<object><name>cat</name><polygon><x1>1</x1></polygon>"
		     "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox></object>");
	const struct labelled_shape *p = s.set.images[0].shapes;
	assert_int_equal(s.set.images[0].shape_count, 2);
	assert_int_equal(p->kind, SHAPE_POLYGON);
	assert_int_equal(p->rings[0].point_count, 3);
	assert_float_equal(p->rings[0].points[5], 40.5, 0);
	assert_float_equal(p->box.y2, 40, 0);
	expect_box(&s.set, &p[1], "cat", 1, 2, 3, 4);
	assert_int_equal(problems_with(&s.set, "Annotations/1.xml", "odd number"), 1);
}

static void test_impossible_boxes(void **state)
{
	static const struct {
		const char *corners, *problem;
		size_t kept;
	} rows[] = {
		{"5 5 5 9", "no area; it is kept and marked", 1},
		{"nan 5 5 9", "not finite", 0},
		{" 5 5 9", "not finite", 0},
		{"1e999 5 5 9", "not finite", 0},
		{"3px 5 5 9", "not finite", 0},
		{"101 5 120 10", "outside", 0},
		{"50 5 120 10", "clipped", 1},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		read_objects(object("cat", rows[i].corners));
		if (problems_with(&s.set, "Annotations/1.xml", rows[i].problem) != 1) {
			print_problems(&s.set);
			fail_msg("%s: expected \"%s\"", rows[i].corners, rows[i].problem);
		}
		assert_int_equal(s.set.images[0].shape_count, rows[i].kept);
		files_release(&s);
		files_init(&s);
	}
}

static void test_corners_in_any_order(void **state)
{
	read_objects(object("cat", "30 40 1 2"));
	expect_box(&s.set, s.set.images[0].shapes, "cat", 1, 2, 30, 40);
	expect_no_problems(&s.set);
}

static void test_objects_that_lack_something(void **state)
{
	read_objects(JOINED("<object><name>a</name></object><object><name>b</name><bndbox/></object>",
		"<object><name>c</name><robndbox><cx>3</cx></robndbox></object>", object("", "1 2 3 4"),
		object("x\ty", "1 2 3 4"), "<object><bndbox/></object>"));
	assert_int_equal(s.set.images[0].shape_count, 0);
	assert_int_equal(problems_with(&s.set, "\"a\"", "has no box; it"), 1);
	assert_int_equal(problems_with(&s.set, "\"b\"", "not finite"), 1);
	assert_int_equal(problems_with(&s.set, "\"c\"", "rotated"), 1);
	assert_int_equal(problems_with(&s.set, "1.jpg", "no usable name"), 3);
}

static void test_an_image_without_objects_is_annotated(void **state)
{
	read_objects("");
	assert_int_equal(s.set.images[0].shape_count, 0);
	expect_no_problems(&s.set);
}

static void test_names_that_lead_out_of_the_set(void **state)
{
	add_text(&s, "Annotations/ok.xml", "<annotation><filename>ok.jpg</filename></annotation>");
	read_xml("<annotation><filename>../../etc/passwd</filename></annotation>");
	assert_int_equal(s.set.image_count, 1);
	assert_int_equal(problems_with(&s.set, "Annotations/1.xml", "leads out"), 1);
}

static void test_the_image_by_the_name_of_the_xml(void **state)
{
	add_image(&s, "JPEGImages/a.v1.png", 10, 10);
	add_image(&s, "JPEGImages/b.jpg", 20, 20);
	add_image(&s, "JPEGImages/c.jpg", 20, 20);
	add_text(&s, "Annotations/a.v1.xml", JOINED("<annotation>", object("x", "1 2 3 4"), "</annotation>"));
	add_text(&s, "Annotations/b.xml", "<annotation><filename>IMG_001.jpg</filename></annotation>");
	add_text(&s, "Annotations/c.xml", "<annotation><filename>c.png</filename></annotation>");
	add_text(&s, "Annotations/z.xml", "<annotation><filename>b</filename></annotation>");
	read_as(&s, FORMAT_NONE);
	assert_int_equal(s.set.image_count, 3);
	assert_string_equal(image_named(&s.set, "a.v1")->path, "JPEGImages/a.v1.png");
	assert_int_equal(image_named(&s.set, "a.v1")->shape_count, 1);
	assert_string_equal(image_named(&s.set, "IMG_001.jpg")->path, "JPEGImages/b.jpg");
	assert_string_equal(image_named(&s.set, "c.png")->path, "JPEGImages/c.jpg");
	assert_int_equal(problems_with(&s.set, "Annotations/z.xml", "already"), 1);
}

static void test_encodings(void **state)
{
	read_xml(JOINED("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><!DOCTYPE annotation>" HEAD,
		object("H\xfcndchen", "1 2 3 4"), "</annotation>"));
	assert_string_equal(s.set.labels[0], "H\xc3\xbcndchen");
	expect_no_problems(&s.set);
}

static void test_broken_xml_is_refused_whole(void **state)
{
	static const struct {
		const char *text, *problem;
	} rows[] = {
		{HEAD "<object><name>a</name></object>", "line 1"},
		{HEAD "<object></annotation>", "mismatched tag"},
		{"", "no element found"},
		{"<annotation>\xff\xfe</annotation>", "not well-formed"},
		{"<?xml version='1.0' encoding='x-nothing'?><annotation/>", "unknown encoding"},
		{"<annotations></annotations>", "as CVAT writes it"},
		{"<html><annotation/></html>", "outermost element is \"html\""},
		{"<!DOCTYPE annotation [<!ENTITY a \"b\">]><annotation>&a;</annotation>",
			"declares entities"},
		{"<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><annotation>&x;</annotation>",
			"declares entities"},
		{"<annotation>&undefined;</annotation>", "undefined entity"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		add_text(&s, "ok.xml", "<annotation><filename>ok.jpg</filename></annotation>");
		read_xml(rows[i].text);
		if (problems_with(&s.set, "Annotations/1.xml", rows[i].problem) != 1) {
			print_problems(&s.set);
			fail_msg("row %zu: expected \"%s\"", i, rows[i].problem);
		}
		assert_int_equal(s.set.image_count, 1);
		assert_int_equal(s.set.label_count, 0);
		files_release(&s);
		files_init(&s);
	}
}

static void read_long_xml(const char *start, const char *piece, const char *end, size_t count)
{
	struct str text;
	str_init(&text, (size_t)64 << 20);
	str_append(&text, start);
	for (size_t i = 0; i < count; i++)
		str_append(&text, piece);
	str_append(&text, end);
	add_text(&s, "ok.xml", "<annotation><filename>ok.jpg</filename></annotation>");
	read_xml(str_text(&text));
	str_release(&text);
	assert_int_equal(s.set.image_count, 1);
}

static void test_elements_nested_too_deep(void **state)
{
	read_long_xml("<annotation>", "<a>", "", 100000);
	assert_int_equal(problems_with(&s.set, "Annotations/1.xml", "nested too deep"), 1);
}

static void test_text_too_long(void **state)
{
	read_long_xml("<annotation><filename>", "aaaaaaaaaa", "</filename></annotation>", 100000);
	assert_int_equal(problems_with(&s.set, "Annotations/1.xml", "too long"), 1);
}

static void test_too_many_objects(void **state)
{
	read_long_xml("<annotation>", "<object></object>", "</annotation>", FORMAT_SHAPES_MAX + 1);
	assert_int_equal(problems_with(&s.set, "Annotations/1.xml", "more objects"), 1);
}

static void test_blood_cells(void **state)
{
	SKIP_WITHOUT_REAL_DATA();
	read_real(&s, "det_bccd", FORMAT_NONE);
	assert_int_equal(s.set.format, FORMAT_VOC);
	assert_int_equal(s.set.image_count, 364);
	assert_int_equal(s.set.label_count, 3);
	assert_int_equal(count_of_label(&s.set, "RBC"), 4155);
	assert_int_equal(count_of_label(&s.set, "WBC"), 372);
	assert_int_equal(count_of_label(&s.set, "Platelets"), 361);
	size_t degenerate = 0;
	for (size_t i = 0; i < s.set.image_count; i++) {
		assert_non_null(s.set.images[i].path);
		for (size_t k = 0; k < s.set.images[i].shape_count; k++)
			degenerate += s.set.images[i].shapes[k].degenerate;
	}
	assert_int_equal(degenerate, 2);
	assert_int_equal(s.set.problem_count, 2);
	assert_int_equal(problems_with(&s.set, "BloodImage_00338.xml", "no area"), 1);
	assert_int_equal(problems_with(&s.set, "BloodImage_00343.xml", "no area"), 1);
}

static void test_voc50_as_voc(void **state)
{
	SKIP_WITHOUT_REAL_DATA();
	read_real(&s, "det_voc50", FORMAT_VOC);
	assert_int_equal(s.set.image_count, 50);
	assert_int_equal(count_shapes(&s.set), 119);
	assert_int_equal(s.set.label_count, 20);
	expect_no_problems(&s.set);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_boxes_as_they_stand),
		TEST(test_parts_of_an_object_are_passed_over),
		TEST(test_polygons_beside_the_box),
		TEST(test_impossible_boxes),
		TEST(test_corners_in_any_order),
		TEST(test_objects_that_lack_something),
		TEST(test_an_image_without_objects_is_annotated),
		TEST(test_names_that_lead_out_of_the_set),
		TEST(test_the_image_by_the_name_of_the_xml),
		TEST(test_encodings),
		TEST(test_broken_xml_is_refused_whole),
		TEST(test_elements_nested_too_deep),
		TEST(test_text_too_long),
		TEST(test_too_many_objects),
		TEST(test_blood_cells),
		TEST(test_voc50_as_voc),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
