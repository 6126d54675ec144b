/* fuzz_connection.h: bytes as a conversation over TCP, so that a fuzzer need not learn to write captures
 * first.
 *
 * The input is a run of segments: a byte with direction (bit 7), gap or overlap in front (bits 6 and 5),
 * length in units of 2; then so many bytes.
 */
#ifndef DM_FUZZ_CONNECTION_H
#define DM_FUZZ_CONNECTION_H

#include "../tests/unit/pcap_build.h"
#include "fuzz_importer.h"

static inline int fuzz_connection(uint16_t port, const uint8_t *data, size_t size)
{
	struct end client = {"192.0.2.1", 40000, 100}, server = {"198.51.100.2", port, 200};
	struct pcap_build cap;
	size_t at = 0;

	pcap_begin(&cap, 1);
	pcap_open(&cap, &client, &server);
	while (at < size && cap.file.n < 1u << 20) {
		uint8_t head = data[at++];
		struct end *from = head & 0x80 ? &server : &client, *to = head & 0x80 ? &client : &server;
		size_t n = (size_t)(head & 0x1f) * 2 + 1;

		n = n < size - at ? n : size - at;
		if (head & 0x40)
			from->seq += 3;
		if (head & 0x20)
			from->seq -= 2;
		pcap_tcp(&cap, from, to, DM_TCP_ACK, data + at, n);
		at += n;
	}
	pcap_close(&cap, &client, &server);
	fuzz_import(&dm_import_pcap, (const uint8_t *)cap.file.p, cap.file.n);
	pcap_done(&cap);
	return 0;
}

#endif
