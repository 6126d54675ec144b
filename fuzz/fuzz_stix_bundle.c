/* STIX: whatever the bytes, the importer ends in order and gives out only what can be used. */
#include "fuzz_importer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_import(&dm_import_stix, data, size);
}
