/* Packet captures: the file's bytes through libpcap and all that follows, with packet times kept. */
#include "fuzz_importer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dm_sink sink = {fuzz_record, fuzz_indicator, fuzz_skip, fuzz_meta, fuzz_progress};
	struct dm_import_input in = {.name = "input", .timings = true};
	struct dm_err err = {0};
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	assert(dm_import_pcap.preload(NULL) == 0);
	(void)dm_import_pcap.probe(dm_sv((const char *)data, size), "input");
	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
	if (!dm_stream_open(&in.stream, fd, dm_sv("", 0), &err)) {
		int rc = dm_import_pcap.run(&in, &sink, &err);

		assert(rc <= 0 && (rc == 0 || err.msg[0]));
		dm_stream_close(in.stream);
	}
	close(fd);
	return 0;
}
