/* SSH in captures: who calls itself what (RFC 4253 s.4.2) and the client's HASSH. Whether a login worked is
 * encrypted. */
#include "import/capture.h"
#include "import/digest.h"
#include "import/fmt.h"

#define BANNER_MAX  255u /* RFC 4253 s.4.2 */
#define MSG_KEXINIT 20u

struct ssh_app {
	struct dm_app app;
	int64_t time;
	uint8_t banner_n[2];
	char banner[2][BANNER_MAX];
	bool has_hassh, written;
	char hassh[33];
};

static int make(struct dm_capture *c, struct dm_app **ret)
{
	struct ssh_app *a = dm_calloc(1, sizeof *a);

	if (!a)
		return dm_fail(c->err, DM_ENOMEM, "no memory for SSH");
	a->time = DM_NO_TIME;
	*ret = &a->app;
	return 0;
}

static int write_row(struct dm_capture *c, const struct dm_flow *f, struct ssh_app *a)
{
	struct dm_record *r;

	if (a->written)
		return 0;
	a->written = true;
	r = dm_capture_start(c, f, DM_KIND_LOGIN, a->time);
	dm_record_text(r, DM_F_PROTOCOL, dm_sv_str("ssh"));
	dm_record_text(r, DM_F_CLIENT_SOFTWARE,
		       dm_sv(a->banner[DM_FROM_CLIENT], a->banner_n[DM_FROM_CLIENT]));
	dm_record_text(r, DM_F_SERVER_SOFTWARE,
		       dm_sv(a->banner[DM_FROM_SERVER], a->banner_n[DM_FROM_SERVER]));
	if (a->has_hassh)
		dm_record_text(r, DM_F_HASSH, dm_sv_str(a->hassh));
	return dm_capture_emit(c);
}

/* HASSH: MD5 of "kex;encryption;mac;compression", client to server, as the client lists them. */
static void read_kexinit(struct ssh_app *a, struct dm_cur c)
{
	struct dm_sv list[10];
	uint8_t md5[16];

	dm_cur_skip(&c, 16);
	for (unsigned i = 0; i < 10; i++)
		list[i] = dm_cur_sv(&c, dm_cur_u32be(&c));
	if (c.bad)
		return;
	struct dm_digest_part part[] = {
		{list[0].p, list[0].n}, {";", 1}, {list[2].p, list[2].n}, {";", 1},
		{list[4].p, list[4].n}, {";", 1}, {list[6].p, list[6].n},
	};

	dm_md5(part, sizeof part / sizeof *part, md5);
	dm_fmt_hex(a->hassh, md5, 16);
	a->has_hassh = true;
}

/* The banner of a direction, behind lines that a server may send before it. */
static bool take_banner(struct ssh_app *a, enum dm_dir dir, const struct dm_bytes *b, size_t *used)
{
	while (*used < b->n) {
		const uint8_t *p = b->p + *used, *lf = memchr(p, '\n', b->n - *used);
		struct dm_sv line;

		if (!lf)
			return false;
		line = dm_sv_trim(dm_sv((const char *)p, (size_t)(lf - p)));
		*used += (size_t)(lf - p) + 1;
		if (line.n < 4 || memcmp(line.p, "SSH-", 4) != 0)
			continue;
		a->banner_n[dir] = (uint8_t)(line.n < BANNER_MAX ? line.n : BANNER_MAX);
		memcpy(a->banner[dir], line.p, a->banner_n[dir]);
		if (a->time == DM_NO_TIME)
			a->time = b->time;
		return true;
	}
	return false;
}

static int feed(struct dm_capture *c, struct dm_flow *f, struct dm_app *app, enum dm_dir dir,
		struct dm_bytes *b, size_t *used)
{
	struct ssh_app *a = (struct ssh_app *)app;
	struct dm_cur packet;
	uint32_t n;
	uint8_t padding;

	if (!a->banner_n[dir] && !take_banner(a, dir, b, used))
		return b->n - *used > BANNER_MAX * 4u ? DM_APP_STOP : 0;
	if (dir == DM_FROM_SERVER)
		return DM_APP_STOP;
	/* The first packet of the client is its KEXINIT (RFC 4253 s.6, s.7.1), still in the clear. */
	packet = dm_cur(b->p + *used, b->n - *used);
	n = dm_cur_u32be(&packet);
	if (packet.bad)
		return 0;
	if (n < 2 || n > 35000)
		return DM_APP_STOP;
	if (dm_cur_left(&packet) < n)
		return 0;
	padding = dm_cur_u8(&packet);
	if (dm_cur_u8(&packet) == MSG_KEXINIT && padding < n - 2)
		read_kexinit(a, dm_cur(packet.p + packet.at, n - 2u - padding));
	return DM_APP_STOP;
}

static int finish(struct dm_capture *c, struct dm_flow *f, struct dm_app *app)
{
	return write_row(c, f, (struct ssh_app *)app);
}

static void free_app(struct dm_capture *c, struct dm_app *app)
{
	(void)c;
	dm_free(app);
}

const struct dm_app_ops dm_app_ssh = {"ssh", sizeof(struct ssh_app), make, feed, finish, free_app};
