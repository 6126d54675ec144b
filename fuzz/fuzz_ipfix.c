/* IPFIX files. What goes wrong inside libfixbuf shows here as well: it runs in a confined worker, where it
 * ends its own import only. */
#include "fuzz_importer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_import(&dm_import_ipfix, data, size);
}
