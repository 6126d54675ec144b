/* Any bytes as a warning list: what comes out has the key of its value. */
#include "indicator_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_indicators(&dm_import_warninglist, data, size);
	return 0;
}
