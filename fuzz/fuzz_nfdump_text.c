/* The text that nfdump prints, part of which comes from the network. */
#include "fuzz_importer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_import(&dm_import_nfcapd, data, size);
}
