#include "base/progress.h"

#include "base/text.h"
#include "base/time.h"

#define SAMPLE_US 500000u

void dm_progress_start(struct dm_progress *p, enum dm_progress_unit unit, uint64_t total, uint64_t now)
{
	*p = (struct dm_progress){.unit = unit, .total = total, .start = now, .now = now, .samples = 1};
	p->sample[0].at = now;
}

void dm_progress_update(struct dm_progress *p, uint64_t done, uint64_t now)
{
	p->done = done;
	if (now > p->now)
		p->now = now;
	if (p->now - p->sample[p->newest].at < SAMPLE_US)
		return;
	p->newest = (p->newest + 1) % DM_PROGRESS_SAMPLES;
	p->sample[p->newest].at = p->now;
	p->sample[p->newest].done = done;
	if (p->samples < DM_PROGRESS_SAMPLES)
		p->samples++;
}

uint64_t dm_progress_rate(const struct dm_progress *p)
{
	unsigned oldest = (p->newest + DM_PROGRESS_SAMPLES + 1 - p->samples) % DM_PROGRESS_SAMPLES;
	uint64_t span = p->now - p->sample[oldest].at, done = p->done - p->sample[oldest].done;

	if (span < SAMPLE_US || p->done < p->sample[oldest].done)
		return 0;
	return (uint64_t)((unsigned __int128)done * DM_US / span);
}

bool dm_progress_left(const struct dm_progress *p, uint64_t *ret_us)
{
	uint64_t rate = dm_progress_rate(p);
	unsigned __int128 us;

	if (!rate || !p->total || p->done > p->total)
		return false;
	us = (unsigned __int128)(p->total - p->done) * DM_US / rate;
	if (us > INT64_MAX)
		return false;
	*ret_us = (uint64_t)us;
	return true;
}

void dm_bytes_put(struct dm_buf *out, uint64_t n)
{
	static const char *const unit[] = {" kB", " MB", " GB", " TB", " PB", " EB"};
	uint64_t size = 1000;
	unsigned u = 0, tenths;

	if (n < 1000) {
		dm_buf_u64(out, n);
		dm_buf_str(out, n == 1 ? " byte" : " bytes");
		return;
	}
	while (u < 5 && n / size >= 1000) {
		size *= 1000;
		u++;
	}
	tenths = (unsigned)(n / (size / 10) % 10);
	dm_buf_u64(out, n / size);
	if (n / size < 10 && tenths) {
		dm_buf_putc(out, '.');
		dm_buf_u64(out, tenths);
	}
	dm_buf_str(out, unit[u]);
}

void dm_count_put(struct dm_buf *out, uint64_t n)
{
	char tmp[27];
	size_t i = sizeof tmp;
	unsigned k = 0;

	do {
		if (k && k % 3 == 0)
			tmp[--i] = ',';
		tmp[--i] = (char)('0' + n % 10);
		k++;
	} while (n /= 10);
	dm_buf_put(out, tmp + i, sizeof tmp - i);
}

static void put_amount(struct dm_buf *out, enum dm_progress_unit unit, uint64_t n)
{
	if (unit == DM_PROGRESS_BYTES)
		dm_bytes_put(out, n);
	else
		dm_count_put(out, n);
}

/* What stands behind the name. */
static void put_figures(const struct dm_progress *p, struct dm_buf *out)
{
	uint64_t rate = dm_progress_rate(p), left;

	put_amount(out, p->unit, p->done);
	if (p->total) {
		dm_buf_str(out, " of ");
		put_amount(out, p->unit, p->total);
	}
	if (rate) {
		dm_buf_str(out, "  ");
		put_amount(out, p->unit, rate);
		dm_buf_str(out, "/s");
	}
	if (dm_progress_left(p, &left)) {
		dm_buf_str(out, "  ");
		/* Whole seconds: tenths would flicker. */
		dm_duration_put(out, (int64_t)((left + DM_US - 1) / DM_US * DM_US));
		dm_buf_str(out, " left");
	}
}

/* Takes characters off the front of *s as long as they fit into `width` columns; returns how many columns
 * they take. */
static size_t drop_front(struct dm_sv *s, size_t width)
{
	size_t used = 0, len, w;
	uint32_t cp;

	while (s->n) {
		len = dm_utf8_next(*s, &cp);
		len = len ? len : 1;
		w = dm_term_width(dm_sv(s->p, len));
		if (used + w > width)
			break;
		used += w;
		*s = dm_sv_from(*s, len);
	}
	return used;
}

/* The end of a path says more than its beginning: two thirds of the room are for it. */
static void put_cut(struct dm_buf *out, struct dm_sv s, size_t width, size_t room)
{
	struct dm_sv rest = s;
	size_t used = drop_front(&rest, room / 3);

	dm_buf_put(out, s.p, s.n - rest.n);
	dm_buf_str(out, "...");
	drop_front(&rest, width - room);
	/* A wide character on the seam. */
	while (dm_term_width(rest) > room - used)
		rest = dm_sv_from(rest, 1);
	dm_buf_sv(out, rest);
}

void dm_progress_line(const struct dm_progress *p, struct dm_buf *out, const char *verb, struct dm_sv name,
		      unsigned columns)
{
	struct dm_buf figures, shown;
	size_t used, width;

	dm_buf_init(&figures, 256);
	dm_buf_init(&shown, 65536);
	put_figures(p, &figures);
	dm_term_escape(&shown, name);
	width = dm_term_width(dm_buf_view(&shown));
	used = strlen(verb) + 2 + 2 + figures.n;
	dm_buf_str(out, verb);
	dm_buf_str(out, "  ");
	if (columns && used + width > columns)
		put_cut(out, dm_buf_view(&shown), width, columns > used + 3 ? columns - used - 3 : 0);
	else
		dm_buf_sv(out, dm_buf_view(&shown));
	dm_buf_str(out, "  ");
	dm_buf_sv(out, dm_buf_view(&figures));
	dm_buf_done(&figures);
	dm_buf_done(&shown);
}
