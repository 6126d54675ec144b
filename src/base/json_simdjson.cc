/* The one C++ file: simdjson's structural indexer behind four C functions, built as a module that
 * json_module.c opens at first use, so that commands that read no JSON start without the C++ run-time.
 * docs/design/base.md says why the tree on top of it is ours. */
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <simdjson.h>

namespace
{
struct indexer {
	std::unique_ptr<simdjson::internal::dom_parser_implementation> impl;
};
}

extern "C" {

void *dm_simdjson_new(void)
{
	std::unique_ptr<indexer> x(new (std::nothrow) indexer);

	if (!x || simdjson::get_active_implementation()->create_dom_parser_implementation(0, 1, x->impl))
		return nullptr;
	return x.release();
}

void dm_simdjson_free(void *x)
{
	delete static_cast<indexer *>(x);
}

/* Offsets of all structural characters and of the first byte of all scalars, outside strings, in order;
 * behind the last come two entries equal to n. Refuses invalid UTF-8, control characters in strings and an
 * open string. 0, or a simdjson error code. */
int dm_simdjson_index(void *opaque, const std::uint8_t *text, std::size_t n, const std::uint32_t **ret,
		      std::uint32_t *ret_n)
{
	indexer *x = static_cast<indexer *>(opaque);
	simdjson::error_code error;

	if (n > x->impl->capacity()) {
		error = x->impl->allocate(n < 65536 ? 65536 : n, 1);
		if (error)
			return error;
	}
	error = x->impl->stage1(text, n, simdjson::stage1_mode::regular);
	if (error)
		return error;
	*ret = x->impl->structural_indexes.get();
	*ret_n = x->impl->n_structural_indexes;
	return 0;
}

const char *dm_simdjson_text(int error)
{
	return simdjson::error_message(static_cast<simdjson::error_code>(error));
}
}
