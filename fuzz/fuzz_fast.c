/* Alerts in fast.log: whatever the bytes, the importer ends in order, and an import in two parts gives what
 * one gives. */
#include "fuzz_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_log(&dm_import_fast, data, size, true);
}
