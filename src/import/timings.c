/* Packet times and payload lengths of a flow, docs/formats/timings.md. */
#include "import/capture.h"

struct dm_timings {
	int64_t zero, last; /* time of the first packet noted, of the latest */
	struct dm_buf bytes;
	size_t charged;
	bool full;
};

/* Room for one more entry, and for the marker and the offset that come with the end: varints of ten bytes at
 * the most. */
#define ENTRY_MAX 20u
#define END_MAX	  12u

static int timings_new(struct dm_capture *c, struct dm_flow *f, int64_t time)
{
	struct dm_timings *t;

	if (!dm_capture_keep(c, sizeof *t))
		return 0;
	t = dm_calloc(1, sizeof *t);
	if (!t) {
		dm_capture_unkeep(c, sizeof *t);
		return dm_fail(c->err, DM_ENOMEM, "no memory for packet times");
	}
	dm_buf_init(&t->bytes, DM_MAX_VALUE);
	t->zero = t->last = time;
	t->charged = sizeof *t;
	f->timings = t;
	return 0;
}

int dm_timings_add(struct dm_capture *c, struct dm_flow *f, enum dm_dir dir, int64_t time, uint32_t payload)
{
	struct dm_timings *t = f->timings;

	if (!t) {
		int r = time != DM_NO_TIME ? timings_new(c, f, time) : 0;

		t = f->timings;
		if (r < 0 || !t)
			return r;
	}
	if (t->full)
		return 0;
	if (t->bytes.n + ENTRY_MAX + END_MAX > DM_MAX_VALUE) {
		t->full = true;
		return 0;
	}
	/* A clock that runs backwards is written as standing still: the order of the packets says more than
	 * their times. */
	dm_buf_varint(&t->bytes, (time > t->last ? (uint64_t)(time - t->last) : 0) << 1 | dir);
	dm_buf_varint(&t->bytes, payload);
	if (t->bytes.err)
		return dm_fail(c->err, t->bytes.err, "no memory for packet times");
	if (time > t->last)
		t->last = time;
	if (t->bytes.cap + sizeof *t > t->charged) {
		size_t more = t->bytes.cap + sizeof *t - t->charged;

		if (dm_capture_keep(c, more))
			t->charged += more;
		else
			t->full = true;
	}
	return 0;
}

void dm_timings_put(struct dm_capture *c, struct dm_flow *f)
{
	struct dm_timings *t = f->timings;

	if (!t)
		return;
	dm_buf_clear(&c->text);
	dm_buf_varint(&c->text, (uint64_t)(t->zero - f->start));
	dm_buf_sv(&c->text, dm_buf_view(&t->bytes));
	if (t->full) {
		dm_buf_varint(&c->text, 0);
		dm_buf_varint(&c->text, 0);
	}
	if (!c->text.err)
		dm_record_bytes(&c->rec, DM_F_TIMINGS, dm_buf_view(&c->text));
}

void dm_timings_free(struct dm_capture *c, struct dm_flow *f)
{
	if (!f->timings)
		return;
	dm_buf_done(&f->timings->bytes);
	dm_capture_unkeep(c, f->timings->charged);
	dm_free(f->timings);
	f->timings = NULL;
}
