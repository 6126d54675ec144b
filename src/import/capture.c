/* Capture files (pcap, pcapng) through libpcap: every packet into the flow table, what is no IP counted, what
 * is broken noted.
 *
 * libpcap reads from a FILE whose bytes come out of our stream, so packed captures work and every bound of
 * the stream holds. It is loaded late: it brings half a dozen libraries along. It skips the interface
 * statistics of pcapng, so those are picked out of the bytes as they pass.
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <pcap/pcap.h>

#include "import/capture.h"
#include "import/capture_tap.h"
#include "import/digest.h"
#include "import/importer.h"

#define READ_BUFFER (256u << 10)
/* EtherTypes told apart in the note on what is no IP. */
#define MAX_OTHER 16u
/* Malformed packets noted one by one; a capture of nothing else needs no million of notes. */
#define MAX_NOTES 1000u

#define PCAP_SYMBOLS(X)                                                                                      \
	X(pcap_fopen_offline_with_tstamp_precision)                                                          \
	X(pcap_next_ex)                                                                                      \
	X(pcap_datalink)                                                                                     \
	X(pcap_datalink_val_to_name)                                                                         \
	X(pcap_geterr)                                                                                       \
	X(pcap_close)

static struct {
#define X(name) __typeof__(name) *name;
	PCAP_SYMBOLS(X)
#undef X
	bool ready;
} pcap;

static int preload(struct dm_err *err)
{
	void *lib;
	int r = dm_digest_preload(err);

	if (r < 0 || pcap.ready)
		return r;
	lib = dlopen("libpcap.so.0.8", RTLD_NOW | RTLD_LOCAL);
	if (!lib) {
		dm_fail(err, DM_EUNSUPPORTED, "the pcap library can't be loaded: %s", dlerror());
		dm_err_remedy(err, "install libpcap0.8");
		return DM_EUNSUPPORTED;
	}
#define X(name)                                                                                              \
	*(void **)&pcap.name = dlsym(lib, #name);                                                            \
	if (!pcap.name)                                                                                      \
		return dm_fail(err, DM_EUNSUPPORTED, "the pcap library lacks %s", #name);
	PCAP_SYMBOLS(X)
#undef X
	dm_flows_seed();
	pcap.ready = true;
	return 0;
}

/* pcap in both byte orders with micro- and nanoseconds, Kuznetzov's variant; pcapng by its section header and
 * byte-order mark. */
static int probe(struct dm_sv head, const char *name)
{
	static const uint32_t magics[] = {0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34};
	uint32_t magic, mark;

	(void)name;
	if (head.n < 24)
		return 0;
	memcpy(&magic, head.p, 4);
	for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
		if (magic == magics[i] || magic == __builtin_bswap32(magics[i]))
			return 100;
	memcpy(&mark, head.p + 8, 4);
	return magic == 0x0a0d0d0a && (mark == 0x1a2b3c4d || mark == 0x4d3c2b1a) ? 100 : 0;
}

struct run {
	struct dm_capture c;
	struct dm_stream *stream;
	struct dm_flows *flows;
	struct dm_capture_tap tap;
	int stream_code; /* why the stream failed, 0 if it did not */
	struct dm_err stream_err;
	bool stream_end;
	uint64_t ip_packets, notes, broken;
	struct {
		uint16_t type;
		uint64_t count;
	} other[MAX_OTHER];
	unsigned others;
	uint64_t other_count;
};

static ssize_t read_stream(void *cookie, char *buf, size_t n)
{
	struct run *run = cookie;
	size_t got = 0;
	int r = dm_stream_read(run->stream, buf, n, &got, &run->stream_err);

	if (r < 0) {
		run->stream_code = r;
		return -1;
	}
	if (!got)
		run->stream_end = true;
	dm_capture_tap_bytes(&run->tap, (const uint8_t *)buf, got);
	return (ssize_t)got;
}

static int note(struct run *run, const char *reason)
{
	run->broken++;
	if (run->notes >= MAX_NOTES)
		return 0;
	run->notes++;
	return run->c.sink->skip(run->c.sink, run->c.packet, reason);
}

static void count_other(struct run *run, uint16_t type)
{
	unsigned i = 0;

	run->other_count++;
	while (i < run->others && run->other[i].type != type)
		i++;
	if (i == run->others) {
		if (i == MAX_OTHER)
			return;
		run->other[run->others++].type = type;
	}
	run->other[i].count++;
}

static int add_packet(struct run *run, int dlt, const struct pcap_pkthdr *h, const uint8_t *p)
{
	struct dm_packet pkt, inner;
	struct dm_flow *f;
	int64_t sec = h->ts.tv_sec;
	int r;

	if (h->caplen > DM_MAX_PACKET)
		return note(run, "packet is longer than any that is sent");
	memset(&pkt, 0, sizeof pkt);
	pkt.number = run->c.packet;
	/* Year 9999: what lies outside was never a clock. */
	pkt.time = sec >= 0 && sec < 253402300800 && h->ts.tv_usec >= 0 && h->ts.tv_usec < DM_US
			   ? sec * DM_US + h->ts.tv_usec
			   : DM_NO_TIME;
	switch (dm_frame_decode(dlt, p, h->caplen, h->len, &pkt)) {
	case DM_DECODED_BAD:
		return note(run, pkt.reason);
	case DM_DECODED_OTHER:
		count_other(run, pkt.other);
		return 0;
	case DM_DECODED_IP:
		break;
	}
	run->ip_packets++;
	r = dm_flows_packet(run->flows, &pkt, 0, NULL, &f);
	if (r < 0 || pkt.inner_kind == DM_INNER_NONE)
		return r;
	memset(&inner, 0, sizeof inner);
	inner.number = pkt.number;
	inner.time = pkt.time;
	if (pkt.proto == DM_PROTO_UDP)
		f->protocol = pkt.tunnel;
	switch (dm_inner_decode(&pkt, &inner)) {
	case DM_DECODED_BAD:
		return note(run, inner.reason);
	case DM_DECODED_OTHER:
		return 0;
	case DM_DECODED_IP:
		break;
	}
	return dm_flows_packet(run->flows, &inner, f->first, pkt.tunnel, &f);
}

/* Why libpcap stopped before the end. Everything up to there has been read and is kept. */
static int stopped(struct run *run, pcap_t *p, struct dm_err *err)
{
	char text[160];

	if (run->stream_code) {
		if (err)
			*err = run->stream_err;
		return run->stream_code;
	}
	if (run->stream_end) {
		/* The usual end of a capture that was interrupted: not worth failing for. */
		snprintf(text, sizeof text, "the capture ends within a packet (%.100s)", pcap.pcap_geterr(p));
		run->c.packet++;
		return run->c.sink->skip(run->c.sink, run->c.packet, text);
	}
	dm_fail(err, DM_EFORMAT, "the capture can't be read behind packet %" PRIu64 ": %s", run->c.packet,
		pcap.pcap_geterr(p));
	if (err) {
		err->offset = dm_stream_offset(run->stream);
		err->has_offset = 1;
	}
	return DM_EFORMAT;
}

static int read_packets(struct run *run, pcap_t *p, struct dm_err *err)
{
	int dlt = pcap.pcap_datalink(p);
	struct pcap_pkthdr *h;
	const u_char *bytes;
	int got, r = 0;

	if (!dm_frame_known(dlt)) {
		const char *name = pcap.pcap_datalink_val_to_name(dlt);

		dm_fail(err, DM_EUNSUPPORTED, "link type %d (%s) is not read", dlt, name ? name : "unknown");
		dm_err_remedy(
			err, "capture or convert to Ethernet, raw IP, Linux cooked, loopback, PPP or 802.11");
		return DM_EUNSUPPORTED;
	}
	while (r == 0 && (got = pcap.pcap_next_ex(p, &h, &bytes)) == 1) {
		run->c.packet++;
		r = add_packet(run, dlt, h, bytes);
	}
	if (r == 0 && got != PCAP_ERROR_BREAK)
		r = stopped(run, p, err);
	/* What was read before a fault counts. A sink that fails has nothing more to take. */
	if (r == 0 || r == DM_EFORMAT || run->stream_code) {
		int end = dm_flows_finish(run->flows);

		r = end < 0 ? end : r;
	}
	return r;
}

static int meta_number(struct run *run, const char *key, uint64_t n)
{
	char text[24];

	return run->c.sink->meta(run->c.sink, key,
				 dm_sv(text, (size_t)snprintf(text, sizeof text, "%" PRIu64, n)));
}

static const char *type_name(uint16_t type, char buf[16])
{
	switch (type) {
	case 0:
		return "LLC";
	case 0x0806:
		return "ARP";
	case 0x8035:
		return "RARP";
	case 0x8847:
		return "MPLS";
	case 0x8863:
		return "PPPoE discovery";
	case 0x880b:
		return "PPP control";
	case 0x888e:
		return "802.1X";
	case 0x88cc:
		return "LLDP";
	case 0x9000:
		return "loopback test";
	}
	snprintf(buf, 16, "0x%04x", type);
	return buf;
}

/* What the whole of the capture says about itself. */
static int put_facts(struct run *run)
{
	struct dm_buf *b = &run->c.text;
	char buf[16];
	int r = 0;

	if (dm_capture_tap_dropped(&run->tap))
		r = meta_number(run, "dropped", dm_capture_tap_dropped(&run->tap));
	if (r == 0 && run->other_count) {
		dm_buf_clear(b);
		dm_buf_printf(b, "%" PRIu64 " of %" PRIu64 " packets are not IP:", run->other_count,
			      run->c.packet);
		for (unsigned i = 0; i < run->others; i++)
			dm_buf_printf(b, "%s %" PRIu64 " %s", i ? "," : "", run->other[i].count,
				      type_name(run->other[i].type, buf));
		r = run->c.sink->meta(run->c.sink, "note", dm_buf_view(b));
	}
	if (r == 0 && run->c.unkept) {
		dm_buf_clear(b);
		dm_buf_printf(b,
			      "the content of %" PRIu64
			      " connections was given up: more was under way at once than is kept",
			      run->c.unkept);
		r = run->c.sink->meta(run->c.sink, "note", dm_buf_view(b));
	}
	if (r == 0 && run->broken > run->notes) {
		dm_buf_clear(b);
		dm_buf_printf(b, "%" PRIu64 " more packets are malformed", run->broken - run->notes);
		r = run->c.sink->meta(run->c.sink, "note", dm_buf_view(b));
	}
	return r;
}

/* Without this glibc takes a lock for every read of a few bytes. */
static FILE *open_file(struct run *run)
{
	static const cookie_io_functions_t io = {.read = read_stream};
	FILE *f = fopencookie(run, "r", io);

	if (f) {
		__fsetlocking(f, FSETLOCKING_BYCALLER);
		setvbuf(f, NULL, _IOFBF, READ_BUFFER);
	}
	return f;
}

static int read_file(struct run *run, struct dm_err *err)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	FILE *f = open_file(run);
	pcap_t *p;
	int r;

	if (!f)
		return dm_fail(err, DM_ENOMEM, "no memory for the capture reader");
	p = pcap.pcap_fopen_offline_with_tstamp_precision(f, PCAP_TSTAMP_PRECISION_MICRO, why);
	if (!p) {
		fclose(f);
		if (run->stream_code) {
			if (err)
				*err = run->stream_err;
			return run->stream_code;
		}
		return dm_fail(err, DM_EFORMAT, "not a readable capture: %s", why);
	}
	r = read_packets(run, p, err);
	pcap.pcap_close(p); /* closes f */
	return r;
}

static int run_import(struct dm_import_input *in, struct dm_sink *sink, struct dm_err *err)
{
	struct run *run;
	int r = preload(err), facts;

	if (r < 0)
		return r;
	run = dm_calloc(1, sizeof *run);
	if (!run)
		return dm_fail(err, DM_ENOMEM, "no memory for the capture reader");
	run->stream = in->stream;
	run->c.sink = sink;
	run->c.err = err;
	run->c.timings = in->timings;
	dm_record_init(&run->c.rec);
	dm_buf_init(&run->c.text, DM_MAX_RECORD);
	r = dm_flows_new(&run->flows, &run->c);
	if (r == 0) {
		r = read_file(run, err);
		facts = put_facts(run);
		if (r == 0)
			r = facts;
	}
	dm_flows_free(run->flows);
	dm_record_done(&run->c.rec);
	dm_buf_done(&run->c.text);
	dm_free(run->c.certs);
	dm_free(run);
	return r;
}

const struct dm_importer dm_import_pcap = {
	.name = "pcap",
	.title = "packet capture (pcap, pcapng)",
	.gives = DM_EVIDENCE,
	.module = "pcap",
	.probe = probe,
	.run = run_import,
	.preload = preload,
};
