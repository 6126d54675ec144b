#include "base/json_internal.h"

#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/text.h"

typedef int number_fn(struct dm_buf *out, struct dm_sv text, struct dm_err *err);

static int put_scalar(struct dm_buf *out, const struct dm_json_node *node, number_fn *number,
		      struct dm_err *err)
{
	switch (node->type) {
	case DM_JSON_NULL:
		dm_buf_str(out, "null");
		break;
	case DM_JSON_FALSE:
		dm_buf_str(out, "false");
		break;
	case DM_JSON_TRUE:
		dm_buf_str(out, "true");
		break;
	case DM_JSON_NUMBER:
		return number(out, node->text, err);
	default:
		dm_json_quote(out, node->text);
		break;
	}
	return DM_OK;
}

static int as_written(struct dm_buf *out, struct dm_sv text, struct dm_err *err)
{
	dm_buf_sv(out, text);
	return DM_OK;
}

/* Recursion is bounded by DM_MAX_DEPTH, which every reader enforces. */
void dm_json_write(struct dm_buf *out, const struct dm_json *doc, const struct dm_json_node *node)
{
	const struct dm_json_node *c;
	bool object = node->type == DM_JSON_OBJECT;

	if (!object && node->type != DM_JSON_ARRAY) {
		put_scalar(out, node, as_written, NULL);
		return;
	}
	dm_buf_putc(out, object ? '{' : '[');
	for (c = dm_json_first(doc, node); c && !out->err; c = dm_json_next(doc, node, c)) {
		if (c != node + 1)
			dm_buf_putc(out, ',');
		if (object) {
			dm_json_quote(out, c->key);
			dm_buf_putc(out, ':');
		}
		dm_json_write(out, doc, c);
	}
	dm_buf_putc(out, object ? '}' : ']');
}

/* Numbers are read and written with a decimal point whatever the locale of the process is. */
static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void make_c_locale(void)
{
	c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

struct decimal {
	char digit[24]; /* n significant digits, the first not 0 */
	int n;
	int point; /* value = 0.digits * 10^point */
};

/* The text of `d`, as strtod reads it back. */
static double decimal_value(const struct decimal *d)
{
	char tmp[48];

	snprintf(tmp, sizeof tmp, "%.*se%d", d->n, d->digit, d->point - d->n);
	return strtod_l(tmp, NULL, c_locale);
}

/* v, positive, correctly rounded to n digits. */
static void decimal_round(struct decimal *d, double v, int n)
{
	char tmp[48], *p = tmp;

	snprintf(tmp, sizeof tmp, "%.*e", n - 1, v);
	for (d->n = 0; *p && *p != 'e'; p++)
		if (*p >= '0' && *p <= '9')
			d->digit[d->n++] = *p;
	d->point = 0;
	if (*p++ == 'e') {
		bool negative = *p++ == '-';
		for (; *p >= '0' && *p <= '9'; p++)
			d->point = d->point * 10 + (*p - '0');
		if (negative)
			d->point = -d->point;
	}
	d->point++;
}

/* One unit in the last place up; false if that makes a digit more. */
static bool decimal_up(struct decimal *d)
{
	int i = d->n - 1;

	while (i >= 0 && d->digit[i] == '9')
		d->digit[i--] = '0';
	if (i < 0)
		return false;
	d->digit[i]++;
	return true;
}

/* The shortest digits that read back as v, and of those the nearest to v (ECMA-262 Number::toString, step 5).
 * Rounding to n digits gives the nearest; just above a power of two the gap below v is half as wide, so that
 * the next decimal above may be the only one that reads back. */
static void decimal_shortest(struct decimal *d, double v)
{
	struct decimal up;

	for (int n = 1; n <= 17; n++) {
		decimal_round(d, v, n);
		if (decimal_value(d) == v)
			break;
		up = *d;
		if (decimal_up(&up) && decimal_value(&up) == v) {
			*d = up;
			break;
		}
	}
	while (d->n > 1 && d->digit[d->n - 1] == '0')
		d->n--;
}

static void put_zeros(struct dm_buf *out, int n)
{
	while (n-- > 0)
		dm_buf_putc(out, '0');
}

/* ECMA-262 Number::toString, as RFC 8785 s.3.2.2.3 asks. */
static void put_double(struct dm_buf *out, double v)
{
	struct decimal d;
	int e;

	if (v == 0) {
		dm_buf_putc(out, '0'); /* also for -0 */
		return;
	}
	if (v < 0) {
		dm_buf_putc(out, '-');
		v = -v;
	}
	decimal_shortest(&d, v);
	if (d.n <= d.point && d.point <= 21) {
		dm_buf_put(out, d.digit, (size_t)d.n);
		put_zeros(out, d.point - d.n);
	} else if (0 < d.point && d.point <= 21) {
		dm_buf_put(out, d.digit, (size_t)d.point);
		dm_buf_putc(out, '.');
		dm_buf_put(out, d.digit + d.point, (size_t)(d.n - d.point));
	} else if (-6 < d.point && d.point <= 0) {
		dm_buf_str(out, "0.");
		put_zeros(out, -d.point);
		dm_buf_put(out, d.digit, (size_t)d.n);
	} else {
		e = d.point - 1;
		dm_buf_putc(out, d.digit[0]);
		if (d.n > 1) {
			dm_buf_putc(out, '.');
			dm_buf_put(out, d.digit + 1, (size_t)d.n - 1);
		}
		dm_buf_str(out, e < 0 ? "e-" : "e+");
		dm_buf_u64(out, (uint64_t)(e < 0 ? -e : e));
	}
}

static int as_double(struct dm_buf *out, struct dm_sv text, struct dm_err *err)
{
	char small[64], *copy = small;
	double v;

	pthread_once(&c_locale_once, make_c_locale);
	if (!c_locale)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	if (text.n < sizeof small) {
		memcpy(small, text.p, text.n);
		small[text.n] = 0;
	} else {
		copy = dm_strndup(text);
		if (!copy)
			return dm_fail(err, DM_ENOMEM, "out of memory");
	}
	v = strtod_l(copy, NULL, c_locale);
	if (copy != small)
		dm_free(copy);
	if (v - v != 0)
		return dm_fail(err, DM_EFORMAT,
			       "the number %.40s is too large for a double, so it has no canonical form (RFC "
			       "8785 s.3.2.2.3)",
			       text.n < sizeof small ? small : "given");
	put_double(out, v);
	return DM_OK;
}

/* RFC 8785 s.3.2.3: names in the order of their UTF-16 code units. That is the order of their UTF-8 bytes,
 * but that surrogates (lead bytes from 0xf0) come before U+E000 to U+FFFF (0xee, 0xef). */
static int by_utf16(const void *a, const void *b)
{
	struct dm_sv x = (*(const struct dm_json_node *const *)a)->key,
		     y = (*(const struct dm_json_node *const *)b)->key;
	size_t n = x.n < y.n ? x.n : y.n;

	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)x.p[i], d = (uint8_t)y.p[i];
		if (c == d)
			continue;
		if (c >= 0xee && d >= 0xee && (c >= 0xf0) != (d >= 0xf0))
			return c >= 0xf0 ? -1 : 1;
		return c < d ? -1 : 1;
	}
	return x.n < y.n ? -1 : x.n > y.n;
}

static int put_canonical_object(struct dm_buf *out, const struct dm_json *doc,
				const struct dm_json_node *node, struct dm_err *err)
{
	const struct dm_json_node **order = dm_calloc(node->count, sizeof *order), *c;
	size_t n = 0;
	int code = DM_OK;

	if (!order)
		return dm_fail(err, DM_ENOMEM, "out of memory");
	for (c = dm_json_first(doc, node); c; c = dm_json_next(doc, node, c))
		order[n++] = c;
	qsort(order, n, sizeof *order, by_utf16);
	dm_buf_putc(out, '{');
	for (size_t i = 0; i < n && !code; i++) {
		if (i)
			dm_buf_putc(out, ',');
		dm_json_quote(out, order[i]->key);
		dm_buf_putc(out, ':');
		code = dm_json_canonical(out, doc, order[i], err);
	}
	dm_buf_putc(out, '}');
	dm_free(order);
	return code;
}

int dm_json_canonical(struct dm_buf *out, const struct dm_json *doc, const struct dm_json_node *node,
		      struct dm_err *err)
{
	const struct dm_json_node *c;
	int code = DM_OK;

	if (node->type == DM_JSON_OBJECT)
		return put_canonical_object(out, doc, node, err);
	if (node->type != DM_JSON_ARRAY) {
		code = put_scalar(out, node, as_double, err);
	} else {
		dm_buf_putc(out, '[');
		for (c = dm_json_first(doc, node); c && !code; c = dm_json_next(doc, node, c)) {
			if (c != node + 1)
				dm_buf_putc(out, ',');
			code = dm_json_canonical(out, doc, c, err);
		}
		dm_buf_putc(out, ']');
	}
	if (!code && out->err)
		return dm_fail(err, out->err, "%s", dm_code_text(out->err));
	return code;
}
