/* DNS messages: the reader on the bytes, then the bytes as a datagram to port 53 and as its answer. */
#include "fuzz_connection.h"
#include "import/dns_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct end client = {"192.0.2.1", 40000, 0}, server = {"198.51.100.2", 53, 0};
	struct dm_cur c = dm_cur(data, size);
	struct dm_dns_header h;
	struct dm_dns_rr rr;
	struct pcap_build cap;
	char buf[16];

	if (size > 60000)
		return 0;
	if (dm_dns_header(&c, &h)) {
		bool more = true;

		for (unsigned i = 0; i < h.questions && more; i++) {
			more = dm_dns_question(&c, &rr);
			assert(!more || rr.name_n < sizeof rr.name);
		}
		for (unsigned i = 0; i < (unsigned)h.answers + h.authorities && more; i++) {
			more = dm_dns_rr(&c, &rr);
			assert(!more || (rr.name_n < sizeof rr.name && rr.data_at + rr.data_n <= size));
			assert(!more || dm_dns_type_name(rr.type, buf)[0]);
		}
	}
	pcap_begin(&cap, 1);
	pcap_udp(&cap, &client, &server, data, size);
	pcap_udp(&cap, &server, &client, data, size);
	fuzz_import(&dm_import_pcap, (const uint8_t *)cap.file.p, cap.file.n);
	pcap_done(&cap);
	return 0;
}
