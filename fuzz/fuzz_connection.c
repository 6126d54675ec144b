/* TLS, SSH, SMTP, DNS over TCP and what changes from one to another: the first byte chooses the port. */
#include "fuzz_connection.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t ports[] = {443, 25, 22, 53, 8000};

	return size ? fuzz_connection(ports[data[0] % 5], data + 1, size - 1) : 0;
}
