/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vectors are normalised to length 1 and, where there are fewer than five times as many as they have numbers,
 * laid on their first principal components. Then the class means are taken, the shrunken covariance of what
 * is left, its Cholesky factor L, and L^-1 is folded with the basis into one matrix: a distance is one
 * product and the smallest of a few sums. 256 numbers at most: plain loops do
 * (docs/decisions/0087-own-small-algebra.md).
 */
#include "stats/gaussian.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>

#define PER_DIMENSION 5 /* vectors that the covariance needs */
#define RANK_MAX 64     /* of the basis, where there are fewer */
#define COUNT_MIN 10
#define SHRINK_MIN 1e-4 /* so that a number that never changed is no division by zero */
#define SWEEPS_MAX 60
#define PACKED_VERSION 1

struct gaussian {
	unsigned size, rank, class_count;
	bool triangular;   /* matrix: rows before the column's own are zero */
	double *mean;      /* size, of all normalised vectors */
	float *components; /* GAUSSIAN_COMPONENTS x size; unused ones are zero */
	float *matrix;     /* size columns of rank numbers */
	double *centres;   /* class_count x rank */
};

static void normalise(const float *vector, unsigned size, double *out)
{
	double squares = 0;
	for (unsigned i = 0; i < size; i++)
		squares += (double)vector[i] * (double)vector[i];
	double scale = squares > 0 ? 1 / sqrt(squares) : 0;
	for (unsigned i = 0; i < size; i++)
		out[i] = vector[i] * scale;
}

/* Of rows that have mean 0, divided by their count; the lower half is added up, then mirrored. */
static void covariance(const double *rows, size_t count, unsigned size, double *out)
{
	memset(out, 0, (size_t)size * size * sizeof(*out));
	for (size_t r = 0; r < count; r++) {
		const double *row = rows + r * size;
		for (unsigned i = 0; i < size; i++)
			for (unsigned j = 0; j <= i; j++)
				out[i * size + j] += row[i] * row[j];
	}
	for (unsigned i = 0; i < size; i++)
		for (unsigned j = 0; j <= i; j++)
			out[j * size + i] = out[i * size + j] /= (double)count;
}

/* Rows p and q of a symmetric matrix, its columns p and q, and the same rows of the vectors. */
static void rotate(double *a, double *vectors, size_t n, size_t p, size_t q)
{
	double theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
	double t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1));
	double c = 1 / sqrt(t * t + 1), s = t * c, shift = t * a[p * n + q];
	double *row_p = a + p * n, *row_q = a + q * n;
	double corner_p = row_p[p] - shift, corner_q = row_q[q] + shift;
	for (size_t k = 0; k < n; k++) {
		double x = row_p[k], y = row_q[k];
		a[k * n + p] = row_p[k] = c * x - s * y;
		a[k * n + q] = row_q[k] = s * x + c * y;
	}
	row_p[p] = corner_p;
	row_q[q] = corner_q;
	row_p[q] = row_q[p] = 0;
	for (size_t k = 0; k < n; k++) {
		double x = vectors[p * n + k], y = vectors[q * n + k];
		vectors[p * n + k] = c * x - s * y;
		vectors[q * n + k] = s * x + c * y;
	}
}

/* Jacobi's method: a becomes diagonal, the rows of vectors its eigenvectors. */
static void diagonalise(double *a, unsigned n, double *vectors)
{
	memset(vectors, 0, (size_t)n * n * sizeof(*vectors));
	for (unsigned i = 0; i < n; i++)
		vectors[i * n + i] = 1;
	for (int sweep = 0; sweep < SWEEPS_MAX; sweep++) {
		double off = 0, diagonal = 0;
		for (unsigned i = 0; i < n; i++) {
			diagonal += a[i * n + i] * a[i * n + i];
			for (unsigned j = 0; j < i; j++)
				off += a[i * n + j] * a[i * n + j];
		}
		if (off <= 1e-26 * diagonal)
			return;
		double least = sqrt(off) / n * 1e-3; /* not worth turning in this sweep */
		for (unsigned p = 0; p + 1 < n; p++)
			for (unsigned q = p + 1; q < n; q++)
				if (fabs(a[p * n + q]) > least)
					rotate(a, vectors, n, p, q);
	}
}

struct ordered {
	double value;
	unsigned at;
};

static int largest_first(const void *a, const void *b)
{
	const struct ordered *x = a, *y = b;
	return x->value != y->value ? (x->value < y->value) - (x->value > y->value)
				    : (x->at > y->at) - (x->at < y->at);
}

/* The first `count` principal components of rows of mean 0, as rows of out; of each the largest number is
 * positive. Those without variance are zero. */
static void principal(
	const double *rows, size_t row_count, unsigned size, unsigned count, double *out, struct arena *a)
{
	double *c = ARENA_ARRAY(a, double, (size_t)size *size);
	double *vectors = ARENA_ARRAY(a, double, (size_t)size *size);
	struct ordered *order = ARENA_ARRAY(a, struct ordered, size);
	covariance(rows, row_count, size, c);
	diagonalise(c, size, vectors);
	for (unsigned i = 0; i < size; i++)
		order[i] = (struct ordered){c[i * size + i], i};
	qsort(order, size, sizeof(*order), largest_first);
	for (unsigned i = 0; i < count && i < size; i++) {
		if (order[i].value <= 1e-12 * order[0].value)
			break;
		const double *v = vectors + (size_t)order[i].at * size;
		unsigned largest = 0;
		for (unsigned k = 0; k < size; k++)
			if (fabs(v[k]) > fabs(v[largest]) * (1 + 1e-9))
				largest = k;
		for (unsigned k = 0; k < size; k++)
			out[(size_t)i * size + k] = v[largest] < 0 ? -v[k] : v[k];
	}
}

/* Ledoit and Wolf's share of the multiple of one: rows of mean 0, c their covariance. */
static double shrinkage(const double *rows, size_t count, unsigned size, const double *c)
{
	double trace = 0, squares = 0, fourth = 0, n = (double)count, p = size;
	for (unsigned i = 0; i < size; i++)
		trace += c[i * size + i];
	for (size_t i = 0; i < (size_t)size * size; i++)
		squares += c[i] * c[i];
	for (size_t r = 0; r < count; r++) {
		double length = 0;
		for (unsigned i = 0; i < size; i++)
			length += rows[r * size + i] * rows[r * size + i];
		fourth += length * length;
	}
	double mu = trace / p;
	double delta = (squares - 2 * mu * trace + p * mu * mu) / p;
	double beta = (fourth / n - squares) / (p * n);
	if (beta >= delta)
		return 1;
	return fmax(SHRINK_MIN, beta / delta);
}

/* c = L L'; then c is L^-1, its upper half zero. */
static void whiten(double *c, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		for (unsigned j = 0; j <= i; j++) {
			double sum = c[i * n + j];
			for (unsigned k = 0; k < j; k++)
				sum -= c[i * n + k] * c[j * n + k];
			c[i * n + j] = i == j ? sqrt(fmax(sum, 1e-300)) : sum / c[j * n + j];
		}
	for (unsigned j = 0; j < n; j++) { /* column by column, in place */
		c[j * n + j] = 1 / c[j * n + j];
		for (unsigned i = j + 1; i < n; i++) {
			double sum = 0;
			for (unsigned k = j; k < i; k++)
				sum -= c[i * n + k] * c[k * n + j];
			c[i * n + j] = sum / c[i * n + i];
		}
		for (unsigned i = 0; i < j; i++)
			c[i * n + j] = 0;
	}
}

/* Class means of rows, which are taken off them; empty classes are left out. Returns how many there are. */
static unsigned take_centres(double *rows, size_t count, unsigned size, const int32_t *classes,
	unsigned class_count, double *centres)
{
	size_t of_class[GAUSSIAN_CLASSES_MAX] = {0};
	unsigned place[GAUSSIAN_CLASSES_MAX] = {0}, used = 0;
	for (size_t r = 0; r < count; r++)
		of_class[classes ? classes[r] : 0]++;
	for (unsigned c = 0; c < class_count; c++)
		if (of_class[c])
			place[c] = used++;
	for (size_t r = 0; r < count; r++) {
		int32_t c = classes ? classes[r] : 0;
		for (unsigned i = 0; i < size; i++)
			centres[place[c] * size + i] += rows[r * size + i] / (double)of_class[c];
	}
	for (size_t r = 0; r < count; r++)
		for (unsigned i = 0; i < size; i++)
			rows[r * size + i] -= centres[place[classes ? classes[r] : 0] * size + i];
	return used;
}

/* y = M x, of doubles as they will be stored. */
static void multiply(const struct gaussian *g, const double *x, double *y)
{
	unsigned rank = g->rank;
	memset(y, 0, rank * sizeof(*y));
	for (unsigned j = 0; j < g->size; j++) {
		const float *column = g->matrix + (size_t)j * rank;
		double by = x[j];
		for (unsigned r = g->triangular ? j : 0; r < rank; r++)
			y[r] += by * (double)column[r];
	}
}

/* The matrix from L^-1 (rank x rank) and the basis (rank x size; NULL: the vectors themselves), and the
 * centres as it maps them. */
static void fold(
	struct gaussian *g, const double *white, const double *basis, const double *centres, struct arena *a)
{
	g->matrix = ARENA_ARRAY(a, float, (size_t)g->rank * g->size);
	for (unsigned r = 0; r < g->rank; r++)
		for (unsigned j = 0; j < g->size; j++) {
			double sum = basis ? 0 : white[r * g->rank + j];
			for (unsigned k = 0; basis && k <= r; k++)
				sum += white[r * g->rank + k] * basis[(size_t)k * g->size + j];
			g->matrix[(size_t)j * g->rank + r] = (float)sum;
		}
	g->centres = ARENA_ARRAY(a, double, (size_t)g->class_count * g->rank);
	for (unsigned c = 0; c < g->class_count; c++)
		for (unsigned r = 0; r < g->rank; r++)
			for (unsigned k = 0; k <= r; k++)
				g->centres[c * g->rank + r] +=
					white[r * g->rank + k] * centres[c * g->rank + k];
}

static void take_mean(double *rows, size_t count, unsigned size, double *mean)
{
	for (size_t r = 0; r < count; r++)
		for (unsigned i = 0; i < size; i++)
			mean[i] += rows[r * size + i] / (double)count;
	for (size_t r = 0; r < count; r++)
		for (unsigned i = 0; i < size; i++)
			rows[r * size + i] -= mean[i];
}

static double *on_basis(
	const double *rows, size_t count, unsigned size, const double *basis, unsigned rank, struct arena *a)
{
	double *out = ARENA_ARRAY(a, double, count *rank);
	for (size_t r = 0; r < count; r++)
		for (unsigned k = 0; k < rank; k++)
			for (unsigned i = 0; i < size; i++)
				out[r * rank + k] += rows[r * size + i] * basis[(size_t)k * size + i];
	return out;
}

static void fit(struct gaussian *g, double *rows, size_t count, const int32_t *classes, unsigned class_count,
	struct arena *a, struct arena *scratch)
{
	unsigned size = g->size, few = (unsigned)(count / PER_DIMENSION);
	g->mean = ARENA_ARRAY(a, double, size);
	take_mean(rows, count, size, g->mean);
	g->triangular = count >= (size_t)PER_DIMENSION * size;
	g->rank = g->triangular ? size : few < RANK_MAX ? few : RANK_MAX;
	if (g->rank > size)
		g->rank = size;
	unsigned wanted = g->rank > GAUSSIAN_COMPONENTS ? g->rank : GAUSSIAN_COMPONENTS;
	double *basis = ARENA_ARRAY(scratch, double, (size_t)wanted *size);
	principal(rows, count, size, g->triangular ? GAUSSIAN_COMPONENTS : wanted, basis, scratch);
	g->components = ARENA_ARRAY(a, float, (size_t)GAUSSIAN_COMPONENTS *size);
	for (size_t i = 0; i < (size_t)GAUSSIAN_COMPONENTS * size; i++)
		g->components[i] = (float)basis[i];
	double *reduced = g->triangular ? rows : on_basis(rows, count, size, basis, g->rank, scratch);
	double *centres = ARENA_ARRAY(scratch, double, (size_t)class_count * g->rank);
	g->class_count = take_centres(reduced, count, g->rank, classes, class_count, centres);
	double *c = ARENA_ARRAY(scratch, double, (size_t)g->rank * g->rank), trace = 0;
	covariance(reduced, count, g->rank, c);
	double share = shrinkage(reduced, count, g->rank, c);
	for (unsigned i = 0; i < g->rank; i++)
		trace += c[i * g->rank + i];
	for (size_t i = 0; i < (size_t)g->rank * g->rank; i++)
		c[i] *= 1 - share;
	for (unsigned i = 0; i < g->rank; i++)
		c[i * g->rank + i] += share * trace / g->rank;
	whiten(c, g->rank);
	fold(g, c, g->triangular ? NULL : basis, centres, a);
}

enum status gaussian_fit(const float *vectors, size_t count, unsigned size, const int32_t *classes,
	unsigned class_count, struct arena *a, struct gaussian **out, struct err *err)
{
	CHECK(size >= 1 && size <= GAUSSIAN_SIZE_MAX && class_count >= 1 &&
		class_count <= GAUSSIAN_CLASSES_MAX);
	if (count < COUNT_MIN)
		return err_set(err, ST_INVALID,
			"%zu images with features are too few: at least %d are needed.", count, COUNT_MIN);
	struct arena scratch;
	arena_init(&scratch);
	double *rows = ARENA_ARRAY(&scratch, double, count *size);
	bool differ = false;
	for (size_t r = 0; r < count; r++) {
		CHECK(!classes || (classes[r] >= 0 && (unsigned)classes[r] < class_count));
		normalise(vectors + r * size, size, rows + r * size);
		for (unsigned i = 0; i < size; i++)
			differ |= fabs(rows[r * size + i] - rows[i]) > 1e-9;
	}
	enum status st = ST_OK;
	if (differ) {
		*out = ARENA_NEW(a, struct gaussian);
		(*out)->size = size;
		fit(*out, rows, count, classes, class_count, a, &scratch);
	} else {
		st = err_set(err, ST_INVALID, "The features of all %zu images are alike.", count);
	}
	arena_release(&scratch);
	return st;
}

unsigned gaussian_size(const struct gaussian *g)
{
	return g->size;
}

static void centred(const struct gaussian *g, const float *vector, double *out)
{
	normalise(vector, g->size, out);
	for (unsigned i = 0; i < g->size; i++)
		out[i] -= g->mean[i];
}

double gaussian_distance(const struct gaussian *g, const float *vector)
{
	double x[GAUSSIAN_SIZE_MAX], y[GAUSSIAN_SIZE_MAX], least = INFINITY;
	centred(g, vector, x);
	multiply(g, x, y);
	for (unsigned c = 0; c < g->class_count; c++) {
		const double *centre = g->centres + (size_t)c * g->rank;
		double sum = 0;
		for (unsigned r = 0; r < g->rank; r++)
			sum += (y[r] - centre[r]) * (y[r] - centre[r]);
		least = fmin(least, sum);
	}
	return least;
}

void gaussian_project(const struct gaussian *g, const float *vector, double out[GAUSSIAN_COMPONENTS])
{
	double x[GAUSSIAN_SIZE_MAX];
	centred(g, vector, x);
	for (unsigned k = 0; k < GAUSSIAN_COMPONENTS; k++) {
		const float *component = g->components + (size_t)k * g->size;
		out[k] = 0;
		for (unsigned i = 0; i < g->size; i++)
			out[k] += x[i] * (double)component[i];
	}
}

/* Version, then the four numbers, then the arrays, all as this machine has them. */
struct head {
	uint32_t version, size, rank, class_count, triangular, spare;
};

struct part {
	void **array;
	size_t size_bytes;
};

enum { PARTS = 4 };
static size_t parts_of(struct gaussian *g, struct part out[PARTS])
{
	size_t size = g->size, rank = g->rank;
	out[0] = (struct part){(void **)&g->mean, size * sizeof(double)};
	out[1] = (struct part){(void **)&g->centres, g->class_count * rank * sizeof(double)};
	out[2] = (struct part){(void **)&g->components, GAUSSIAN_COMPONENTS * size * sizeof(float)};
	out[3] = (struct part){(void **)&g->matrix, rank * size * sizeof(float)};
	size_t total = sizeof(struct head);
	for (int i = 0; i < PARTS; i++)
		total += out[i].size_bytes;
	return total;
}

struct span gaussian_pack(const struct gaussian *g, struct arena *a)
{
	struct gaussian copy = *g;
	struct part parts[PARTS];
	size_t total = parts_of(&copy, parts), at = sizeof(struct head);
	uint8_t *bytes = arena_alloc(a, total);
	const struct head head = {PACKED_VERSION, g->size, g->rank, g->class_count, g->triangular, 0};
	memcpy(bytes, &head, sizeof(head));
	for (int i = 0; i < PARTS; i++) {
		memcpy(bytes + at, *parts[i].array, parts[i].size_bytes);
		at += parts[i].size_bytes;
	}
	return span_of(bytes, total);
}

static bool all_finite(const struct gaussian *g)
{
	double sum = 0; /* of anything not finite it is not finite */
	for (unsigned i = 0; i < g->size; i++)
		sum += g->mean[i] * 0;
	for (size_t i = 0; i < (size_t)g->class_count * g->rank; i++)
		sum += g->centres[i] * 0;
	for (size_t i = 0; i < (size_t)GAUSSIAN_COMPONENTS * g->size; i++)
		sum += (double)g->components[i] * 0;
	for (size_t i = 0; i < (size_t)g->rank * g->size; i++)
		sum += (double)g->matrix[i] * 0;
	return isfinite(sum);
}

enum status gaussian_unpack(struct span packed, struct arena *a, struct gaussian **out, struct err *err)
{
	struct head head = {0};
	struct part parts[PARTS];
	if (packed.size >= sizeof(head))
		memcpy(&head, packed.data, sizeof(head));
	bool known = head.version == PACKED_VERSION && head.size >= 1 && head.size <= GAUSSIAN_SIZE_MAX &&
		     head.rank >= 1 && head.rank <= head.size && head.class_count >= 1 &&
		     head.class_count <= GAUSSIAN_CLASSES_MAX && head.triangular <= 1 && head.spare == 0 &&
		     (!head.triangular || head.rank == head.size);
	struct gaussian *g = ARENA_NEW(a, struct gaussian);
	*g = (struct gaussian){head.size, head.rank, head.class_count, head.triangular == 1};
	if (!known || parts_of(g, parts) != packed.size)
		return err_set(
			err, ST_INVALID, "These are not the packed distances of a reference's features.");
	size_t at = sizeof(head);
	for (int i = 0; i < PARTS; i++) {
		*parts[i].array = arena_alloc(a, parts[i].size_bytes);
		memcpy(*parts[i].array, packed.data + at, parts[i].size_bytes);
		at += parts[i].size_bytes;
	}
	if (!all_finite(g))
		return err_set(
			err, ST_INVALID, "The packed distances of a reference's features are damaged.");
	*out = g;
	return ST_OK;
}
