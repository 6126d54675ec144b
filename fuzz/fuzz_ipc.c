/* Frames from a worker that is in an attacker's hands: whatever is opened can be walked to its last byte.
 * The first byte chooses the frame type, the rest is its payload. */
#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "import/batch.h"

static uint64_t walk_text(const struct dm_column *c)
{
	uint64_t sum = 0;
	size_t at = 0;

	for (uint32_t i = 0; i < c->n; i++)
		for (uint32_t j = 0; j < c->lens[i]; j++)
			sum += (uint8_t)c->heap[at++];
	assert(at == c->heap_n);
	return sum;
}

static uint64_t walk(const struct dm_batch *b)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < b->nrows; i++)
		sum += (uint64_t)b->time[i] + b->line[i];
	for (uint32_t i = 0; i < b->ncolumns; i++) {
		const struct dm_column *c = &b->col[i];

		assert(c->type == (uint8_t)dm_field_info[c->field].type);
		assert(c->rows || c->n == b->nrows);
		for (uint32_t j = 0; j < c->n; j++) {
			assert(!c->rows || c->rows[j] < b->nrows);
			sum += c->ints ? (uint64_t)c->ints[j] : 0;
			sum += c->ips ? c->ips[j].b[0] + c->ips[j].b[15] : 0;
			sum += c->obs ? c->obs[j] : 0;
		}
		sum += c->lens ? walk_text(c) : 0;
	}
	return sum;
}

static int walk_indicator(void *ctx, const struct dm_indicator *ind)
{
	const struct dm_sv text[] = {ind->key, ind->key2,   ind->value, ind->original,
				     ind->id,  ind->source, ind->label, ind->marking};
	uint64_t *sum = ctx;

	assert(ind->form >= DM_IND_VALUE && ind->form <= DM_IND_PATTERN && ind->type < DM_OBS_TYPES);
	for (size_t i = 0; i < sizeof text / sizeof *text; i++)
		for (size_t j = 0; j < text[i].n; j++)
			*sum += (uint8_t)text[i].p[j];
	return DM_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dm_batch batch;
	struct dm_err err = {0}, said;
	volatile uint64_t seen = 0;
	uint64_t sum = 0;
	uint8_t *copy;
	int code;

	if (size < 1)
		return 0;
	copy = dm_alloc(size - 1); /* aligned, and of exactly the size */
	if (!copy)
		return 0;
	if (size > 1)
		memcpy(copy, data + 1, size - 1);
	if (data[0] % 3 == 0 && dm_batch_open(&batch, copy, size - 1, &err) == DM_OK)
		seen = walk(&batch);
	else if (data[0] % 3 == 1)
		dm_batch_indicators(copy, size - 1, walk_indicator, &sum, &err);
	else if (data[0] % 3 == 2)
		dm_batch_done_open(copy, size - 1, &code, &said, &err);
	dm_free(copy);
	return (int)((seen + sum) & 0);
}
